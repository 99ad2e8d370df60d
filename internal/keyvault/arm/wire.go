package arm

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// What clients send (KV-122). Members that only answers have (vaultUri, provisioningState) are
// ignored: clients read, change and write back (KV-124).

type vaultIn struct {
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Properties *propertiesIn     `json:"properties"`
}

type propertiesIn struct {
	TenantID          string       `json:"tenantId"`
	SKU               *skuIn       `json:"sku"`
	AccessPolicies    *[]policyIn  `json:"accessPolicies"`
	SoftDelete        flag         `json:"enableSoftDelete"`
	RetentionDays     number       `json:"softDeleteRetentionInDays"`
	PurgeProtection   flag         `json:"enablePurgeProtection"`
	RBAC              flag         `json:"enableRbacAuthorization"`
	ForDeployment     flag         `json:"enabledForDeployment"`
	ForDiskEncryption flag         `json:"enabledForDiskEncryption"`
	ForTemplate       flag         `json:"enabledForTemplateDeployment"`
	CreateMode        string       `json:"createMode"`
	NetworkACLs       *networkACLs `json:"networkAcls"`
	PublicAccess      string       `json:"publicNetworkAccess"`
}

type skuIn struct {
	Family string `json:"family"`
	Name   string `json:"name"`
}

type policyIn struct {
	TenantID      string `json:"tenantId"`
	ObjectID      string `json:"objectId"`
	ApplicationID string `json:"applicationId"`
	Permissions   struct {
		Keys []rights.Permission `json:"keys"`
	} `json:"permissions"`
}

// A flag is a boolean that may be absent, and may come as a string in any case (KV-123).
type flag struct{ given, on bool }

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	text := unquote(b)
	if text == "null" {
		return nil
	}
	on, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil || len(text) < len("true") {
		return fault.New(fault.Invalid, "A property that is true or false has an invalid value")
	}
	*f = flag{true, on}
	return nil
}

// pointer is nil for a flag that was not given.
func (f flag) pointer() *bool {
	if !f.given {
		return nil
	}
	return &f.on
}

// A number may be absent, 0 then, and may come as a string (KV-123).
type number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	text := unquote(b)
	if text == "null" {
		return nil
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 {
		return fault.New(fault.Invalid, "A property that is a number has an invalid value")
	}
	*n = number(i)
	return nil
}

func unquote(b []byte) string { return string(bytes.Trim(b, `"`)) }

// recovers reports whether a deleted vault is to be taken back.
func (in vaultIn) recovers() bool {
	return in.Properties != nil && strings.EqualFold(in.Properties.CreateMode, "recover")
}

// spec turns the body of a PUT or PATCH into what the vault shall be.
func (in vaultIn) spec(tenant string, rbacDefault bool) (keyvault.VaultSpec, error) {
	spec := keyvault.VaultSpec{Location: in.Location, Tags: in.Tags}
	p := in.Properties
	if p == nil {
		p = &propertiesIn{}
	}
	if err := p.refuse(tenant); err != nil {
		return spec, err
	}
	if err := p.network(&spec); err != nil {
		return spec, err
	}
	if spec.RBACIfNew = rbacDefault; p.RBAC.given {
		spec.RBAC = &p.RBAC.on
	}
	if p.SKU != nil {
		if p.SKU.Family != "" && !strings.EqualFold(p.SKU.Family, "A") {
			return spec, fault.New(fault.Invalid, "Property sku.family has invalid value")
		}
		spec.SKU = p.SKU.Name
	}
	spec.RetentionDays = int(p.RetentionDays)
	spec.PurgeProtection = p.PurgeProtection.on
	spec.EnabledFor = keyvault.EnabledForChange{
		Deployment: p.ForDeployment.pointer(), DiskEncryption: p.ForDiskEncryption.pointer(), Template: p.ForTemplate.pointer(),
	}
	if p.AccessPolicies != nil {
		access, err := grants(tenant, *p.AccessPolicies)
		if err != nil {
			return spec, err
		}
		spec.Access = access
	}
	return spec, nil
}

func (p *propertiesIn) network(spec *keyvault.VaultSpec) (err error) {
	if p.NetworkACLs != nil {
		if spec.Firewall, err = p.NetworkACLs.change(); err != nil {
			return err
		}
	}
	spec.Private, err = private(p.PublicAccess)
	return err
}

// refuse is about what a vault here cannot be. None of it is ignored: a rule that is set and
// does not hold is worse than none.
func (p *propertiesIn) refuse(tenant string) error {
	cannot := func(format string, args ...any) *fault.Error { return fault.New(fault.Invalid, format, args...) }
	switch {
	case p.TenantID != "" && !strings.EqualFold(p.TenantID, tenant):
		return cannot("Property tenantId must be the tenant of the subscription")
	case p.SoftDelete.given && !p.SoftDelete.on:
		return cannot(`The property "enableSoftDelete" cannot be set to false. Soft delete is on in every vault`)
	case p.PurgeProtection.given && !p.PurgeProtection.on:
		return cannot(`The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.`)
	case p.CreateMode != "" && !strings.EqualFold(p.CreateMode, "default"):
		return cannot("Property createMode has invalid value").WithHint(`It is "default", or in a PUT "recover".`)
	}
	return nil
}

// grants reads access policy entries. Rights over secrets, certificates and storage accounts
// are dropped: there are none in these vaults (KV-2).
func grants(tenant string, in []policyIn) ([]rights.Grant, error) {
	out := []rights.Grant{}
	for _, p := range in {
		if p.TenantID != "" && !strings.EqualFold(p.TenantID, tenant) {
			return nil, fault.New(fault.Invalid, "Property accessPolicies.tenantId must be the tenant of the subscription")
		}
		out = append(out, rights.Grant{Object: p.ObjectID, Application: p.ApplicationID, Keys: p.Permissions.Keys})
	}
	return out, nil
}
