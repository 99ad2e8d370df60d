package hierarchy

import (
	"context"
	"sync"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An Opened is one version of a container's key, open for one caller. It is good while a
// lease on its generation is: each use asks. It is safe for concurrent use; Close it.
type Opened struct {
	keyring *Keyring
	caller  directory.Caller
	row     ContainerKey // as it was when opened; the lease knows the generation of now
	clear   envelope.Key

	mu    sync.Mutex
	lease *Lease
}

// Version returns the version of the container's key, to be kept with each item key.
func (o *Opened) Version() int { return o.row.Version }

// NewItemKey makes an item key, and wraps it with associated data that must name tenant,
// container, item and version. The caller destroys the key. One sealed item is counted.
// The error is fault.Unavailable if the lease has ended.
func (o *Opened) NewItemKey(aad []byte) (key envelope.Key, wrapped []byte, err error) {
	key = envelope.NewKey()
	if wrapped, err = o.WrapItemKey(key, aad); err != nil {
		key.Destroy()
		return envelope.Key{}, nil, err
	}
	return key, wrapped, nil
}

// WrapItemKey wraps an item key that another version of the same container's key gave out and
// that was never stored, as NewItemKey does with a new one.
func (o *Opened) WrapItemKey(key envelope.Key, aad []byte) (wrapped []byte, err error) {
	err = o.use(itemsSealed, func() (err error) {
		wrapped, err = envelope.WrapKey(o.clear, key, aad)
		return err
	})
	return wrapped, err
}

// ItemKey unwraps what NewItemKey made; fault.Corrupt if it was changed or moved. The caller
// destroys the key. One opened item is counted.
func (o *Opened) ItemKey(wrapped, aad []byte) (key envelope.Key, err error) {
	err = o.use(itemsOpened, func() (err error) {
		key, err = envelope.UnwrapKey(o.clear, wrapped, aad)
		return err
	})
	return key, err
}

// use runs fn under the lease in force, without waiting for one: the key was opened a moment
// ago, and who holds it for longer asks Alive.
func (o *Opened) use(what counter, fn func() error) error {
	now := o.keyring.c.Now()
	run := func(l *Lease) (bool, error) {
		return l.do(now, what, func(envelope.Key) error { return fn() })
	}
	lease := o.current()
	if ran, err := run(lease); ran {
		return err
	}
	if lease = o.keyring.inForce(o.caller, lease.of); lease != nil {
		if ran, err := run(lease); ran {
			o.keep(lease)
			return err
		}
	}
	return fault.New(fault.Unavailable, "the lease on the policy key has ended").WithReason("LeaseEnded").WithHint("try again")
}

// Alive asks whether the key may still be used, renewing the lease where it must. Whoever
// streams for long calls it before each segment, and stops at an error: those of
// [Keyring.Lease]. It follows the key where it was moved meanwhile.
func (o *Opened) Alive(ctx context.Context) error {
	if o.keyring.c.Purged.Key(o.row.Tenant, o.row.Container, o.row.Version) {
		return ErrPurged()
	}
	lease, now := o.current(), o.keyring.c.Now()
	if lease.usable(now) && !lease.late(now) && !lease.stale.Load() {
		return nil
	}
	renewed, err := o.keyring.lease(ctx, o.caller, lease.of)
	if err == nil {
		o.keep(renewed)
		return nil
	}
	if ctx.Err() != nil || !o.moved(ctx) {
		return err
	}
	return nil
}

// moved looks whether the key is under another generation by now, and if so opens it there. If
// its version has been destroyed, the newest one says whether the container's content may
// still be used.
func (o *Opened) moved(ctx context.Context) bool {
	k := o.keyring
	row, err := k.c.Store.ContainerKey(ctx, o.row.Tenant, o.row.Container, o.row.Version)
	gone := fault.Is(err, fault.NotFound)
	if gone {
		row, err = k.c.Store.ContainerKey(ctx, o.row.Tenant, o.row.Container, 0)
	}
	if err != nil || row.Generation == o.current().of.id {
		return false
	}
	clear, lease, err := k.unwrapContainer(ctx, o.caller, row)
	defer clear.Destroy()
	if err != nil || !gone && !clear.Equal(o.clear) {
		return false
	}
	o.keep(lease)
	return true
}

// Close overwrites the key. Item keys that it gave out live on.
func (o *Opened) Close() { o.clear.Destroy() }

func (o *Opened) current() *Lease {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lease
}

func (o *Opened) keep(lease *Lease) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lease = lease
}

// inForce returns the lease that serves the caller now, nil if there is none.
func (k *Keyring) inForce(caller directory.Caller, id generationID) *Lease {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	return k.serving(audienceOf(caller), id, k.c.Now())
}
