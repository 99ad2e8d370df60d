package graph

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A user and an app in Graph's words.
type user struct {
	Context      string `json:"@odata.context,omitempty"`
	ID           string `json:"id"`
	UPN          string `json:"userPrincipalName"`
	DisplayName  string `json:"displayName"`
	MailNickname string `json:"mailNickname"`
	Enabled      bool   `json:"accountEnabled"`

	Roles    []directory.Role  `json:"roles,omitempty"`            // in lists only, and a word of ours
	Licences []assignedLicence `json:"assignedLicenses,omitempty"` // in lists only
}

type principal struct {
	Context     string   `json:"@odata.context,omitempty"`
	ID          string   `json:"id"`
	AppID       string   `json:"appId"`
	DisplayName string   `json:"displayName"`
	AppName     string   `json:"appDisplayName"`
	Names       []string `json:"servicePrincipalNames"`
	Type        string   `json:"servicePrincipalType"`
	Owner       string   `json:"appOwnerOrganizationId,omitempty"`
	Enabled     bool     `json:"accountEnabled"`
}

// A collection is the answer to a filter, empty if nothing fits, or one page of a list.
type collection struct {
	Context string `json:"@odata.context"`
	Next    string `json:"@odata.nextLink,omitempty"`
	Value   []any  `json:"value"`
}

func (f *face) me(r *http.Request, c directory.Caller) (any, error) {
	if c.Kind != directory.User {
		return nil, fault.New(fault.Invalid, "/me is for people: this token is an app's")
	}
	return f.userByName(r.Context(), c.Tenant, c.ID)
}

func (f *face) user(r *http.Request, c directory.Caller) (any, error) {
	return f.userByName(r.Context(), c.Tenant, r.PathValue("id"))
}

func (f *face) userByName(ctx context.Context, tenant, name string) (any, error) {
	p, err := f.Directory.Person(ctx, tenant, name)
	if err != nil {
		return nil, err
	}
	u := userOf(p)
	u.Context = f.base + "/$metadata#users/$entity"
	return u, nil
}

func (f *face) principal(r *http.Request, c directory.Caller) (any, error) {
	p, err := f.Directory.ServicePrincipal(r.Context(), c.Tenant, r.PathValue("id"))
	if err == nil && !strings.EqualFold(p.ID, r.PathValue("id")) {
		err = fault.New(fault.NotFound, "no such app") // found by app id: this address takes object ids
	}
	if err != nil {
		return nil, err
	}
	answer := principalOf(p)
	answer.Context = f.base + "/$metadata#servicePrincipals/$entity"
	return answer, nil
}

// filters are the forms that clients send; a quote inside the text is doubled. People's mail
// address is their name.
var (
	userFilter      = regexp.MustCompile(`^\s*(?i:userPrincipalName|mail)\s+eq\s+'((?:[^']|'')*)'\s*$`)
	principalFilter = regexp.MustCompile(`^\s*(?i:servicePrincipalNames)/any\(\s*(\w+)\s*:\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*\)\s*$`)
	appFilter       = regexp.MustCompile(`^\s*(?i:appId)()()\s+eq\s+'((?:[^']|'')*)'\s*$`)
)

func (f *face) users(r *http.Request, c directory.Caller) (any, error) {
	filter := r.URL.Query().Get("$filter")
	if filter == "" {
		return f.listUsers(r, c)
	}
	m := userFilter.FindStringSubmatch(filter)
	if m == nil {
		return nil, errFilter("userPrincipalName eq 'alice@contoso.example'")
	}
	found := collection{Context: f.base + "/$metadata#users", Value: []any{}}
	name := unquote(m[1])
	p, err := f.Directory.Person(r.Context(), c.Tenant, name)
	switch {
	case err == nil && strings.EqualFold(p.UPN, name): // not by object id
		found.Value = append(found.Value, userOf(p))
	case err != nil && !fault.Is(err, fault.NotFound):
		return nil, err
	}
	return found, nil
}

func (f *face) listUsers(r *http.Request, c directory.Caller) (any, error) {
	p, err := pageFrom(r.URL.Query())
	if err != nil {
		return nil, err
	}
	list, err := f.Directory.ListPeople(r.Context(), c, p.after, p.top+1)
	if err != nil {
		return nil, err
	}
	return paged(f, r, p, list, func(p directory.Person) any { return listedUser(p) }, func(p directory.Person) string { return p.UPN }), nil
}

func (f *face) principals(r *http.Request, c directory.Caller) (any, error) {
	filter := r.URL.Query().Get("$filter")
	m := principalFilter.FindStringSubmatch(filter)
	if m == nil {
		m = appFilter.FindStringSubmatch(filter)
	}
	if m == nil || m[1] != m[2] {
		return nil, errFilter("servicePrincipalNames/any(c:c eq '{app id}')")
	}
	found := collection{Context: f.base + "/$metadata#servicePrincipals", Value: []any{}}
	app := unquote(m[3])
	p, err := f.Directory.ServicePrincipal(r.Context(), c.Tenant, app)
	switch {
	case err == nil && strings.EqualFold(p.AppID, app): // not by object id
		found.Value = append(found.Value, principalOf(p))
	case err != nil && !fault.Is(err, fault.NotFound):
		return nil, err
	}
	return found, nil
}

func userOf(p directory.Person) user {
	return user{ID: p.ID, UPN: p.UPN, DisplayName: p.DisplayName, MailNickname: local(p.UPN), Enabled: !p.Disabled}
}

func listedUser(p directory.Person) user {
	u := userOf(p)
	u.Roles, u.Licences = p.Roles, licencesOf(p)
	return u
}

func principalOf(p directory.ServicePrincipal) principal {
	return principal{
		ID: p.ID, AppID: p.AppID, DisplayName: p.DisplayName, AppName: p.DisplayName, Names: []string{p.AppID},
		Type: "Application", Owner: p.HomeTenant, Enabled: !p.Disabled,
	}
}

func unquote(s string) string { return strings.ReplaceAll(s, "''", "'") }

func errFilter(example string) error {
	return fault.New(fault.Invalid, "that $filter is not supported").WithHint("use $filter=%s", example)
}
