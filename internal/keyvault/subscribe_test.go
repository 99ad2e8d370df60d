package keyvault_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A between is an audit log that runs do once, before the first entry is durable: after a
// decision and before what was decided.
type between struct {
	audit.Submitter
	once sync.Once
	do   func()
}

// Submit implements audit.Submitter.
func (b *between) Submit(ctx context.Context, e audit.Entry) func() error {
	b.once.Do(b.do)
	return b.Submitter.Submit(ctx, e)
}

// between returns a service on the stage's database with something that happens in between.
func (s *stage) between(do func()) *keyvault.Service {
	s.t.Helper()
	software, err := protect.NewSoftware(protect.SoftwareConfig{Seal: seal.Of(s.Seal())})
	if err != nil {
		s.t.Fatal(err)
	}
	other, err := keyvault.New(keyvault.Config{
		Store: store.NewKeyVault(s.db), Protector: software, Backups: s.Backups(s.db), Audit: &between{Submitter: s.World, do: do}, Now: s.Now,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return other
}

// TestSubscribeAtOnce: of two administrators who make a subscription under one alias at the same
// moment, one owns it and the other is told so.
func TestSubscribeAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		first, second := s.Person("first@contoso.example"), s.Person("second@contoso.example")
		first.Roles, second.Roles = []directory.Role{directory.GlobalAdministrator}, []directory.Role{directory.GlobalAdministrator}
		var made keyvault.Subscription
		slow := s.between(func() {
			var created bool
			var err error
			if made, created, err = s.Subscribe(t.Context(), first, "keys", "First"); err != nil || !created {
				t.Errorf("the first: created %t, %v", created, err)
			}
		})
		_, created, err := slow.Subscribe(t.Context(), second, "keys", "Second")
		if !fault.Is(err, fault.Conflict) || created {
			t.Errorf("the second: created %t, %v", created, err)
		}
		if got, err := s.Service.Subscription(t.Context(), first, made.ID); err != nil || got != made {
			t.Errorf("the first's is now %+v, %v", got, err)
		}
	})
}

// TestSubscriptionNames: a name that is no text is refused, whichever the database is.
func TestSubscriptionNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		const bad = "Keys\x00"
		admin := s.Person("root@contoso.example")
		admin.Roles = []directory.Role{directory.GlobalAdministrator}
		_, _, err := s.Subscribe(t.Context(), admin, "keys", bad)
		wantFault(t, err, fault.Invalid, "")
		_, err = s.RenameSubscription(t.Context(), s.Owner, s.Subscription.ID, bad)
		wantFault(t, err, fault.Invalid, "")
		sub := keyvault.Subscription{ID: uuid.NewString(), Tenant: s.Tenant, Owner: s.Owner.ID, DisplayName: bad}
		wantFault(t, s.PutSubscription(t.Context(), directory.SystemCaller(s.Tenant, "setup", "r"), sub), fault.Invalid, "")
	})
}

// TestCancelWithManyVaults: one change of a subscription writes a bounded number of events, so
// that its owner cannot keep others from the database by it.
func TestCancelWithManyVaults(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	east, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east")
	if err != nil {
		t.Fatal(err)
	}
	k := store.NewKeyVault(s.db)
	var adding sync.WaitGroup
	for i := range 50 { // at once, for writes that wait share a commit
		adding.Go(func() {
			for j := range 21 {
				v := east
				v.Name = fmt.Sprintf("vault-%d-%d", i, j)
				if err := k.AddVault(t.Context(), v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	adding.Wait()
	s.Told()
	if _, err := s.CancelSubscription(t.Context(), s.Owner, s.Subscription.ID); err != nil {
		t.Fatal(err)
	}
	if told := s.Told(); len(told) != 1000 {
		t.Errorf("%d events of 1051 vaults, want the first 1000", len(told))
	}
}
