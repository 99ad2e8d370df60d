package keyvault

import (
	"context"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A VaultSpec says what a vault shall be. Members that are zero, or nil, keep what is there;
// in a new vault they stand for the defaults named beside them.
type VaultSpec struct {
	Subscription, Group, Name string                 // required
	Location                  string                 // required for a new vault; never changes
	SKU                       string                 // "standard" or "premium"; required for a new vault
	RetentionDays             int                    // 7 to 90; 90; never changes
	PurgeProtection           bool                   // false; cannot be taken back
	RBAC                      *bool                  // RBACIfNew
	RBACIfNew                 bool                   // which differs by the version of the interface (KV-125)
	Access                    []rights.Grant         // nobody
	Private                   *bool                  // false
	Firewall                  *rights.FirewallChange // none
	EnabledFor                EnabledForChange       // nothing
	Tags                      map[string]string      // none
}

func (spec VaultSpec) scope() rights.Scope {
	return rights.Scope{Subscription: spec.Subscription, Group: spec.Group, Vault: spec.Name}
}

// PutVault makes a vault, or changes the one that is there in the same group (KV-124).
func (s *Service) PutVault(ctx context.Context, c directory.Caller, spec VaultSpec) (v Vault, created bool, err error) {
	return s.putVault(ctx, c, spec, true)
}

// UpdateVault changes a vault that is there.
func (s *Service) UpdateVault(ctx context.Context, c directory.Caller, spec VaultSpec) (Vault, error) {
	v, _, err := s.putVault(ctx, c, spec, false)
	return v, err
}

func (s *Service) putVault(ctx context.Context, c directory.Caller, spec VaultSpec, mayCreate bool) (Vault, bool, error) {
	created := false
	v, err := again(func() (Vault, error) {
		return manage(ctx, s, c, PutVault, spec.scope(), func(d *desk) (func() (Vault, error), error) {
			old, err := s.place(ctx, d, spec.Group, spec.Name)
			if created = err != nil; created && !(mayCreate && hasReason(err, ReasonNoResource)) {
				return nil, err
			}
			if created {
				return s.create(ctx, d, spec)
			}
			return s.change(ctx, d, old, spec)
		})
	})
	return v, created, err
}

// place finds a vault where it is said to be. One that is elsewhere, with anyone, is told
// only by its name being taken.
func (s *Service) place(ctx context.Context, d *desk, group, name string) (Vault, error) {
	missing := errNoVault(group, name)
	if _, err := s.group(ctx, d.subscription, group); err != nil {
		return Vault{}, err
	}
	if err := naming.CheckVault(name); err != nil {
		return Vault{}, missing
	}
	d.entry.Object = "vaults/" + name
	v, err := s.store.Vault(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return Vault{}, missing
	}
	if err != nil {
		return Vault{}, err
	}
	if v.Tenant != d.subscription.Tenant || v.Subscription != d.subscription.ID || !naming.Same(v.Group, group) {
		return Vault{}, missing
	}
	return v, nil
}

// create decides about a new vault.
func (s *Service) create(ctx context.Context, d *desk, spec VaultSpec) (func() (Vault, error), error) {
	if err := naming.CheckVault(spec.Name); err != nil {
		return nil, err
	}
	if d.subscription.Provider.State != Registered {
		return nil, errNoProvider()
	}
	g, err := s.group(ctx, d.subscription, spec.Group)
	if err != nil {
		return nil, err
	}
	v := Vault{
		Tenant: d.subscription.Tenant, Subscription: d.subscription.ID, Group: g.Name, Name: spec.Name,
		Location: spec.Location, RetentionDays: spec.RetentionDays,
		Protected: d.subscription.Protected(), Created: s.now(), Updated: s.now(), CreatedBy: authorOf(d.caller), Revision: 1,
	}
	v.UpdatedBy = v.CreatedBy
	if v.RetentionDays == 0 {
		v.RetentionDays = standardRetention
	}
	if !naming.IsLocation(v.Location) {
		return nil, naming.Invalid("location")
	}
	if v.RetentionDays < 7 || v.RetentionDays > standardRetention {
		return nil, naming.Invalid("softDeleteRetentionInDays")
	}
	v.RBAC = spec.RBACIfNew
	if err := spec.apply(&v); err != nil {
		return nil, err
	}
	d.describe(v)
	if old, err := s.deleted(ctx, d, "", v.Name); err == nil {
		return nil, errVaultHeld(old)
	} else if !hasReason(err, ReasonNoDeletedVault) {
		return nil, err
	}
	return func() (Vault, error) {
		err := s.store.AddVault(ctx, v)
		switch {
		case fault.Is(err, fault.Conflict):
			err = errVaultTaken(v.Name)
		case fault.Is(err, fault.NotFound): // removed meanwhile
			err = errNoGroup(g.Name)
		}
		return v, err
	}, nil
}

// change decides about a vault that is there.
func (s *Service) change(ctx context.Context, d *desk, v Vault, spec VaultSpec) (func() (Vault, error), error) {
	if spec.Location != "" && !naming.SameLocation(spec.Location, v.Location) {
		return nil, fault.New(fault.Conflict, "The vault '%s' already exists in location '%s'", v.Name, v.Location).WithReason(ReasonLocationMismatch)
	}
	if spec.RetentionDays != 0 && spec.RetentionDays != v.RetentionDays {
		return nil, fault.New(fault.Invalid, `The property "softDeleteRetentionInDays" has been set already and it can't be modified`)
	}
	old := v
	if err := spec.apply(&v); err != nil {
		return nil, err
	}
	if v.RBAC != old.RBAC && !d.may(AssignRole, v.scope()) {
		return nil, errNotAuthorized(d.caller, AssignRole, v.scope()) // or a contributor could let himself in
	}
	return s.setVault(ctx, d, old, v), nil
}

// apply sets what may change at any time, and checks it.
func (spec VaultSpec) apply(v *Vault) error {
	if spec.SKU != "" {
		v.SKU = strings.ToLower(spec.SKU)
	}
	v.PurgeProtection = v.PurgeProtection || spec.PurgeProtection
	if spec.RBAC != nil {
		v.RBAC = *spec.RBAC
	}
	if spec.Access != nil {
		v.Access = spec.Access
	}
	if spec.Private != nil {
		v.Network.Private = *spec.Private
	}
	if spec.Firewall != nil {
		v.Network.Firewall = spec.Firewall.Of(v.Network.Firewall)
	}
	if spec.Tags != nil {
		v.Tags = spec.Tags
	}
	v.EnabledFor = spec.EnabledFor.apply(v.EnabledFor)
	if v.SKU != "standard" && v.SKU != "premium" {
		return naming.Invalid("sku.name")
	}
	if err := naming.CheckTags(v.Tags); err != nil {
		return err
	}
	if err := v.Network.Check(); err != nil {
		return err
	}
	return v.Access.Check()
}

// setVault returns what saves a vault changed from old; ErrChanged comes from it if it is not the
// newest any more.
func (s *Service) setVault(ctx context.Context, d *desk, old, v Vault) func() (Vault, error) {
	v.Updated, v.UpdatedBy = later(s.now(), v.Updated), authorOf(d.caller)
	d.describe(v)
	events := accessChanged(old, v)
	return func() (Vault, error) { return v, s.tell(s.store.SetVault(ctx, v, events...), events...) }
}

// describe records what decides over keys: who may use them, and whether they can be purged.
func (d *desk) describe(v Vault) {
	d.entry.Object = "vaults/" + v.Name
	d.entry.Detail["sku"] = v.SKU
	d.entry.Detail["retention_days"] = strconv.Itoa(v.RetentionDays)
	d.entry.Detail["purge_protection"] = yesNo(v.PurgeProtection)
	d.entry.Detail["rbac"] = yesNo(v.RBAC)
	d.entry.Detail["network"] = v.Network.String()
	d.entry.Detail["grants"] = strconv.Itoa(len(v.Access))
}
