package onboarding

import (
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// An Input is what an administrator wants to use.
type Input struct {
	Organization  string    `json:"organization"` // id or domain; the caller's own
	Scenario      Scenario  `json:"scenario"`
	Mode          Mode      `json:"mode"`
	Subscriptions [2]string `json:"subscriptions"` // ids
	Keys          [2]string `json:"keys"`          // URIs
}

// A Check is one condition and what came of looking at it. Outcome is rootcheck.Pass, Warn or Fail.
type Check struct {
	Row     string            `json:"row"`    // of the requirements: "CK-165"
	Name    string            `json:"name"`   // "vault in its subscription"
	Target  string            `json:"target"` // "subscription 1", "contoso-east/root1"
	Outcome rootcheck.Outcome `json:"outcome"`
	Message string            `json:"message,omitempty"`
	Next    string            `json:"next,omitempty"` // what to type, or to do, next

	outage bool // it failed because something could not be asked
}

// String is the check on one line.
func (c Check) String() string {
	text := fmt.Sprintf("%s %s (%s)", c.Row, c.Name, c.Target)
	if c.Message != "" {
		text += ": " + c.Message
	}
	return text
}

// A Report is an onboarding request and all its checks.
type Report struct {
	Tenant, ID string
	Input      Input
	By         request.Person
	Created    time.Time
	Checks     []Check
	Request    string // id of the request for approval; "" if none was needed
	Already    bool   // the family was enabled before it was asked for

	Enablement Enablement // as of now; not stored
	Outcome    string     // what became of it, in words; not stored
}

// Passed reports whether nothing failed.
func (r Report) Passed() bool { return len(r.Of(rootcheck.Fail)) == 0 }

// Of returns the checks of an outcome.
func (r Report) Of(o rootcheck.Outcome) (some []Check) {
	for _, c := range r.Checks {
		if c.Outcome == o {
			some = append(some, c)
		}
	}
	return some
}

// An Enablement says how far a family is from being enabled.
type Enablement string

// The words of EnablementResult (row CK-154; only the property's name is known).
const (
	NotRequested Enablement = "NotRequested" // validation only
	NotStarted   Enablement = "NotStarted"   // validation failed
	Pending      Enablement = "Pending"      // for the approval of an operator
	InProgress   Enablement = "InProgress"
	Success      Enablement = "Success"
	Failed       Enablement = "Failed"
	Refused      Enablement = "Denied" // or taken back, or not approved in time
)

// enablementOf reads it off the request for approval.
func enablementOf(s request.State) Enablement {
	switch s {
	case request.Waiting:
		return Pending
	case request.Approved, request.Running:
		return InProgress
	case request.Done:
		return Success
	case request.Failed:
		return Failed
	}
	return Refused
}
