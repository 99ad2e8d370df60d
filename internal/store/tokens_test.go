package store_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
)

func TestDirectoryCredentials(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant := t.Context(), uuid.NewString()
		app := directory.Registration{ID: uuid.NewString(), HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		first := directory.Secret{Tenant: tenant, App: app.ID, ID: uuid.NewString(), Hash: []byte{1}, Created: dirtime, Expires: dirtime.Add(time.Hour)}
		p := directory.ServicePrincipal{Tenant: tenant, ID: uuid.NewString(), AppID: app.ID, HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		mustDo(t, d.AddApp(ctx, app, first, p))
		got, err := d.App(ctx, tenant, app.ID)
		if app.Redirects = []string{}; err != nil || !cmp.Equal(got, app) {
			t.Errorf("the app: %s, %v", cmp.Diff(app, got), err)
		}
		_, err = d.App(ctx, uuid.NewString(), app.ID)
		wantCode(t, "another tenant's app", err, fault.NotFound)
		app.Redirects = []string{"https://portal.example/ü?\"", "http://localhost"}
		mustDo(t, d.SetRedirects(ctx, tenant, app.ID, app.Redirects))
		if got, err := d.App(ctx, tenant, app.ID); err != nil || !cmp.Equal(got, app) {
			t.Errorf("with redirects: %s, %v", cmp.Diff(app, got), err)
		}
		wantCode(t, "redirects of nothing", d.SetRedirects(ctx, uuid.NewString(), app.ID, nil), fault.Conflict)

		second := first
		second.ID, second.Name, second.Created = uuid.NewString(), "nightly \u00fc", dirtime.Add(time.Second)
		mustDo(t, d.AddSecret(ctx, second, 2))
		if got, err := d.Secrets(ctx, tenant, app.ID); err != nil || !cmp.Equal(got, []directory.Secret{first, second}) {
			t.Errorf("secrets: %+v, %v", got, err)
		}
		third := second
		third.ID = uuid.NewString()
		wantCode(t, "one secret too many", d.AddSecret(ctx, third, 2), fault.Conflict)

		c := directory.Certificate{
			Tenant: tenant, App: app.ID, ID: uuid.NewString(), Name: "c", DER: bytes.Repeat([]byte{0, 255}, 2000), Created: dirtime, Expires: dirtime.Add(time.Hour),
		}
		mustDo(t, d.AddCertificate(ctx, c, 1))
		if got, err := d.Certificates(ctx, tenant, app.ID); err != nil || !cmp.Equal(got, []directory.Certificate{c}) {
			t.Errorf("certificates: %+v, %v", got, err)
		}
		other := c
		other.ID = uuid.NewString()
		wantCode(t, "one certificate too many", d.AddCertificate(ctx, other, 1), fault.Conflict)
		for _, id := range []string{first.ID, c.ID} {
			wantCode(t, "removing from another tenant", d.DeleteCredential(ctx, uuid.NewString(), app.ID, id), fault.NotFound)
			mustDo(t, d.DeleteCredential(ctx, tenant, app.ID, id))
			wantCode(t, "removing twice", d.DeleteCredential(ctx, tenant, app.ID, id), fault.NotFound)
		}
		if got, err := d.Secrets(ctx, tenant, app.ID); err != nil || len(got) != 1 || got[0].ID != second.ID {
			t.Errorf("what is left: %+v, %v", got, err)
		}
	})
}

