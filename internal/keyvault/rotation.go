package keyvault

import (
	"context"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A RotationPolicy says when versions of a key expire and what to do before. Durations are ISO
// 8601, of whole years, months, weeks and days. Its JSON is stored, in rows and in backups.
type RotationPolicy struct {
	Expiry  string           `json:"expiry,omitempty"` // from creation, of versions that RotateKey makes; "" for none
	Actions []LifetimeAction `json:"actions,omitempty"`
	Created time.Time        `json:"created,omitzero"` // zero for the default, which was never set
	Updated time.Time        `json:"updated,omitzero"`
}

// A LifetimeAction is one thing to do and when: exactly one of the two durations is set.
type LifetimeAction struct {
	Type         string `json:"type"` // "Rotate" or "Notify"
	AfterCreate  string `json:"after_create,omitempty"`
	BeforeExpiry string `json:"before_expiry,omitempty"`
}

// defaultRotation is KV-80.
func defaultRotation() RotationPolicy {
	return RotationPolicy{Actions: []LifetimeAction{{Type: "Notify", BeforeExpiry: "P30D"}}}
}

// RotationPolicy returns a key's policy, or the default one.
func (s *Service) RotationPolicy(ctx context.Context, c directory.Caller, vault, name string) (Key, RotationPolicy, error) {
	var p RotationPolicy
	k, err := through(ctx, s, c, GetRotation, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		return func() (k Key, err error) {
			p, err = s.rotation(ctx, v.key)
			if p.Updated.IsZero() {
				p = defaultRotation()
			}
			return v.key, err
		}, nil
	})
	return k, p, err
}

// SetRotationPolicy replaces a key's policy. Versions that are there keep their expiry.
func (s *Service) SetRotationPolicy(ctx context.Context, c directory.Caller, vault, name string, p RotationPolicy) (Key, RotationPolicy, error) {
	k, err := again(func() (Key, error) {
		return through(ctx, s, c, SetRotation, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
			if err := p.check(); err != nil {
				return nil, err
			}
			old, err := s.rotation(ctx, v.key)
			if err != nil {
				return nil, err
			}
			p.Created, p.Updated = old.Created, later(v.now, old.Updated)
			if p.Created.IsZero() {
				p.Created = v.now
			}
			p.describe(v)
			return func() (Key, error) {
				err := s.store.SetRotation(ctx, v.key.Tenant, v.key.Vault, v.key.Name, p, old.Updated)
				if fault.Is(err, fault.NotFound) { // deleted meanwhile
					err = errKeyNotFound(name, "")
				}
				return v.key, err
			}, nil
		})
	})
	return k, p, err
}

// rotation reads the policy of a live key; the zero one if none was set.
func (s *Service) rotation(ctx context.Context, k Key) (RotationPolicy, error) {
	p, err := s.store.Rotation(ctx, k.Tenant, k.Vault, k.Name)
	if fault.Is(err, fault.NotFound) {
		return p, errKeyNotFound(k.Name, "")
	}
	return p, err
}

// check holds a policy to the limits of KV-79.
func (p RotationPolicy) check() error {
	if p.Expiry != "" {
		if err := checkDuration("expiryTime", p.Expiry, 28); err != nil {
			return err
		}
	}
	var types []string
	for _, a := range p.Actions {
		if a.Type != "Rotate" && a.Type != "Notify" || slices.Contains(types, a.Type) {
			return naming.Invalid("lifetimeActions.action.type").WithHint("At most one Rotate and one Notify.")
		}
		types = append(types, a.Type)
		switch {
		case (a.AfterCreate == "") == (a.BeforeExpiry == ""):
			return naming.Invalid("lifetimeActions.trigger").WithHint("A trigger has either timeAfterCreate or timeBeforeExpiry.")
		case a.AfterCreate != "":
			if err := checkDuration("timeAfterCreate", a.AfterCreate, 7); err != nil {
				return err
			}
		default:
			if err := checkDuration("timeBeforeExpiry", a.BeforeExpiry, 7); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDuration(name, text string, days int) error {
	d, ok := parseDuration(text)
	if !ok || d.atLeast() < days {
		return naming.Invalid(name).WithHint("It is an ISO 8601 duration of whole days or more, such as P90D or P2Y, and at least %d days.", days)
	}
	return nil
}

func (p RotationPolicy) describe(v *visit) {
	v.note("expiry", p.Expiry)
	for _, a := range p.Actions {
		v.note(naming.Fold(a.Type), a.AfterCreate+a.BeforeExpiry)
	}
}
