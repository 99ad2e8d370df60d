package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/fault"
)

// serviceCredential returns what the service shows to the vaults of a tenant: a token of the
// tenant's service principal of app. The directory of the same process issues it, so no
// secret is kept for it.
func (n *node) serviceCredential(tenant, app string) azcore.TokenCredential {
	return &serviceCredential{node: n, tenant: tenant, app: app}
}

type serviceCredential struct {
	*node
	tenant, app string
}

// GetToken implements azcore.TokenCredential. A vault names in its challenge the tenant whose
// tokens it takes; a vault that asks for those of another tenant than the one this credential
// was made for gets none. Our own vaults may name the tenant by its id at an outside issuer.
func (c *serviceCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.TenantID != "" && !strings.EqualFold(o.TenantID, c.tenant) && o.TenantID != c.elsewhere[c.tenant] {
		return azcore.AccessToken{}, fault.New(fault.Denied, "the vault asks for a token of another tenant than its key's owner")
	}
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, fmt.Errorf("%d scopes were asked for, one is expected", len(o.Scopes))
	}
	token, expires, err := c.directory.ServiceToken(ctx, c.tenant, c.app, strings.TrimSuffix(o.Scopes[0], "/.default"))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return azcore.AccessToken{Token: token, ExpiresOn: expires}, nil
}
