package keyvault_test

import (
	"context"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestHookShelf: what a webhook's secrets are sealed with, names in any case, is what the shelf
// re-seals them with.
func TestHookShelf(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, store.VaultAreas()...)
	world := newStage(t, db)
	kept, s := store.NewKeyVault(db), seal.Of(envelope.NewKey())
	hook := keyvault.Hook{Tenant: world.Tenant, Vault: "Contoso-East", Name: "To-Us", Created: time.Unix(1, 0), Updated: time.Unix(1, 0)}
	bound := envelope.Bind("webhook 1", world.Tenant, "contoso-east", "to-us")
	sealed, err := s.Seal(bound, []byte("secrets"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.PutHook(t.Context(), keyvault.HookRow{Hook: hook, Sealed: sealed}); err != nil {
		t.Fatal(err)
	}
	r, err := seal.NewRotator(seal.RotatorConfig{
		Areas:  []seal.Area{{Name: "vault", Seal: s, Shelves: []seal.Shelf{keyvault.HookShelf(store.SealedHooks(db))}}},
		Keeper: renewing{s}, Gate: new(seal.Gate), Record: func(context.Context, string, []seal.ID) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Rotate(t.Context(), "vault"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	for r.Progress()[0].Stage == seal.Moving || r.Progress()[0].Stage == seal.Waiting {
		time.Sleep(time.Millisecond)
	}
	stop()
	<-ended
	row, err := kept.Hook(t.Context(), world.Tenant, "contoso-east", "to-us")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := s.Open(bound, row.Sealed)
	if err != nil || string(plain) != "secrets" || !s.Fresh(row.Sealed) || len(s.Former()) != 0 {
		t.Errorf("%q, %v, fresh %v; %+v", plain, err, s.Fresh(row.Sealed), r.Progress())
	}
}

// renewing keeps sealing keys in memory.
type renewing struct{ *seal.Seal }

func (k renewing) Renew(context.Context, string) error {
	k.Seal.Renew(envelope.NewKey())
	return nil
}

func (k renewing) Retire(_ context.Context, _ string, ids []seal.ID) error {
	for _, id := range ids {
		k.Seal.Retire(id)
	}
	return nil
}
