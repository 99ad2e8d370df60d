package workloadtest

import (
	"context"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// Admin administers policies of every family and reaches no content.
var Admin = directory.Caller{
	Tenant: Contoso, ID: "ad000000-0000-4000-8000-000000000007", Kind: directory.User, Roles: []directory.Role{directory.GlobalAdministrator},
}

// MustReencrypt has a container encrypted anew and waits for the end.
func (w *World) MustReencrypt(t testing.TB, ref workload.Ref) operation.Operation {
	t.Helper()
	op, err := w.Items.Reencrypt(t.Context(), Admin, workload.Scope{Container: workload.Ref{Workload: ref.Workload, Container: ref.Container}})
	must(t, err)
	return w.Finish(t, op)
}

// Finish runs long work until an operation is final, and returns it.
func (w *World) Finish(t testing.TB, op operation.Operation) operation.Operation {
	t.Helper()
	stop := w.Work(t)
	defer stop()
	for range 3000 {
		now, err := w.Runner.Get(t.Context(), op.Tenant, op.ID)
		must(t, err)
		if now.State.Final() {
			return now
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the operation does not end")
	return op
}

// Work runs long work until the returned function is called, which waits for its end.
func (w *World) Work(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Runner.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// KeyVersions returns the versions of the key of an item's container that are there.
func (w *World) KeyVersions(t testing.TB, tenant string, ref workload.Ref) (versions []int) {
	t.Helper()
	rows := store.NewWorkload(w.DB)
	c, err := rows.Container(t.Context(), tenant, ref.Workload, ref.Container)
	must(t, err)
	keys, err := rows.Versions(t.Context(), tenant, c.ID)
	must(t, err)
	for _, k := range keys {
		versions = append(versions, k.Version)
	}
	return versions
}
