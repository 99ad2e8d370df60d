package store

import (
	"context"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// Move implements policy.Store.
func (s *Policy) Move(ctx context.Context, moves []policy.Move, f operation.Fence) (left int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := SaveOperation(ctx, q, f); err != nil {
			return err
		}
		b := batch{q: q, gen: hierarchysql.New(q), active: map[string]bool{}, counts: tally{}}
		if err := b.move(ctx, moves); err != nil {
			return err
		}
		left = len(moves) - b.moved
		return b.counts.write(ctx, q, f.Tenant)
	})
	return left, err
}

// A batch is many moves in one transaction.
type batch struct {
	q      DBTX
	gen    *hierarchysql.Queries
	active map[string]bool // generations that were asked about
	counts tally
	moved  int
}

func (b *batch) move(ctx context.Context, moves []policy.Move) error {
	owns, err := b.owns(ctx, moves)
	if err != nil {
		return err
	}
	for _, m := range moves {
		active, err := b.isActive(ctx, m.Key)
		if err != nil {
			return err
		}
		if !active {
			continue
		}
		n, err := b.gen.MoveContainerKey(ctx, hierarchysql.MoveContainerKeyParams{
			Wrapped: m.Key.Wrapped, PolicyID: m.Key.Policy, GenerationID: m.Key.Generation,
			TenantID: m.Key.Tenant, ContainerID: m.Key.Container, Version: int64(m.Key.Version), FromGeneration: m.From.Generation,
		})
		if err != nil {
			return err
		}
		if n == 0 { // somebody else came first
			continue
		}
		b.moved++
		b.counts.add(m.From, owns[m.Key.Container], -1)
		b.counts.add(m.Key, owns[m.Key.Container], 1)
	}
	return nil
}

// isActive reports whether keys may come under the generation of k. Both engines run writes
// one after the other, so it stays true until the commit.
func (b *batch) isActive(ctx context.Context, k hierarchy.ContainerKey) (bool, error) {
	if active, asked := b.active[k.Generation]; asked {
		return active, nil
	}
	err := wantActive(ctx, b.gen, k)
	if err != nil && !fault.Is(err, fault.Conflict) {
		return false, err
	}
	b.active[k.Generation] = err == nil
	return err == nil, nil
}

// owns returns the policies that the containers of the moves have for themselves.
func (b *batch) owns(ctx context.Context, moves []policy.Move) (map[string]string, error) {
	if len(moves) == 0 {
		return nil, nil
	}
	byContainer := func(x, y policy.Move) int { return strings.Compare(x.Key.Container, y.Key.Container) }
	first, last := slices.MinFunc(moves, byContainer).Key, slices.MaxFunc(moves, byContainer).Key
	rows, err := policysql.New(b.q).ListOwn(ctx, policysql.ListOwnParams{TenantID: first.Tenant, First: first.Container, Last: last.Container})
	owns := make(map[string]string, len(rows))
	for _, row := range rows {
		owns[row.ContainerID] = row.PolicyID
	}
	return owns, err
}
