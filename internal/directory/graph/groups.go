package graph

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A group in Graph's words. All of ours are security groups with members that somebody adds.
type group struct {
	Context     string    `json:"@odata.context,omitempty"`
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Created     time.Time `json:"createdDateTime"`
	Mail        bool      `json:"mailEnabled"`
	Security    bool      `json:"securityEnabled"`
	Types       []string  `json:"groupTypes"`
}

// A memberUser and a memberPrincipal are members of a group, with the type that tells them apart.
type memberUser struct {
	Type string `json:"@odata.type"`
	user
}

type memberPrincipal struct {
	Type string `json:"@odata.type"`
	principal
}

// groupFilter is the $filter that clients look groups up by.
var groupFilter = regexp.MustCompile(`^\s*(?i:displayName)\s+eq\s+'((?:[^']|'')*)'\s*$`)

func (f *face) groups(r *http.Request, c directory.Caller) (any, error) {
	filter := r.URL.Query().Get("$filter")
	if filter == "" {
		return f.listGroups(r, c)
	}
	m := groupFilter.FindStringSubmatch(filter)
	if m == nil {
		return nil, errFilter("displayName eq 'Key officers'")
	}
	found := collection{Context: f.base + "/$metadata#groups", Value: []any{}}
	g, err := f.Directory.GroupByName(r.Context(), c.Tenant, unquote(m[1]))
	switch {
	case err == nil:
		found.Value = append(found.Value, groupOf(g))
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	return found, nil
}

func (f *face) listGroups(r *http.Request, c directory.Caller) (any, error) {
	p, err := pageFrom(r.URL.Query())
	if err != nil {
		return nil, err
	}
	list, err := f.Directory.ListGroups(r.Context(), c, p.after, p.top+1)
	if err != nil {
		return nil, err
	}
	return paged(f, r, p, list, func(g directory.Group) any { return groupOf(g) }, func(g directory.Group) string { return g.DisplayName }), nil
}

func (f *face) group(r *http.Request, c directory.Caller) (any, error) {
	g, err := f.Directory.Group(r.Context(), c.Tenant, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return f.oneGroup(g), nil
}

func (f *face) createGroup(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		DisplayName string   `json:"displayName"`
		Mail        bool     `json:"mailEnabled"`
		Security    *bool    `json:"securityEnabled"`
		Types       []string `json:"groupTypes"`
		Members     []string `json:"members@odata.bind"`
		Owners      []string `json:"owners@odata.bind"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Mail || in.Security != nil && !*in.Security || len(in.Types) > 0 {
		return nil, fault.New(fault.Invalid, "groups here are security groups with assigned members").
			WithHint("set mailEnabled to false, securityEnabled to true, and no groupTypes")
	}
	if len(in.Members) > 0 || len(in.Owners) > 0 {
		return nil, fault.New(fault.Invalid, "a group is made empty, and has no owners").WithHint("add members to it afterwards")
	}
	g, err := f.Directory.CreateGroup(r.Context(), c, c.Tenant, in.DisplayName)
	if err != nil {
		return nil, err
	}
	return reply{http.StatusCreated, f.oneGroup(g)}, nil
}

func (f *face) deleteGroup(r *http.Request, c directory.Caller) (any, error) {
	return done, f.Directory.DeleteGroup(r.Context(), c, c.Tenant, r.PathValue("id"))
}

func (f *face) members(r *http.Request, c directory.Caller) (any, error) {
	p, err := pageFrom(r.URL.Query())
	if err != nil {
		return nil, err
	}
	list, err := f.Directory.ListMembers(r.Context(), c, r.PathValue("id"), p.after, p.top+1)
	if err != nil {
		return nil, err
	}
	all := paged(f, r, p, list, memberOf, func(m directory.Member) string { return m.ID })
	all.Context = f.base + "/$metadata#directoryObjects"
	return all, nil
}

func (f *face) addMember(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		Ref string `json:"@odata.id"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	id, err := refID(in.Ref)
	if err != nil {
		return nil, err
	}
	return done, f.Directory.AddMember(r.Context(), c, c.Tenant, r.PathValue("id"), id)
}

func (f *face) removeMember(r *http.Request, c directory.Caller) (any, error) {
	return done, f.Directory.RemoveMember(r.Context(), c, c.Tenant, r.PathValue("id"), r.PathValue("member"))
}

// refID returns the object id that an @odata.id ends in. It is a name and never called, so its
// host does not matter: clients write that of Microsoft by habit.
func refID(ref string) (string, error) {
	bad := fault.New(fault.Invalid, "@odata.id does not name a person or an app").
		WithHint("give an address such as https://graph.localhost/v1.0/directoryObjects/{object id}")
	u, err := url.Parse(ref)
	if err != nil || len(ref) > 1024 {
		return "", bad
	}
	parts := strings.Split(u.Path, "/")
	if len(parts) < 3 {
		return "", bad
	}
	switch strings.ToLower(parts[len(parts)-2]) {
	case "directoryobjects", "users", "serviceprincipals", "groups": // of which the last are refused with their reason
	default:
		return "", bad
	}
	id, err := uuid.Parse(parts[len(parts)-1])
	if err != nil || !strings.EqualFold(id.String(), parts[len(parts)-1]) {
		return "", bad
	}
	return id.String(), nil
}

func (f *face) oneGroup(g directory.Group) group {
	one := groupOf(g)
	one.Context = f.base + "/$metadata#groups/$entity"
	return one
}

func groupOf(g directory.Group) group {
	return group{ID: g.ID, DisplayName: g.DisplayName, Created: g.Created, Security: true, Types: []string{}}
}

func memberOf(m directory.Member) any {
	if m.Kind == directory.User {
		return memberUser{"#microsoft.graph.user", userOf(directory.Person{ID: m.ID, UPN: m.UPN, DisplayName: m.DisplayName, Disabled: m.Disabled})}
	}
	return memberPrincipal{"#microsoft.graph.servicePrincipal", principalOf(directory.ServicePrincipal{
		ID: m.ID, AppID: m.AppID, DisplayName: m.DisplayName, Disabled: m.Disabled,
	})}
}
