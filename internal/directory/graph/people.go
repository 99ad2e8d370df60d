package graph

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A personIn is a person as Graph's clients send one. Roles are ours: in Graph they are
// resources of their own.
type personIn struct {
	UPN         string           `json:"userPrincipalName"`
	DisplayName string           `json:"displayName"`
	Enabled     *bool            `json:"accountEnabled"`
	Password    *passwordProfile `json:"passwordProfile"`
	Roles       []directory.Role `json:"roles"`
}

// A passwordProfile is a password, for one time unless it says otherwise.
type passwordProfile struct {
	Password string `json:"password"`
	Force    *bool  `json:"forceChangePasswordNextSignIn"`
}

func (p passwordProfile) mustChange() bool { return p.Force == nil || *p.Force }

func (f *face) createPerson(r *http.Request, c directory.Caller) (any, error) {
	var in personIn
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Password == nil {
		return nil, fault.New(fault.Invalid, "passwordProfile.password is missing")
	}
	if in.Enabled != nil && !*in.Enabled {
		return nil, fault.New(fault.Invalid, "a person is made enabled").WithHint("set accountEnabled to false afterwards")
	}
	p, err := f.Directory.CreatePerson(r.Context(), c, directory.Person{
		Tenant: c.Tenant, UPN: in.UPN, DisplayName: in.DisplayName, Roles: in.Roles,
	}, in.Password.Password, in.Password.mustChange())
	if err != nil {
		return nil, err
	}
	u := userOf(p)
	u.Context = f.base + "/$metadata#users/$entity"
	return reply{http.StatusCreated, u}, nil
}

// changePerson sets a new password, locks out or lets in again.
func (f *face) changePerson(r *http.Request, c directory.Caller) (any, error) {
	var in personIn
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.UPN != "" || in.DisplayName != "" || in.Roles != nil || in.Enabled == nil && in.Password == nil {
		return nil, fault.New(fault.Invalid, "only passwordProfile and accountEnabled of a person can be changed")
	}
	id := r.PathValue("id")
	if in.Password != nil {
		if err := f.Directory.SetPassword(r.Context(), c, c.Tenant, id, in.Password.Password, in.Password.mustChange()); err != nil {
			return nil, err
		}
	}
	if in.Enabled != nil {
		return done, f.Directory.SetDisabled(r.Context(), c, c.Tenant, id, !*in.Enabled)
	}
	return done, nil
}
