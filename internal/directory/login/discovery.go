package login

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
)

// configuration answers the OpenID configuration of a tenant. Clients check that the
// issuer's host is the one they asked; access tokens carry an issuer of their own
// (row KV-134). For "common" the issuer is a pattern, as Entra's is.
func (f *face) configuration(w http.ResponseWriter, r *http.Request, req request) error {
	path := r.PathValue("tenant")
	issuer := f.base + "/{tenantid}/v2.0"
	if req.authority != directory.Common && req.authority != directory.Organizations {
		t, err := f.directory.Tenant(r.Context(), req.authority)
		if err != nil {
			return err
		}
		path, issuer = t.ID, f.directory.LoginIssuer(t.ID)
	}
	endpoint := f.base + "/" + path + "/oauth2/v2.0"
	if strings.EqualFold(path, adfs) {
		path = adfs
		endpoint, issuer = f.base+"/adfs/oauth2", f.base+"/adfs"
	}
	grants := []string{"authorization_code", "client_credentials", "refresh_token", deviceGrant}
	if f.passwords && path == adfs {
		grants = append(grants, "password")
	}
	return writeJSON(w, map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                endpoint + "/authorize",
		"token_endpoint":                        endpoint + "/token",
		"device_authorization_endpoint":         endpoint + "/devicecode",
		"jwks_uri":                              f.base + "/" + path + "/discovery/v2.0/keys",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"grant_types_supported":                 grants,
		"code_challenge_methods_supported":      []string{"S256"},
		"subject_types_supported":               []string{"public"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},

		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "PS256", "ES256"},

		"userinfo_endpoint":    "https://graph." + f.domain + "/oidc/userinfo",
		"end_session_endpoint": endpoint + "/logout",
		"claims_supported":     []string{"aud", "exp", "iat", "iss", "name", "nonce", "oid", "preferred_username", "sub", "tid", "ver"},
		"msgraph_host":         "graph." + f.domain,
		"cloud_instance_name":  "login." + f.domain,
	})
}

// keys answers the public keys that verify our tokens: one list for all tenants.
func (f *face) keys(w http.ResponseWriter, r *http.Request, _ request) error {
	set, err := f.directory.Keys(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, set)
}

// instance answers clients that ask whether this authority is one they may trust.
func (f *face) instance(w http.ResponseWriter, _ *http.Request, _ request) error {
	host := "login." + f.domain
	return writeJSON(w, map[string]any{
		"api-version":               "1.1",
		"tenant_discovery_endpoint": f.base + "/common/v2.0/.well-known/openid-configuration",
		"metadata":                  []any{map[string]any{"preferred_network": host, "preferred_cache": host, "aliases": []string{host}}},
	})
}

func writeJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // a client that has left needs no answer
	return nil
}
