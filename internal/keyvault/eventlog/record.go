package eventlog

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Record is one request, or what Azure would call one, in the layout of CK-363 to CK-373:
//
//	{"time":"2026-03-01T12:00:00.5Z","resourceId":"/SUBSCRIPTIONS/…/VAULTS/CONTOSO-EAST",
//	 "operationName":"KeyUnwrap","operationVersion":"2025-07-01","category":"AuditEvent",
//	 "resultType":"Success","resultSignature":"OK","resultDescription":"","durationMs":"3",
//	 "callerIpAddress":"192.0.2.1","correlationId":"…","identity":{"claim":{…}},
//	 "properties":{"clientInfo":"…","requestUri":"…","id":"…","httpStatusCode":200,"requestId":"…"}}
type Record struct {
	Tenant string `json:"-"` // whose record

	Time        time.Time  `json:"time"`
	Resource    string     `json:"resourceId"`
	Operation   string     `json:"operationName"`
	Version     string     `json:"operationVersion"` // api-version
	Category    string     `json:"category"`
	ResultType  string     `json:"resultType"`      // "Success" or "Failure"
	Signature   string     `json:"resultSignature"` // the status in words: "OK", "NotFound"
	Description string     `json:"resultDescription"`
	DurationMs  string     `json:"durationMs"`
	Address     string     `json:"callerIpAddress"`
	Correlation string     `json:"correlationId"` // the id that the client gave the request
	Identity    Identity   `json:"identity"`
	Properties  Properties `json:"properties"`
}

// Identity is who asked, where that is known.
type Identity struct {
	Claim Claim `json:"claim"`
}

// Claim is the part of a token that says who somebody is.
type Claim struct {
	Object string `json:"http://schemas.microsoft.com/identity/claims/objectidentifier,omitempty"`
	UPN    string `json:"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn,omitempty"`
	App    string `json:"appid,omitempty"`
}

// Properties say what was asked for. RequestID and Others are our own.
type Properties struct {
	Client    string `json:"clientInfo"` // User-Agent
	URI       string `json:"requestUri"`
	ID        string `json:"id,omitempty"` // of the key or the vault
	Status    int    `json:"httpStatusCode"`
	RequestID string `json:"requestId"`        // x-ms-request-id; the same in the audit log
	Others    int    `json:"others,omitempty"` // requests like this one that have no record of their own
}

// category is of all records (CK-367).
const category = "AuditEvent"

// signature writes the text of a status as one word.
var signature = strings.NewReplacer(" ", "", "-", "")

// Outcome fills in what follows from the status of the answer and the time that it took;
// description is the message of an error.
func (r *Record) Outcome(status int, description string, took time.Duration) {
	r.ResultType = "Success"
	if status >= http.StatusBadRequest {
		r.ResultType = "Failure"
	}
	r.Signature = signature.Replace(http.StatusText(status))
	r.Description = description
	r.DurationMs = strconv.FormatInt(max(0, took.Milliseconds()), 10)
	r.Properties.Status = status
}

// VaultID is the resource id of a vault, as these records have it.
func VaultID(subscription, group, vault string) string {
	return strings.ToUpper("/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.KeyVault/vaults/" + vault)
}

// SubscriptionID is the resource id of a subscription, for requests about no one vault.
func SubscriptionID(subscription string) string {
	return strings.ToUpper("/subscriptions/" + subscription)
}

// Longest texts in bytes. What is longer is cut, so that a record has a bound whatever a
// client sends.
const (
	longestText = 512
	longestURI  = 2048
)

// bounded returns the record with its texts cut to their bounds.
func (r Record) bounded() Record {
	r.Category = category
	r.Time = r.Time.UTC()
	for _, text := range []*string{
		&r.Operation, &r.Version, &r.Description, &r.Address, &r.Correlation,
		&r.Identity.Claim.Object, &r.Identity.Claim.UPN, &r.Identity.Claim.App,
		&r.Properties.Client, &r.Properties.ID, &r.Properties.RequestID,
	} {
		*text = cut(*text, longestText)
	}
	r.Properties.URI = cut(r.Properties.URI, longestURI)
	return r
}

// cut returns the first n bytes of s, less a character that would be cut in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
