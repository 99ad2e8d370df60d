package hierarchy

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// tries bounds how often work that lost a race starts again.
const tries = 8

// ForSealing opens the key that new content of a container is sealed under: its newest
// version, made if there is none. A version under an older generation of the target's policy
// is moved under the target first. One under another policy is moved too, unless the target
// is for new data only: then a new version is started under the target.
//
// Errors are those of [Keyring.Lease], and fault.Conflict with ReasonGenerationMoved if the
// target is not active any more: ask for the target again.
func (k *Keyring) ForSealing(ctx context.Context, caller directory.Caller, c Container, target Target) (*Opened, error) {
	if err := belongs(caller, c.Tenant); err != nil {
		return nil, err
	}
	if err := k.shut(c, target); err != nil {
		return nil, err
	}
	for range tries {
		row, err := k.c.Store.ContainerKey(ctx, c.Tenant, c.ID, 0)
		var o *Opened
		switch {
		case fault.Is(err, fault.NotFound):
			o, err = k.start(ctx, caller, c, 1, target)
		case err != nil:
		case k.gone(row), row.Version < c.Floor: // its content is gone, or stays behind; what comes is new
			o, err = k.start(ctx, caller, c, row.Version+1, target)
		case row.Generation == target.Generation:
			o, err = k.open(ctx, caller, row)
		case row.Policy != target.Policy && target.NewDataOnly:
			o, err = k.start(ctx, caller, c, row.Version+1, target)
		default:
			o, err = k.move(ctx, caller, row, target)
		}
		if !lostRace(err) {
			return o, err
		}
	}
	return nil, errBusy().WithReason(ReasonGenerationMoved) // the target itself is gone, or never at rest
}

// Renew starts a new version of a container's key under the target, whatever the newest one is
// under, and opens it: new content is sealed under it from then on. What lies under older
// versions stays there. Errors are those of [Keyring.ForSealing].
func (k *Keyring) Renew(ctx context.Context, caller directory.Caller, c Container, target Target) (*Opened, error) {
	if err := belongs(caller, c.Tenant); err != nil {
		return nil, err
	}
	if err := k.shut(c, target); err != nil {
		return nil, err
	}
	for range tries {
		row, err := k.c.Store.ContainerKey(ctx, c.Tenant, c.ID, 0)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		o, err := k.start(ctx, caller, c, row.Version+1, target)
		if !lostRace(err) {
			return o, err
		}
	}
	return nil, errBusy().WithReason(ReasonGenerationMoved)
}

// ForOpening opens a version of a container's key, the newest for version 0, under whichever
// generation it is now. The error is fault.NotFound if the container has no such version.
func (k *Keyring) ForOpening(ctx context.Context, caller directory.Caller, c Container, version int) (*Opened, error) {
	if err := belongs(caller, c.Tenant); err != nil {
		return nil, err
	}
	if k.c.Purged.Key(c.Tenant, c.ID, version) {
		return nil, ErrPurged()
	}
	generation := ""
	for range tries {
		row, err := k.c.Store.ContainerKey(ctx, c.Tenant, c.ID, version)
		if err != nil {
			return nil, err
		}
		o, err := k.open(ctx, caller, row)
		if !isReason(err, ReasonGenerationDestroyed) || row.Generation == generation {
			return o, err
		}
		generation = row.Generation // it was moved away and destroyed since the row was read
	}
	return nil, errBusy()
}

// Rewrap returns the container key as it is wrapped under the generation to. It stores
// nothing: the background job writes many at once, with its checkpoint.
func (k *Keyring) Rewrap(ctx context.Context, caller directory.Caller, key ContainerKey, to Generation) (ContainerKey, error) {
	if err := belongs(caller, key.Tenant); err != nil {
		return ContainerKey{}, err
	}
	if to.Tenant != key.Tenant {
		return ContainerKey{}, fault.New(fault.Internal, "a container key and its new generation are of different tenants")
	}
	clear, _, err := k.unwrapContainer(ctx, caller, key)
	if err != nil {
		return ContainerKey{}, err
	}
	defer clear.Destroy()
	key.Policy, key.Generation = to.Policy, to.ID
	_, err = k.wrapContainer(ctx, caller, &key, clear)
	return key, err
}

