package arm

import (
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const vaultType = "Microsoft.KeyVault/vaults"

// resourceOut is what every kind of answer about a vault has.
type resourceOut struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
	System   *systemOut        `json:"systemData,omitempty"`
}

type systemOut struct {
	CreatedBy    string    `json:"createdBy,omitempty"`
	CreatedType  string    `json:"createdByType,omitempty"`
	Created      time.Time `json:"createdAt"`
	ModifiedBy   string    `json:"lastModifiedBy,omitempty"`
	ModifiedType string    `json:"lastModifiedByType,omitempty"`
	Modified     time.Time `json:"lastModifiedAt"`
}

type vaultOut struct {
	resourceOut
	Properties propertiesOut `json:"properties"`
}

type propertiesOut struct {
	TenantID        string       `json:"tenantId"`
	SKU             skuOut       `json:"sku"`
	AccessPolicies  []policyOut  `json:"accessPolicies"`
	URI             string       `json:"vaultUri"`
	SoftDelete      bool         `json:"enableSoftDelete"`
	RetentionDays   int          `json:"softDeleteRetentionInDays"`
	PurgeProtection bool         `json:"enablePurgeProtection,omitempty"` // true or absent
	RBAC            bool         `json:"enableRbacAuthorization"`
	Network         *networkACLs `json:"networkAcls,omitempty"`
	PublicAccess    string       `json:"publicNetworkAccess"`
	enabledForOut
	State string `json:"provisioningState"`
}

type enabledForOut struct {
	Deployment     bool `json:"enabledForDeployment"`
	DiskEncryption bool `json:"enabledForDiskEncryption"`
	Template       bool `json:"enabledForTemplateDeployment"`
}

type skuOut struct {
	Family string `json:"family"`
	Name   string `json:"name"`
}

type policyOut struct {
	TenantID      string         `json:"tenantId"`
	ObjectID      string         `json:"objectId"`
	ApplicationID string         `json:"applicationId,omitempty"`
	Permissions   permissionsOut `json:"permissions"`
}

type permissionsOut struct {
	Keys []rights.Permission `json:"keys"`
}

type accessOut struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Type       string              `json:"type"`
	Location   string              `json:"location"`
	Properties accessPropertiesOut `json:"properties"`
}

type accessPropertiesOut struct {
	AccessPolicies []policyOut `json:"accessPolicies"`
}

func resource(v keyvault.Vault) resourceOut {
	return resourceOut{
		ID:   "/subscriptions/" + v.Subscription + "/resourceGroups/" + v.Group + "/providers/" + vaultType + "/" + v.Name,
		Name: v.Name, Type: vaultType, Location: v.Location, Tags: tagsOut(v.Tags),
	}
}

func (x *request) vaultOut(v keyvault.Vault) vaultOut {
	out := vaultOut{resource(v), propertiesOut{
		TenantID: v.Tenant, SKU: skuOut{"A", v.SKU}, AccessPolicies: policies(v),
		URI:        "https://" + strings.ToLower(v.Name) + ".vault." + x.domain + "/",
		SoftDelete: true, RetentionDays: v.RetentionDays, PurgeProtection: v.PurgeProtection,
		enabledForOut: enabledForOut(v.EnabledFor),
		RBAC:          v.RBAC, Network: networkOut(v.Network.Firewall), PublicAccess: publicAccess(v.Network), State: "Succeeded",
	}}
	out.System = &systemOut{
		v.CreatedBy.Name, identityType(v.CreatedBy.Kind), v.Created,
		v.UpdatedBy.Name, identityType(v.UpdatedBy.Kind), v.Updated,
	}
	return out
}

// identityType is how systemData calls a kind of caller.
func identityType(k directory.Kind) string {
	switch k {
	case directory.User:
		return "User"
	case directory.App, directory.System:
		return "Application"
	}
	return ""
}

func (x *request) accessOut(v keyvault.Vault) accessOut {
	r := resource(v)
	return accessOut{
		ID: r.ID + "/accessPolicies/", Name: "", Type: vaultType + "/accessPolicies", Location: v.Location,
		Properties: accessPropertiesOut{policies(v)},
	}
}

func policies(v keyvault.Vault) []policyOut {
	out := []policyOut{}
	for _, g := range v.Access {
		keys := append([]rights.Permission{}, g.Keys...)
		out = append(out, policyOut{v.Tenant, g.Object, g.Application, permissionsOut{keys}})
	}
	return out
}
