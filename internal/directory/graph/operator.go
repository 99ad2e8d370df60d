package graph

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// These are not of Graph: what operators of the service see and do about the keys that sign
// tokens, and the userinfo that the openid-configuration names.

func (f *face) issuerKeys(r *http.Request, c directory.Caller) (any, error) {
	list, err := f.Directory.ListIssuerKeys(r.Context(), c)
	return map[string]any{"value": list}, err
}

func (f *face) rotateIssuerKeys(r *http.Request, c directory.Caller) (any, error) {
	return done, f.Directory.RotateIssuerKeys(r.Context(), c)
}

func (f *face) revokeIssuerKey(r *http.Request, c directory.Caller) (any, error) {
	return done, f.Directory.RevokeIssuerKey(r.Context(), c, r.PathValue("kid"))
}

// userInfo is OpenID Connect's (core 1.0, section 5.3).
func (f *face) userInfo(r *http.Request, c directory.Caller) (any, error) {
	if c.Kind != directory.User {
		return nil, fault.New(fault.Forbidden, "userinfo is for people: this token is an app's")
	}
	p, err := f.Directory.Person(r.Context(), c.Tenant, c.ID)
	return map[string]string{"sub": p.ID, "oid": p.ID, "tid": p.Tenant, "name": p.DisplayName, "preferred_username": p.UPN}, err
}