// start makes a version of a container's key under the target.
func (k *Keyring) start(ctx context.Context, caller directory.Caller, c Container, version int, target Target) (*Opened, error) {
	row := ContainerKey{
		Tenant: c.Tenant, Container: c.ID, Version: max(version, c.Floor), Workload: c.Workload, Geo: c.Geo,
		Policy: target.Policy, Generation: target.Generation, Created: k.c.Now().UTC().Truncate(time.Microsecond),
	}
	for k.purgedKey(row) != nil { // a version is never used twice, also when its row is gone
		if err := k.shut(c, target); err != nil { // the whole container, a moment ago: no version is left
			return nil, err
		}
		row.Version++
	}
	clear := envelope.NewKey()
	lease, err := k.wrapContainer(ctx, caller, &row, clear)
	if err == nil {
		err = k.c.Store.AddContainerKey(ctx, row)
	}
	return k.opened(caller, row, clear, lease, err)
}

// move puts a version under the target.
func (k *Keyring) move(ctx context.Context, caller directory.Caller, row ContainerKey, target Target) (*Opened, error) {
	clear, _, err := k.unwrapContainer(ctx, caller, row)
	if err != nil {
		return nil, err
	}
	from := row.Generation
	row.Policy, row.Generation = target.Policy, target.Generation
	lease, err := k.wrapContainer(ctx, caller, &row, clear)
	if err == nil {
		err = k.c.Store.MoveContainerKey(ctx, row, from)
	}
	return k.opened(caller, row, clear, lease, err)
}

// open opens a version where it is.
func (k *Keyring) open(ctx context.Context, caller directory.Caller, row ContainerKey) (*Opened, error) {
	clear, lease, err := k.unwrapContainer(ctx, caller, row)
	return k.opened(caller, row, clear, lease, err)
}

// opened returns an open key, or overwrites it on an error.
func (k *Keyring) opened(caller directory.Caller, row ContainerKey, clear envelope.Key, lease *Lease, err error) (*Opened, error) {
	if err != nil {
		clear.Destroy()
		return nil, err
	}
	return &Opened{keyring: k, caller: caller, row: row, clear: clear, lease: lease}, nil
}

// unwrapContainer unwraps a container key with the policy key of its generation.
func (k *Keyring) unwrapContainer(ctx context.Context, caller directory.Caller, row ContainerKey) (clear envelope.Key, lease *Lease, err error) {
	if err := k.purgedKey(row); err != nil {
		return clear, nil, err
	}
	lease, err = k.under(ctx, caller, generationID{row.Tenant, row.Generation}, keysUnwrapped, func(policyKey envelope.Key) (err error) {
		clear, err = envelope.UnwrapKey(policyKey, row.Wrapped, containerBinding(row))
		return err
	})
	if fault.Is(err, fault.Corrupt) {
		err = fault.Wrap(fault.Corrupt, err, "version %d of the container's key does not open", row.Version).
			WithHint("its row was changed or moved: put back the row from a backup of the database")
	}
	return clear, lease, err
}

// wrapContainer wraps a container key with the policy key of the generation that row names.
func (k *Keyring) wrapContainer(ctx context.Context, caller directory.Caller, row *ContainerKey, clear envelope.Key) (*Lease, error) {
	return k.under(ctx, caller, generationID{row.Tenant, row.Generation}, keysWrapped, func(policyKey envelope.Key) (err error) {
		row.Wrapped, err = envelope.WrapKey(policyKey, clear, containerBinding(*row))
		return err
	})
}

// under runs fn with the policy key of a generation, under a lease that is in force.
func (k *Keyring) under(ctx context.Context, caller directory.Caller, id generationID, what counter, fn func(policyKey envelope.Key) error) (*Lease, error) {
	for range tries {
		lease, err := k.lease(ctx, caller, id)
		if err != nil {
			return nil, err
		}
		if ran, err := lease.do(k.c.Now(), what, fn); ran {
			return lease, err
		}
	}
	return nil, errRestless()
}

// lostRace reports whether another one changed the container's key first: made it, moved it,
// or moved it and destroyed the generation that it was under.
func lostRace(err error) bool {
	return isReason(err, ReasonKeyExists) || isReason(err, ReasonKeyMoved) || isReason(err, ReasonGenerationDestroyed)
}

func isReason(err error, reason string) bool {
	var e *fault.Error
	return errors.As(err, &e) && e.Reason == reason
}

func errBusy() *fault.Error {
	return fault.New(fault.Conflict, "the container's key changes too fast").WithHint("try again")
}
