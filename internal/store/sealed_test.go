package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// sealedCases are the tables of sealed things: five things are put in, of which List tells the parts.
var sealedCases = map[string]struct {
	areas func() []store.Area
	fill  func(t *testing.T, db *store.DB, sealed func(n int) []byte)
	rows  func(db *store.DB) seal.Rows
	parts [][]string
}{
	"handles": {
		areas: store.VaultAreas,
		fill: func(t *testing.T, db *store.DB, sealed func(int) []byte) {
			k := store.NewKeyVault(db)
			mustVault(t, k.PutSubscription(t.Context(), keyvault.Subscription{ID: "s", Tenant: "t", DisplayName: "S", Owner: "o", Created: vaultTime}))
			_, err := k.PutGroup(t.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "G", Created: vaultTime})
			mustVault(t, err)
			mustVault(t, k.AddVault(t.Context(), aVault("Vault")))
			n := 0
			for _, name := range []string{"a", "B", "c-d"} {
				for _, version := range []string{"x", "y"} {
					protector := "software"
					if name == "c-d" && version == "x" { // held elsewhere: not ours to seal
						protector = "token"
						mustVault(t, k.AddLoose(t.Context(), keyvault.Loose{
							ID:       protect.ID{Tenant: "t", Vault: "vault", Key: name, Version: version + name},
							Material: keyvault.Material{Protector: protector, Handle: sealed(n)}, Due: vaultTime.Add(time.Hour),
						}))
					}
					mustVault(t, k.AddVersion(t.Context(), aVaultKey(t, name, version+name), keyvault.Material{Protector: protector, Handle: sealed(n)}))
					if protector == "software" {
						n++
					}
				}
			}
		},
		rows:  func(db *store.DB) seal.Rows { return store.SealedHandles(db, "software") },
		parts: [][]string{{"t", "vault", "a", "xa"}, {"t", "vault", "a", "ya"}, {"t", "vault", "b", "xB"}, {"t", "vault", "b", "yB"}, {"t", "vault", "c-d", "yc-d"}},
	},
	"backup keys": {
		areas: store.VaultAreas,
		fill: func(t *testing.T, db *store.DB, sealed func(int) []byte) {
			for n := range 5 {
				mustVault(t, store.NewKeyVault(db).AddBackupKey(t.Context(), backup.Row{ID: fmt.Sprint(n), Created: vaultTime, Sealed: sealed(n)}))
			}
		},
		rows:  store.SealedBackupKeys,
		parts: [][]string{{"0"}, {"1"}, {"2"}, {"3"}, {"4"}},
	},
	"webhooks": {
		areas: store.VaultAreas,
		fill: func(t *testing.T, db *store.DB, sealed func(int) []byte) {
			k := store.NewKeyVault(db)
			mustVault(t, k.PutSubscription(t.Context(), keyvault.Subscription{ID: "s", Tenant: "t", DisplayName: "S", Owner: "o", Created: vaultTime}))
			_, err := k.PutGroup(t.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "G", Created: vaultTime})
			mustVault(t, err)
			for n := range 3 {
				mustVault(t, k.AddVault(t.Context(), aVault(fmt.Sprintf("V%d", n))))
			}
			for n := range 5 {
				_, err := k.PutHook(t.Context(), keyvault.HookRow{
					Hook: keyvault.Hook{Tenant: "t", Vault: fmt.Sprintf("V%d", n/2), Name: fmt.Sprintf("Hook-%d", n), Created: vaultTime, Updated: vaultTime}, Sealed: sealed(n),
				})
				mustVault(t, err)
			}
		},
		rows:  store.SealedHooks,
		parts: [][]string{{"t", "v0", "hook-0"}, {"t", "v0", "hook-1"}, {"t", "v1", "hook-2"}, {"t", "v1", "hook-3"}, {"t", "v2", "hook-4"}},
	},
	"issuer keys": {
		areas: store.ServiceAreas,
		fill: func(t *testing.T, db *store.DB, sealed func(int) []byte) {
			for n := range 5 {
				state := directory.RetiredKey
				if n == 0 {
					state = directory.CurrentKey
				}
				mustVault(t, store.NewDirectory(db).AddIssuerKey(t.Context(), directory.IssuerKey{ID: fmt.Sprint(n), State: state, Created: vaultTime, Sealed: sealed(n)}))
			}
		},
		rows:  store.SealedIssuerKeys,
		parts: [][]string{{"0"}, {"1"}, {"2"}, {"3"}, {"4"}},
	},
	"availability keys": {
		areas: store.AvailabilityAreas,
		fill: func(t *testing.T, db *store.DB, sealed func(int) []byte) {
			s := store.NewAvailability(db)
			for n := range 5 {
				f := availability.Facts{Kind: availability.PerPolicy, Tenant: fmt.Sprint(n / 2), Policy: "p", ID: fmt.Sprint(n), Created: vaultTime.Add(time.Duration(n) * time.Hour)}
				if n == 0 {
					f.Kind, f.Tenant, f.Policy = availability.PerForest, "", ""
				}
				_, err := s.AddKey(t.Context(), availability.Key{Facts: f, Sealed: sealed(n)}, f.Created)
				mustVault(t, err)
			}
			gone := availability.Facts{Kind: availability.PerPolicy, Tenant: "0", ID: "gone", Policy: "q", Created: vaultTime}
			_, err := s.AddKey(t.Context(), availability.Key{Facts: gone, Sealed: []byte("x")}, vaultTime)
			mustVault(t, err)
			mustVault(t, s.DestroyKey(t.Context(), "0", "gone", vaultTime.Add(time.Second)))
		},
		rows:  store.SealedAvailabilityKeys,
		parts: [][]string{{"forest", "", "", "0"}, {"policy", "0", "p", "1"}, {"policy", "1", "p", "2"}, {"policy", "1", "p", "3"}, {"policy", "2", "p", "4"}},
	},
}

// TestSealed: every sealed thing is listed once, in pages of any size, and is swapped only if it
// is what it was.
func TestSealed(t *testing.T) {
	t.Parallel()
	for name, tt := range sealedCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, tt.areas, func(t *testing.T, db *store.DB) {
				tt.fill(t, db, func(n int) []byte { return []byte{byte(n), 1} })
				rows := tt.rows(db)
				if n, err := rows.Count(t.Context()); err != nil || n != 5 {
					t.Errorf("%d things, %v", n, err)
				}
				list := func(limit int) (all []seal.Row) {
					t.Helper()
					for after := ""; ; {
						page, err := rows.List(t.Context(), after, limit)
						mustVault(t, err)
						if len(page) == 0 {
							return all
						}
						all = append(all, page...)
						after = page[len(page)-1].Place
					}
				}
				all := list(2)
				var parts [][]string
				for _, r := range all {
					parts = append(parts, r.Parts)
				}
				if d := cmp.Diff(tt.parts, parts); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff(all, list(100)); d != "" {
					t.Error(d)
				}
				mustVault(t, rows.Swap(t.Context(), []seal.Swap{
					{Place: all[0].Place, Old: all[0].Sealed, New: []byte("new")},
					{Place: all[1].Place, Old: []byte("something else"), New: []byte("new")},
					{Place: all[4].Place, Old: all[4].Sealed, New: []byte("new too")},
				}))
				all[0].Sealed, all[4].Sealed = []byte("new"), []byte("new too")
				if d := cmp.Diff(all, list(3)); d != "" {
					t.Error(d)
				}
			})
		})
	}
}
