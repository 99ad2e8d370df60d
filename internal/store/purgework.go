package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/purge"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	purgesql "github.com/customerkey/customerkey/internal/store/gen/purge"
)

// DestroyPolicy implements policy.PurgeStore.
func (s *Purge) DestroyPolicy(ctx context.Context, id string, f operation.Fence) error {
	return s.fenced(ctx, f, func(ctx context.Context, q *purgesql.Queries) error {
		err := q.ShredGenerations(ctx, purgesql.ShredGenerationsParams{Nothing: []byte{}, DestroyedAt: micros(f.At), TenantID: f.Tenant, PolicyID: id})
		if err != nil {
			return err
		}
		if err := q.ClearAllInForce(ctx, purgesql.ClearAllInForceParams{TenantID: f.Tenant, PolicyID: id}); err != nil {
			return err
		}
		return q.PurgePolicy(ctx, purgesql.PurgePolicyParams{UpdatedAt: micros(f.At), TenantID: f.Tenant, ID: id})
	})
}

// DestroyKeys implements policy.PurgeStore.
func (s *Purge) DestroyKeys(ctx context.Context, id string, keys []purge.Key, limit int, f operation.Fence) (more bool, err error) {
	err = s.within(ctx, f, func(ctx context.Context, tx DBTX) error {
		q := purgesql.New(tx)
		d := destroyer{tx: tx, q: q, f: f, left: limit, tally: tally{}}
		for _, k := range keys {
			if err := d.destroy(ctx, k); err != nil {
				return err
			}
			if more = d.left == 0; more {
				break
			}
		}
		if err := d.tally.write(ctx, tx, f.Tenant); err != nil {
			return err
		}
		return q.AddGone(ctx, purgesql.AddGoneParams{KeysGone: d.keys, ItemsGone: d.items, BytesGone: d.bytes, TenantID: f.Tenant, PolicyID: id})
	})
	return more && err == nil, err
}

// A destroyer destroys in one transaction, and counts.
type destroyer struct {
	tx                 DBTX
	tally              tally
	q                  *purgesql.Queries
	f                  operation.Fence
	left               int
	keys, items, bytes int64
}

// destroy destroys one key: first nothing can be written under it any more, then the rows of the
// items under it go, with the only copies of their keys, and last its own row, by which the next
// call finds what is left. The blobs are left to the sweep.
func (d *destroyer) destroy(ctx context.Context, k purge.Key) error {
	version := int64(k.Version)
	if err := d.q.AddPurged(ctx, purgesql.AddPurgedParams{TenantID: d.f.Tenant, ContainerID: k.Container, Version: version}); err != nil {
		return err
	}
	if version == 0 {
		return d.destroyAll(ctx, k)
	}
	if err := d.q.DropSecret(ctx, purgesql.DropSecretParams{TenantID: d.f.Tenant, ContainerID: k.Container, SecretVersion: version}); err != nil {
		return err
	}
	rows, err := d.q.ListItemsUnder(ctx, purgesql.ListItemsUnderParams{TenantID: d.f.Tenant, ContainerID: k.Container, KeyVersion: version, Most: int64(d.left)})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := d.drop(ctx, k, row); err != nil {
			return err
		}
	}
	if d.left -= len(rows); d.left == 0 {
		return nil
	}
	return d.dropKey(ctx, k)
}

// destroyAll destroys every version of a container's key.
func (d *destroyer) destroyAll(ctx context.Context, whole purge.Key) error {
	rows, err := containerKeyVersions(ctx, d.tx, d.f.Tenant, whole.Container)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if d.left == 0 {
			return nil
		}
		if err := d.destroy(ctx, purge.Key{Container: row.Container, Version: row.Version}); err != nil {
			return err
		}
	}
	return nil
}

// dropKey removes the row of a key, if it is there.
func (d *destroyer) dropKey(ctx context.Context, k purge.Key) error {
	row, err := getContainerKey(ctx, hierarchysql.New(d.tx), d.f.Tenant, k.Container, k.Version)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	own, err := ownPolicy(ctx, d.tx, d.f.Tenant, k.Container)
	if err != nil {
		return err
	}
	d.tally.add(row, own, -1)
	n, err := d.q.DropContainerKey(ctx, purgesql.DropContainerKeyParams{TenantID: d.f.Tenant, ContainerID: k.Container, Version: int64(k.Version)})
	d.keys += n
	return err
}

func (d *destroyer) drop(ctx context.Context, k purge.Key, row purgesql.ListItemsUnderRow) error {
	err := d.q.DropItem(ctx, purgesql.DropItemParams{TenantID: d.f.Tenant, ContainerID: k.Container, ItemID: row.ItemID})
	if err != nil {
		return err
	}
	d.items++
	d.bytes += row.Size
	return d.q.AddBlobIntent(ctx, purgesql.AddBlobIntentParams{TenantID: d.f.Tenant, BlobID: row.BlobID, DueAt: micros(d.f.At)})
}

// Done implements policy.PurgeStore.
func (s *Purge) Done(ctx context.Context, p purge.Purge, f operation.Fence) error {
	return s.fenced(ctx, f, func(ctx context.Context, q *purgesql.Queries) error {
		return q.FinishOrder(ctx, purgesql.FinishOrderParams{
			TenantID: p.Tenant, PolicyID: p.Policy, RequestID: p.Order.Request, Digest: p.Order.Digest, DoneAt: micros(f.At),
		})
	})
}
