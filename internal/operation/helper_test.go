package operation_test

import (
	"context"
	"crypto/fips140"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const tenant = "11111111-1111-4111-8111-111111111111"

// bubble runs fn under virtual time with a real SQLite file.
func bubble(t *testing.T, fn func(t *testing.T, rows *store.Operation)) {
	t.Parallel()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, func(t *testing.T) {
		fn(t, store.NewOperation(storetest.SQLite(t, store.ServiceAreas()...)))
	})
}

func mustNew(t *testing.T, c operation.Config) *operation.Runner {
	t.Helper()
	r, err := operation.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// running runs r until the returned function is called, which waits for its end.
func running(t *testing.T, r *operation.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func mustStart(t *testing.T, r *operation.Runner, kind string) operation.Operation {
	t.Helper()
	op, err := r.Start(t.Context(), operation.Operation{Tenant: tenant, Kind: kind, Subject: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func mustGet(t *testing.T, r *operation.Runner, op operation.Operation) operation.Operation {
	t.Helper()
	op, err := r.Get(t.Context(), op.Tenant, op.ID)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func wantState(t *testing.T, r *operation.Runner, op operation.Operation, want operation.State) operation.Operation {
	t.Helper()
	got := mustGet(t, r, op)
	if got.State != want {
		t.Fatalf("state = %q (error %q), want %q", got.State, got.Error, want)
	}
	return got
}

// step saves "n+1" after the checkpoint "n".
func step(ctx context.Context, run *operation.Run, total int64) error {
	n, _ := strconv.ParseInt(run.Op.Checkpoint, 10, 64) // "" at the start
	return run.Save(ctx, strconv.FormatInt(n+1, 10), n+1, total)
}

// A cable can be pulled: from then on the store cannot be reached through it.
type cable struct {
	operation.Store
	pulled atomic.Bool
}

func (c *cable) check() error {
	if c.pulled.Load() {
		return fault.New(fault.Unavailable, "the database cannot be reached")
	}
	return nil
}

func (c *cable) Claim(ctx context.Context, q operation.Claim) (operation.Operation, bool, error) {
	if err := c.check(); err != nil {
		return operation.Operation{}, false, err
	}
	return c.Store.Claim(ctx, q)
}

func (c *cable) Extend(ctx context.Context, tenant, id string, fence int64, until time.Time) (operation.Wish, error) {
	if err := c.check(); err != nil {
		return operation.Wish{}, err
	}
	return c.Store.Extend(ctx, tenant, id, fence, until)
}

func (c *cable) Settle(ctx context.Context, o operation.Outcome) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.Store.Settle(ctx, o)
}
