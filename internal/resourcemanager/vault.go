package resourcemanager

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Vault is what the resource manager says about one.
type Vault struct {
	Name, Group, Subscription string
	Tenant                    string // whose principals it knows
	Host                      string // of its keys, with the port unless it is 443
	Location                  string
	SKU                       string // standard or premium
	SoftDelete                bool
	RetentionDays             int
	PurgeProtection           bool
	RBAC                      bool // goes by role assignments, not by access policies
}

// vaultForm keeps anything out of an address that is no vault's name (row X-19).
var vaultForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// Vault returns the vault of that name in a subscription, fault.NotFound if it does not lie there
// or the service may not see it.
func (r *Reader) Vault(ctx context.Context, subscription, name string) (v Vault, err error) {
	if err := isID(subscription); err != nil {
		return v, err
	}
	if !vaultForm.MatchString(name) {
		return v, errNoVault(name)
	}
	err = r.ask(ctx, func(ctx context.Context) error {
		id, err := r.locate(ctx, subscription, name)
		if err != nil {
			return err
		}
		client, err := armkeyvault.NewVaultsClient(id.SubscriptionID, r.credential, r.options())
		if err != nil {
			return err
		}
		res, err := client.Get(ctx, id.ResourceGroupName, id.Name, nil)
		if err != nil {
			return err
		}
		v = vaultOf(id, &res.Vault)
		return nil
	})
	return v, err
}

// Find returns the subscription in which a vault lies, of those that the service may see;
// fault.NotFound.
func (r *Reader) Find(ctx context.Context, name string) (subscription string, err error) {
	all, err := r.Subscriptions(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		v, err := r.Vault(ctx, s.ID, name)
		if err == nil {
			return strings.ToLower(v.Subscription), nil
		}
		if code := fault.CodeOf(err); code != fault.NotFound && code != fault.Forbidden {
			return "", err
		}
	}
	return "", errNoVault(name)
}

func errNoVault(name string) error {
	return fault.New(fault.NotFound, "there is no vault %.64q that the service may see", name)
}

const vaultType = "Microsoft.KeyVault/vaults"

// locate finds a vault of which only the name is known.
func (r *Reader) locate(ctx context.Context, subscription, name string) (*arm.ResourceID, error) {
	client, err := armresources.NewClient(subscription, r.credential, r.options())
	if err != nil {
		return nil, err
	}
	filter := "resourceType eq '" + vaultType + "' and name eq '" + name + "'" // the name has no quotes: see vaultForm
	pager := client.NewListPager(&armresources.ClientListOptions{Filter: to.Ptr(filter)})
	page, err := pager.NextPage(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range present(page.Value) {
		id, err := arm.ParseResourceID(deref(v.ID))
		if err != nil {
			continue
		}
		here := strings.EqualFold(id.SubscriptionID, subscription) && strings.EqualFold(id.Name, name)
		if here && strings.EqualFold(id.ResourceType.String(), vaultType) {
			return id, nil
		}
	}
	return nil, errNoVault(name)
}

func vaultOf(id *arm.ResourceID, in *armkeyvault.Vault) Vault {
	v := Vault{Name: id.Name, Group: id.ResourceGroupName, Subscription: strings.ToLower(id.SubscriptionID), Location: deref(in.Location)}
	p := in.Properties
	if p == nil {
		return v
	}
	v.Tenant = strings.ToLower(deref(p.TenantID))
	if u, err := url.Parse(deref(p.VaultURI)); err == nil {
		v.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	}
	if p.SKU != nil {
		v.SKU = strings.ToLower(string(deref(p.SKU.Name)))
	}
	v.SoftDelete, v.RetentionDays = deref(p.EnableSoftDelete), int(deref(p.SoftDeleteRetentionInDays))
	v.PurgeProtection, v.RBAC = deref(p.EnablePurgeProtection), deref(p.EnableRbacAuthorization)
	return v
}
