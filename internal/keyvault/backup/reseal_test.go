package backup_test

import (
	"context"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	seals "github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// keeper keeps sealing keys in memory.
type keeper struct{ *seals.Seal }

func (k keeper) Renew(context.Context, string) error {
	k.Seal.Renew(envelope.NewKey())
	return nil
}

func (k keeper) Retire(_ context.Context, _ string, ids []seals.ID) error {
	for _, id := range ids {
		k.Seal.Retire(id)
	}
	return nil
}

// TestSealIsRotated holds KV-75: what was backed up before the sealing key was replaced opens
// after it is destroyed, and the backups are the same bytes.
func TestSealIsRotated(t *testing.T) {
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		first := s.mustSeal("one")
		s.now = s.now.Add(backup.Life)
		second := s.mustSeal("two")

		under := seals.Of(s.seal)
		r, err := seals.NewRotator(seals.RotatorConfig{
			Areas:  []seals.Area{{Name: "vault", Seal: under, Shelves: []seals.Shelf{backup.Shelf(store.SealedBackupKeys(db))}}},
			Keeper: keeper{under}, Gate: new(seals.Gate), Record: func(context.Context, string, []seals.ID) error { return nil },
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
		for r.Progress()[0].Stage != seals.Idle && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		stop()
		<-ended
		if !s.seal.IsZero() || len(under.Former()) != 0 {
			t.Fatal("the old sealing key is still there")
		}
		after, err := backup.New(backup.Config{Store: store.NewKeyVault(db), Seal: under, Now: func() time.Time { return s.now }})
		if err != nil {
			t.Fatal(err)
		}
		for want, blob := range map[string][]byte{"one": first, "two": second} {
			if _, content, err := after.Open(t.Context(), blob); err != nil || string(content) != want {
				t.Errorf("%s: %q, %v", want, content, err)
			}
		}
	})
}
