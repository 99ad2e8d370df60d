package keyvault

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A Target names what a request on the data plane is about. Name and Version may be empty
// where the action is about the vault or the newest version.
type Target struct {
	Vault, Name, Version string
	Type                 string // of a key that is to be made
}

func at(vault, name, version string) Target {
	return Target{Vault: vault, Name: name, Version: version}
}

// A visit is a request that the door lets through as far as its parameters.
type visit struct {
	action   Action
	caller   directory.Caller
	target   Target
	now      time.Time
	vault    Vault
	key      Key // what the action's rule asks for; zero where it asks for none
	material Material
	holder   protect.Protector // of the key, once held has found it
	entry    audit.Entry
}

// note adds a detail to the record.
func (v *visit) note(name, value string) { v.entry.Detail[name] = value }

// through is the door of the data plane. It checks in the order of KV-102: vault, tenant,
// network, permission, key, the budget (KV-107), the key's state. Then decide looks at the parameters and returns what is
// to be done. The outcome is recorded, and only after that is it done.
func through[T any](ctx context.Context, s *Service, c directory.Caller, a Action, t Target, decide func(*visit) (func() (T, error), error)) (T, error) {
	var none T
	vault, err := s.vault(ctx, t.Vault)
	if err != nil {
		return none, err // no vault, no tenant, no log to write to
	}
	t.Version = strings.ToLower(t.Version)
	v := &visit{action: a, caller: c, target: t, now: s.now(), vault: vault}
	v.entry = audit.Entry{Tenant: vault.Tenant, Caller: c, Action: string(a), Object: object(vault, t), Detail: map[string]string{}}
	if c.Tenant != vault.Tenant {
		return none, s.turnAway(ctx, v.entry)
	}
	if err := s.admit(ctx, v); err != nil {
		if _, yes := errors.AsType[counted](err); yes {
			return none, err
		}
		return settle[T](ctx, s, v.entry, nil, err)
	}
	act, err := decide(v)
	if err == nil && rules[a].op != "" {
		return answer(ctx, s, v.entry, act)
	}
	return settle(ctx, s, v.entry, act, err)
}

// CheckTenant refuses callers of other tenants than the vault's, as every method does, for a
// face that has something to check before it knows which method is wanted.
func (s *Service) CheckTenant(ctx context.Context, c directory.Caller, vault string) error {
	v, err := s.vault(ctx, vault)
	if err != nil || c.Tenant == v.Tenant {
		return err
	}
	return s.turnAway(ctx, audit.Entry{Tenant: v.Tenant, Caller: c, Action: string(EnterVault), Object: v.Name})
}

// turnAway records and returns the refusal of a caller from another tenant. Whose he is stays
// out of the log: a tenant never learns that another exists.
func (s *Service) turnAway(ctx context.Context, e audit.Entry) error {
	e.Caller = directory.Caller{Kind: e.Caller.Kind, Address: e.Caller.Address, Request: e.Caller.Request}
	_, err := settle[struct{}](ctx, s, e, nil, errForeign())
	return err
}

// Refuse is for a face that could not read a request's parameters because of cause. It takes
// the request through the door like any other, which records it, and returns what its sender
// may learn: cause, unless something that is checked earlier forbids the request.
func (s *Service) Refuse(ctx context.Context, c directory.Caller, a Action, t Target, cause error) error {
	_, err := through(ctx, s, c, a, t, func(*visit) (func() (struct{}, error), error) { return nil, cause })
	return err
}

// admit checks what the action's rule asks for.
func (s *Service) admit(ctx context.Context, v *visit) error {
	r, ok := rules[v.action]
	if !ok {
		return fault.New(fault.Internal, "no rule for %s", v.action)
	}
	if v.vault.Suspended {
		return errSuspended(v.vault)
	}
	if why := v.vault.Network.KeepsOut(v.caller); why != "" {
		return errNetwork(why, v.caller, v.vault)
	}
	if err := s.permit(ctx, v, r); err != nil {
		return err
	}
	err := s.look(ctx, v, r.subject)
	if err != nil && undecided(err) {
		return err
	}
	if e := s.charge(v); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	return usable(v.key, r, v.now)
}

// look checks that what the request names is there.
func (s *Service) look(ctx context.Context, v *visit, want subject) error {
	if want == theVault {
		return nil
	}
	if err := naming.CheckKey(v.target.Name); err != nil {
		return err
	}
	if v.target.Version != "" && !naming.IsVersion(v.target.Version) {
		return fault.New(fault.Invalid, "The request URI contains an invalid version")
	}
	return s.find(ctx, v, want)
}

// find reads the key and checks that it is live or deleted, as the subject wants it.
func (s *Service) find(ctx context.Context, v *visit, want subject) error {
	k, m, err := s.store.Key(ctx, v.vault.Tenant, v.vault.Name, v.target.Name, v.target.Version)
	missing := fault.Is(err, fault.NotFound)
	if err != nil && !missing {
		return err
	}
	switch {
	case want == theName && missing:
		return nil
	case want == theName && k.IsDeleted():
		return errNameHeld(k.Name)
	case want == theKey && (missing || k.IsDeleted()):
		return errKeyNotFound(v.target.Name, v.target.Version)
	case want == theDeleted && (missing || !k.IsDeleted()):
		return errDeletedNotFound(v.target.Name)
	}
	v.key, v.material = k.in(v.vault), m
	return nil
}

// usable checks a version's state against what a rule needs (KV-92). Rules without a key
// operation have no more needs.
func usable(k Key, r rule, now time.Time) error {
	if r.op == "" {
		return nil
	}
	refuse := func(reason, format string) error {
		return fault.New(fault.Forbidden, format, r.op).WithReason(reason)
	}
	switch {
	case !k.Enabled:
		return refuse(ReasonKeyDisabled, "Operation %s is not allowed on a disabled key")
	case r.inWindow && now.Before(k.NotBefore):
		return refuse(ReasonNotYetValid, "Operation %s is not allowed on a key that is not yet valid")
	case r.inWindow && !k.Expires.IsZero() && !now.Before(k.Expires):
		return refuse(ReasonExpired, "Operation %s is not allowed on an expired key")
	case !contains(k.Ops, r.op):
		return refuse(ReasonOperation, "Operation %s is not permitted on this key")
	}
	return nil
}

// object is how the log names what a request was about: the key id without the host, which
// may change. Names that break the rules, and may be of any length, stay out.
func object(v Vault, t Target) string {
	switch {
	case !naming.IsKey(t.Name):
		return v.Name + "/keys"
	case !naming.IsVersion(t.Version):
		return v.Name + "/keys/" + t.Name
	}
	return v.Name + "/keys/" + t.Name + "/" + t.Version
}

// objectOf is the object of a version that is known.
func (v *visit) objectOf(k Key) string {
	return object(v.vault, Target{Name: k.Name, Version: k.Version})
}
