package profile

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/fault"
)

// Credential returns the profile as a credential for the official vault clients.
func (p *Profile) Credential() azcore.TokenCredential { return credential{p} }

type credential struct{ profile *Profile }

// GetToken gives a token for the one scope asked for. A tenant other than the profile's is
// refused: its vaults are not this person's.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, final{fault.New(fault.Internal, "a token is for one resource")}
	}
	if tenant := c.profile.Data().Tenant; o.TenantID != "" && !strings.EqualFold(o.TenantID, tenant) {
		return azcore.AccessToken{}, final{fault.New(fault.Forbidden, "this belongs to another organization than the one you are signed in to").
			WithHint("sign in there with another profile: ck --profile NAME login")}
	}
	a, err := c.profile.access(ctx, strings.TrimSuffix(o.Scopes[0], "/.default"))
	if err != nil {
		return azcore.AccessToken{}, final{err}
	}
	return azcore.AccessToken{Token: a.Token, ExpiresOn: a.Expires}, nil
}

// final is an error that the Azure pipeline does not try again.
type final struct{ err error }

func (f final) Error() string { return f.err.Error() }
func (f final) Unwrap() error { return f.err }

// NonRetriable marks the error for the pipeline's retry policy.
func (final) NonRetriable() {}