func TestDirectoryAssertionsAreGoodOnce(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		tenant, app := uuid.NewString(), uuid.NewString()
		use := func(app string, hash byte, now time.Time) error { // which forgets what expired before now
			return d.UseAssertion(t.Context(), tenant, app, []byte{hash, 0}, now.Add(time.Minute), now)
		}
		var wg sync.WaitGroup
		var used atomic.Int32
		for range 8 {
			wg.Go(func() {
				if err := use(app, 1, dirtime); err == nil {
					used.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if used.Load() != 1 {
			t.Errorf("used %d times, want once", used.Load())
		}
		mustDo(t, use(uuid.NewString(), 1, dirtime)) // another app's, that is
		mustDo(t, use(app, 2, dirtime))
		mustDo(t, use(app, 1, dirtime.Add(2*time.Minute))) // the two are forgotten
		wantCode(t, "a forgotten one", use(app, 2, dirtime), fault.Conflict)
		wantCode(t, "as old as a forgotten one", use(app, 3, dirtime), fault.Conflict)
		mustDo(t, use(app, 3, dirtime.Add(time.Second)))
	})
}

func TestDirectoryAuthCodes(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, alice := t.Context(), account(uuid.NewString(), "alice@contoso.example")
		mustDo(t, d.AddPerson(ctx, alice))
		c := directory.AuthCode{
			Tenant: alice.Tenant, Hash: []byte{1, 0}, Client: directory.CommandLineApp, Redirect: "http://localhost:1", Challenge: "c", Scope: "s", Nonce: "n",
			Person: alice.ID, Epoch: 3, Created: dirtime, Expires: dirtime.Add(time.Minute),
		}
		mustDo(t, d.AddAuthCode(ctx, c, dirtime))
		if got, err := d.AuthCode(ctx, alice.Tenant, c.Hash); err != nil || !cmp.Equal(got, c) {
			t.Errorf("the code: %s, %v", cmp.Diff(c, got), err)
		}
		_, err := d.AuthCode(ctx, uuid.NewString(), c.Hash)
		wantCode(t, "in another tenant", err, fault.NotFound)

		var wg sync.WaitGroup
		var redeemed atomic.Int32
		for i := range 8 {
			wg.Go(func() {
				g, token := grantOf(alice, byte(10+i), dirtime)
				if err := d.RedeemAuthCode(ctx, c.Hash, g, token); err == nil {
					redeemed.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				} else if _, _, err := d.RefreshToken(ctx, alice.Tenant, token.Hash); !fault.Is(err, fault.NotFound) {
					t.Errorf("the token of a redemption that was refused: %v", err)
				}
			})
		}
		wg.Wait()
		got, err := d.AuthCode(ctx, alice.Tenant, c.Hash)
		if redeemed.Load() != 1 || err != nil || got.Grant == "" {
			t.Errorf("redeemed %d times by %q, want once; %v", redeemed.Load(), got.Grant, err)
		}

		second := c
		second.Hash, second.Expires = []byte{2, 0}, dirtime.Add(time.Hour)
		mustDo(t, d.AddAuthCode(ctx, second, c.Expires.Add(time.Second)))
		_, err = d.AuthCode(ctx, alice.Tenant, c.Hash)
		wantCode(t, "a code long expired", err, fault.NotFound)

		g, token := grantOf(alice, 9, dirtime)
		mustDo(t, d.AddGrant(ctx, g, token))
		if got, _, err := d.RefreshToken(ctx, g.Tenant, token.Hash); err != nil || !cmp.Equal(got, g) {
			t.Errorf("a grant by itself: %s, %v", cmp.Diff(g, got), err)
		}
	})
}

func TestDirectoryChangesIssuerKeys(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, later := t.Context(), dirtime.Add(time.Hour)
		key := func(id string, state directory.KeyState) *directory.IssuerKey {
			return &directory.IssuerKey{ID: id, State: state, Sealed: []byte{1}, Created: dirtime, Since: dirtime}
		}
		states := func() string {
			keys, err := d.IssuerKeys(ctx)
			mustDo(t, err)
			text := ""
			for _, k := range keys {
				text += fmt.Sprint(k.ID, " ", k.State, " ", k.Since.Sub(dirtime), "; ")
			}
			return text
		}
		mustDo(t, d.AddIssuerKey(ctx, *key("a", directory.CurrentKey)))
		mustDo(t, d.ChangeIssuerKeys(ctx, directory.KeyChange{Add: key("b", directory.NextKey), At: later}))
		wantCode(t, "a second next key", d.ChangeIssuerKeys(ctx, directory.KeyChange{Add: key("x", directory.NextKey), At: later}), fault.Conflict)
		mustDo(t, d.ChangeIssuerKeys(ctx, directory.KeyChange{Retire: "a", Promote: "b", Add: key("c", directory.NextKey), At: later}))
		if got, want := states(), "a retired 1h0m0s; b current 1h0m0s; c next 0s; "; got != want {
			t.Errorf("after a rotation: %s, want %s", got, want)
		}
		for what, change := range map[string]directory.KeyChange{
			"the same again":                 {Retire: "a", Promote: "b", Add: key("d", directory.NextKey)},
			"retiring what does not sign":    {Retire: "c", Promote: "c"},
			"promoting without retiring":     {Promote: "c"},
			"deleting what is not there":     {Delete: "x", Retire: "b", Promote: "c"},
			"a key whose id is taken":        {Retire: "b", Promote: "c", Add: key("a", directory.NextKey)},
			"promoting what is not the next": {Retire: "b", Promote: "a"},
		} {
			before := states()
			wantCode(t, what, d.ChangeIssuerKeys(ctx, change), fault.Conflict)
			if after := states(); after != before {
				t.Errorf("%s changed %s to %s", what, before, after)
			}
		}
		mustDo(t, d.ChangeIssuerKeys(ctx, directory.KeyChange{Delete: "b", Promote: "c", Add: key("d", directory.NextKey), At: later}))
		mustDo(t, d.ChangeIssuerKeys(ctx, directory.KeyChange{Delete: "a"}))
		if got, want := states(), "c current 1h0m0s; d next 0s; "; got != want {
			t.Errorf("at the end: %s, want %s", got, want)
		}
	})
}

func TestDirectoryFirstPerson(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		tenant := uuid.NewString()
		mustDo(t, d.AddPerson(t.Context(), account(uuid.NewString(), "someone@fabrikam.example")))
		mustDo(t, d.AddFirstPerson(t.Context(), account(tenant, "alice@contoso.example", directory.GlobalAdministrator)))
		wantCode(t, "the second", d.AddFirstPerson(t.Context(), account(tenant, "bob@contoso.example")), fault.Conflict)
	})
}
