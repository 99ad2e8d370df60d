package keyvault

import (
	"context"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A KeyChange is what to change of a version. Nil members stay as they are; an empty Ops
// allows nothing, empty Tags remove all.
type KeyChange struct {
	Ops           []string
	Attributes    Attributes
	Tags          map[string]string
	Exportable    bool // refused, KV-53
	ReleasePolicy bool // refused, KV-53
}

// UpdateKey changes a version, the newest if version is "". Others stay as they are (KV-56).
func (s *Service) UpdateKey(ctx context.Context, c directory.Caller, vault, name, version string, change KeyChange) (Key, error) {
	return again(func() (Key, error) {
		return through(ctx, s, c, UpdateKey, at(vault, name, version), func(v *visit) (func() (Key, error), error) {
			k := v.key
			if err := change.apply(&k); err != nil {
				return nil, err
			}
			k.Updated = later(v.now, v.key.Updated)
			v.entry.Object = v.objectOf(k)
			change.describe(v)
			return func() (Key, error) { return k, s.setVersion(ctx, k, v.key) }, nil
		})
	})
}

func (s *Service) setVersion(ctx context.Context, k, was Key) error {
	events := usesChanged(was, k)
	err := s.tell(s.store.SetVersion(ctx, k, was.Updated, events...), events...)
	if fault.Is(err, fault.NotFound) { // deleted meanwhile
		return errKeyNotFound(k.Name, k.Version)
	}
	return err
}

func (change KeyChange) apply(k *Key) error {
	if change.Exportable || change.ReleasePolicy {
		return fault.New(fault.Invalid, "Non-exportable keys must not have release policy")
	}
	if change.Ops != nil {
		k.Ops = change.Ops
	}
	if change.Tags != nil {
		k.Tags = change.Tags
	}
	if err := checkOps(k.Ops); err != nil {
		return err
	}
	if err := naming.CheckTags(k.Tags); err != nil {
		return err
	}
	return change.Attributes.apply(k)
}

// describe records what an update does: taking keys away and giving them back is what an
// auditor looks for.
func (change KeyChange) describe(v *visit) {
	if e := change.Attributes.Enabled; e != nil {
		v.note("enabled", strconv.FormatBool(*e))
	}
	if t := change.Attributes.NotBefore; t != nil {
		v.note("nbf", t.UTC().Format(time.RFC3339))
	}
	if t := change.Attributes.Expires; t != nil {
		v.note("exp", t.UTC().Format(time.RFC3339))
	}
	if change.Ops != nil {
		v.note("key_ops", joined(change.Ops))
	}
	if change.Tags != nil {
		v.note("tags", "replaced")
	}
}

// later is now, or just after was where the clock has not moved on or was set back: the time
// of the last change also tells two changes apart.
func later(now, was time.Time) time.Time {
	if now.After(was) {
		return now
	}
	return was.Add(time.Microsecond)
}
