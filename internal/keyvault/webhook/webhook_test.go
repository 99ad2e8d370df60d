package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/keyvault/webhook"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A delivery is a request that the receiver has had.
type delivery struct {
	header http.Header
	body   []byte
}

// A receiver is a webhook over real TLS on loopback.
type receiver struct {
	*httptest.Server
	got chan delivery

	mu     sync.Mutex
	greets bool
	answer func(http.ResponseWriter) // of a notification; 200 if nil
	asked  int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan delivery, 1000), greets: true}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(answer func(http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.asked++
	answer, greets := r.answer, r.greets
	r.mu.Unlock()
	switch {
	case req.Method == http.MethodOptions:
		if greets {
			w.Header().Set("WebHook-Allowed-Origin", req.Header.Get("WebHook-Request-Origin"))
		}
	case req.Header.Get("aeg-event-type") == "SubscriptionValidation":
		var events []struct {
			EventType string
			Data      struct{ ValidationCode string }
		}
		if json.Unmarshal(body, &events) == nil && len(events) == 1 && events[0].EventType == "Microsoft.EventGrid.SubscriptionValidationEvent" && greets {
			fmt.Fprintf(w, `{"validationResponse":%q}`, events[0].Data.ValidationCode)
		}
	default:
		if answer != nil {
			answer(w)
		}
		r.got <- delivery{req.Header, body}
	}
}

// A scene is a World whose vault sends to a receiver, with a Deliverer that runs.
type scene struct {
	*keyvaulttest.World
	t       *testing.T
	db      *store.DB
	admin   directory.Caller
	to      *receiver
	courier *webhook.Courier
	d       *webhook.Deliverer
}

func newScene(t *testing.T, db *store.DB) *scene {
	t.Helper()
	s := &scene{World: keyvaulttest.New(t, db), t: t, db: db, to: newReceiver(t)}
	s.courier = mustCourier(t, s.to, s.Now)
	s.SendBy(s.courier)
	s.admin = s.Person("admin@contoso.example")
	s.MustVault("Contoso-East", keyvaulttest.Can(s.admin, rights.All, rights.Purge))
	return s
}

func mustCourier(t *testing.T, to *receiver, now func() time.Time) *webhook.Courier {
	t.Helper()
	allow, err := courier.ParseAllowance("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := courier.New(courier.Config{
		Domain: "keys.example:8443", Allow: allow, Roots: to.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return webhook.New(c)
}

func each(t *testing.T, fn func(t *testing.T, s *scene)) {
	t.Helper()
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) { fn(t, newScene(t, db)) })
}

// run starts a Deliverer, and returns what stops it.
func (s *scene) run() (stop func()) {
	s.d = webhook.NewDeliverer(s.Service, s.courier, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan struct{})
	go func() {
		s.d.Run(ctx)
		close(done)
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	s.t.Cleanup(stop)
	return stop
}

func (s *scene) spec(name string) keyvault.HookSpec {
	return keyvault.HookSpec{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east", Name: name, Endpoint: s.to.URL + "/events?code=open-sesame"}
}

func (s *scene) mustHook(spec keyvault.HookSpec) keyvault.Hook {
	s.t.Helper()
	h, _, err := s.PutHook(s.t.Context(), s.Owner, spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

func (s *scene) mustCreate(name string) keyvault.Key {
	s.t.Helper()
	k, err := s.CreateKey(s.t.Context(), s.admin, "contoso-east", name, keyvault.NewKey{Type: "EC"})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.d != nil {
		s.d.Wake()
	}
	return k
}

func (s *scene) next() delivery {
	s.t.Helper()
	select {
	case d := <-s.to.got:
		return d
	case <-time.After(5 * time.Minute):
		s.t.Fatal("nothing was delivered")
		return delivery{}
	}
}

// subject returns which key a delivery in Azure's schema is about.
func (d delivery) subject(t *testing.T) string {
	t.Helper()
	var events []struct{ Subject string }
	if err := json.Unmarshal(d.body, &events); err != nil || len(events) != 1 {
		t.Fatalf("not an array of one event: %s", d.body)
	}
	return events[0].Subject
}

// rests waits until the hook has nothing more to send, and returns it.
func (s *scene) rests(name string, ok func(keyvault.HookRow) bool) keyvault.HookRow {
	s.t.Helper()
	for range 30_000 {
		h, err := s.Hook(s.t.Context(), s.Owner, s.spec(name))
		if err != nil {
			s.t.Fatal(err)
		}
		if ok(h) {
			return h
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("the webhook never came to that")
	return keyvault.HookRow{}
}

// TestSchemas: what is sent is what Azure documents, signed, in both schemas.
func TestSchemas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		grid := s.mustHook(s.spec("grid"))
		s.run()
		exp := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		k, err := s.CreateKey(t.Context(), s.admin, "contoso-east", "Root1", keyvault.NewKey{Type: "EC", Attributes: keyvault.Attributes{Expires: &exp}})
		if err != nil {
			t.Fatal(err)
		}
		s.d.Wake()
		topic := "/subscriptions/" + s.Subscription.ID + "/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/Contoso-East"
		data := map[string]any{
			"Id": "https://contoso-east.vault.keys.example:8443/keys/Root1/" + k.Version, "VaultName": "Contoso-East", "ObjectType": "Key",
			"ObjectName": "Root1", "Version": k.Version, "NBF": nil, "EXP": float64(exp.Unix()),
		}
		d := s.next()
		var got []map[string]any
		if err := json.Unmarshal(d.body, &got); err != nil {
			t.Fatal(err)
		}
		want := []map[string]any{{
			"id": got[0]["id"], "topic": topic, "subject": "Root1", "eventType": "Microsoft.KeyVault.KeyNewVersionCreated",
			"eventTime": s.Now().Format(time.RFC3339Nano), "data": data, "dataVersion": "1", "metadataVersion": "1",
		}}
		if diff := cmp.Diff(want, got); diff != "" || d.header.Get("aeg-event-type") != "Notification" || d.header.Get("aeg-delivery-count") != "0" {
			t.Errorf("%s %v", diff, d.header)
		}
		wantSigned(t, s, grid, d)

		s.rests("grid", func(h keyvault.HookRow) bool { return h.Delivered == 1 && h.Due.IsZero() }) // or it is sent once more
		s.mustHook(keyvault.HookSpec{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east", Name: "grid", Endpoint: s.to.URL, Schema: keyvault.CloudEventSchema})
		s.Pass(time.Second)
		s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
		s.d.Wake()
		d = s.next()
		var cloud map[string]any
		if err := json.Unmarshal(d.body, &cloud); err != nil {
			t.Fatal(err)
		}
		wantCloud := map[string]any{
			"specversion": "1.0", "id": cloud["id"], "source": topic, "subject": "Contoso-East", "type": "Microsoft.KeyVault.VaultAccessPolicyChanged",
			"time": s.Now().Format(time.RFC3339Nano), "datacontenttype": "application/json", "data": map[string]any{
				"Id": "https://contoso-east.vault.keys.example:8443/", "VaultName": "Contoso-East", "ObjectType": "Vault",
				"ObjectName": "Contoso-East", "Version": "", "NBF": nil, "EXP": nil,
			},
		}
		if diff := cmp.Diff(wantCloud, cloud); diff != "" || d.header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
			t.Errorf("%s %v", diff, d.header)
		}
		wantSigned(t, s, grid, d) // a change keeps the secret
	})
}

// wantSigned checks a signature as a receiver would.
func wantSigned(t *testing.T, s *scene, h keyvault.Hook, d delivery) {
	t.Helper()
	mac := hmac.New(sha256.New, h.Secret.Expose())
	fmt.Fprintf(mac, "%d.%s", s.Now().Unix(), d.body)
	want := fmt.Sprintf("t=%d,v1=%s", s.Now().Unix(), hex.EncodeToString(mac.Sum(nil)))
	if got := d.header.Get("CK-Webhook-Signature"); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

// TestOrder: events come in their order and none is missing, also through failures, which are
// tried again after the waits and as the receiver asks.
func TestOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		s.mustCreate("before") // there is no hook yet
		s.mustHook(s.spec("hook"))
		s.run()
		s.to.set(func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "45")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		for i := range 5 {
			s.mustCreate(fmt.Sprintf("key%d", i))
		}
		for n, wait := range []time.Duration{45 * time.Second, 45 * time.Second, time.Minute} { // what was asked for, or the wait if that is longer
			d := s.next()
			if got := d.subject(t); got != "key0" || d.header.Get("aeg-delivery-count") != fmt.Sprint(n) {
				t.Errorf("attempt %d: %s, %v", n, got, d.header)
			}
			s.rests("hook", func(h keyvault.HookRow) bool { return h.Attempts == n+1 && h.Due.Equal(s.Now().Add(wait)) })
			s.Pass(wait - time.Microsecond)
			s.d.Wake()
			if n == 2 {
				s.to.set(nil)
			}
			s.Pass(time.Microsecond)
			s.d.Wake()
		}
		for i := range 5 {
			if got := s.next().subject(t); got != fmt.Sprintf("key%d", i) {
				t.Errorf("event %d is about %s", i, got)
			}
		}
		h := s.rests("hook", func(h keyvault.HookRow) bool { return h.Due.IsZero() })
		if h.Delivered != 5 || h.Dropped != 0 || h.Attempts != 0 {
			t.Errorf("%+v", h)
		}
	})
}

// TestClaimIsLost: what a process had in hand when it was killed is sent by the next one.
func TestClaimIsLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		s.mustHook(s.spec("hook"))
		s.mustCreate("key0")
		if hooks, err := s.ClaimHooks(t.Context(), 10, time.Minute); err != nil || len(hooks) != 1 {
			t.Fatalf("%d claimed, %v", len(hooks), err)
		}
		if hooks, err := s.ClaimHooks(t.Context(), 10, time.Minute); err != nil || len(hooks) != 0 {
			t.Fatalf("claimed twice: %d, %v", len(hooks), err)
		}
		s.Open(s.db) // the process is gone
		stop := s.run()
		s.Pass(time.Minute)
		s.d.Wake()
		if got := s.next().subject(t); got != "key0" {
			t.Errorf("got %s", got)
		}
		s.rests("hook", func(h keyvault.HookRow) bool { return h.Due.IsZero() && h.Delivered == 1 })
		stop()
		s.mustCreate("key1") // while nobody runs
		s.run()
		if got := s.next().subject(t); got != "key1" {
			t.Errorf("got %s", got)
		}
		s.rests("hook", func(h keyvault.HookRow) bool { return h.Due.IsZero() })

		s.mustCreate("key2")
		if got := s.next().subject(t); got != "key2" {
			t.Errorf("got %s", got)
		}
	})
}

// TestGivenUp: after a day of failures the old events go, counted and recorded; new ones arrive.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		s.mustHook(s.spec("hook"))
		s.to.set(status(http.StatusInternalServerError))
		s.run()
		s.mustCreate("key0")
		s.mustCreate("key1")
		s.next()
		start := s.Now()
		for n := 1; ; n++ {
			h := s.rests("hook", func(h keyvault.HookRow) bool { return h.Attempts == n })
			if h.Dropped > 0 {
				if age := s.Now().Sub(start); h.Dropped != 2 || age < 24*time.Hour || age > 26*time.Hour {
					t.Errorf("%d dropped after %v", h.Dropped, age)
				}
				break
			}
			if n == 40 {
				t.Fatal("never given up")
			}
			s.Pass(h.Due.Sub(s.Now()))
			s.d.Wake()
			s.next()
		}
		var dropped []audit.Entry
		for _, e := range s.Entries() {
			if e.Action == "webhook.drop" {
				dropped = append(dropped, e)
			}
		}
		if len(dropped) != 1 || dropped[0].Tenant != s.Tenant || dropped[0].Detail["events"] != "2" || dropped[0].Detail["reason"] != "status 500" ||
			dropped[0].Object != "vaults/Contoso-East/eventSubscriptions/hook" {
			t.Errorf("recorded %+v", dropped)
		}
		s.to.set(nil)
		s.Pass(time.Hour)
		s.mustCreate("key2")
		if got := s.next().subject(t); got != "key2" {
			t.Errorf("got %s", got)
		}
	})
}

// TestNever: an event that the receiver will never take does not hold back the others.
func TestNever(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		spec := s.spec("hook")
		spec.Types = []keyvault.EventType{keyvault.KeyNewVersionCreated, keyvault.KeyPurged}
		s.mustHook(spec)
		s.to.set(status(http.StatusBadRequest))
		s.run()
		s.mustCreate("key0")
		s.next()
		s.rests("hook", func(h keyvault.HookRow) bool { return h.Dropped == 1 && h.Due.IsZero() })
		s.to.set(status(http.StatusAccepted))
		if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "key0"); err != nil { // which it did not ask for
			t.Fatal(err)
		}
		s.mustCreate("key1")
		if got := s.next().subject(t); got != "key1" {
			t.Errorf("got %s", got)
		}
		if h := s.rests("hook", func(h keyvault.HookRow) bool { return h.Due.IsZero() }); h.Delivered != 1 {
			t.Errorf("%d delivered", h.Delivered)
		}
	})
}

// TestTenantsApart: nothing of one tenant's vaults reaches another, who cannot touch the hooks
// either.
func TestTenantsApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		other := keyvaulttest.NewSealed(t, s.db, s.Seal())
		other.SendBy(s.courier)
		theirs := other.Person("admin@fabrikam.example")
		other.MustVault("fabrikam-east", keyvaulttest.Can(theirs, rights.All))
		s.mustHook(s.spec("hook"))
		for _, try := range []func() error{
			func() error { _, _, err := other.PutHook(t.Context(), other.Owner, s.spec("hook2")); return err },
			func() error { _, err := other.HookSecrets(t.Context(), other.Owner, s.spec("hook")); return err },
			func() error { _, err := other.DeleteHook(t.Context(), other.Owner, s.spec("hook")); return err },
			func() error { _, err := s.HookSecrets(t.Context(), s.admin, s.spec("hook")); return err }, // his own tenant, without the role
		} {
			if err := try(); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
				t.Errorf("let in: %v", err)
			}
		}
		s.run()
		if _, err := other.CreateKey(t.Context(), theirs, "fabrikam-east", "secret", keyvault.NewKey{Type: "EC"}); err != nil {
			t.Fatal(err)
		}
		s.mustCreate("ours")
		if got := s.next().subject(t); got != "ours" {
			t.Errorf("got %s", got)
		}
		s.rests("hook", func(h keyvault.HookRow) bool { return h.Due.IsZero() && h.Delivered == 1 })
	})
}

// TestPurgedVault: the last thing a webhook is sent is that its vault is no more; a vault of the
// same name that comes later is not its business.
func TestPurgedVault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		s.mustHook(s.spec("hook"))
		if _, err := s.DeleteVault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east"); err != nil {
			t.Fatal(err)
		}
		if err := s.PurgeVault(t.Context(), s.Owner, s.Subscription.ID, keyvaulttest.Location, "contoso-east"); err != nil {
			t.Fatal(err)
		}
		s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
		s.mustCreate("later")
		if all, err := s.Hooks(t.Context(), s.Owner, s.spec("hook")); err != nil || len(all) != 0 {
			t.Errorf("the new vault has %d hooks, %v", len(all), err)
		}
		s.run()
		for _, want := range []string{"VaultDeleted", "VaultPurged"} {
			if d := s.next(); !strings.Contains(string(d.body), `"Microsoft.KeyVault.`+want+`"`) {
				t.Errorf("want %s: %s", want, d.body)
			}
		}
		s.mustHook(s.spec("hook")) // of the new vault
		s.mustCreate("last")
		if got := s.next().subject(t); got != "last" {
			t.Errorf("got %s", got)
		}
	})
}

// TestVaultGoneMeanwhile: while a receiver is asked, which takes as long as it likes, its vault may
// go. It is not sent what happens in one that has the name later.
func TestVaultGoneMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		for _, again := range []bool{false, true} {
			s.Between(keyvault.PutHook, func() {
				if _, err := s.DeleteVault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east"); err != nil {
					t.Error(err)
				}
				if err := s.PurgeVault(t.Context(), s.Owner, s.Subscription.ID, keyvaulttest.Location, "contoso-east"); err != nil {
					t.Error(err)
				}
				if s.Pass(time.Second); again {
					s.MustVault("contoso-east")
				}
			})
			_, _, err := s.PutHook(t.Context(), s.Owner, s.spec("hook"))
			if fault.As(err).Reason != keyvault.ReasonNoResource {
				t.Errorf("made for a vault that is gone: %v", err)
			}
			s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
			if all, err := s.Hooks(t.Context(), s.Owner, s.spec("hook")); err != nil || len(all) != 0 {
				t.Errorf("the new vault has %d hooks, %v", len(all), err)
			}
		}
	})
}

// TestHandshake: nobody is sent events who did not agree to it, and nothing is called that must
// not be.
func TestHandshake(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, tt := range []struct {
		what   string
		change func(*keyvault.HookSpec)
		greets bool
		said   string
	}{
		{"no code", func(*keyvault.HookSpec) {}, false, "without the validation code"},
		{"no origin", func(h *keyvault.HookSpec) { h.Schema = keyvault.CloudEventSchema }, false, "without WebHook-Allowed-Origin"},
		{"not https", func(h *keyvault.HookSpec) { h.Endpoint = strings.Replace(h.Endpoint, "https", "http", 1) }, true, "endpointUrl"},
		{"user", func(h *keyvault.HookSpec) { h.Endpoint = "https://me:secret@hooks.example/" }, true, "endpointUrl"},
		{"long", func(h *keyvault.HookSpec) { h.Endpoint = "https://hooks.example/" + strings.Repeat("a", 2048) }, true, "endpointUrl"},
		{"own face", func(h *keyvault.HookSpec) { h.Endpoint = "https://Contoso-East.vault.KEYS.example:8443/keys" }, true, "own"},
		{"own home", func(h *keyvault.HookSpec) { h.Endpoint = "https://keys.example./" }, true, "own"},
		{"private address", func(h *keyvault.HookSpec) { h.Endpoint = "https://[::1]:1/" }, true, "must not be called"},
		{"metadata service", func(h *keyvault.HookSpec) { h.Endpoint = "https://169.254.169.254/metadata" }, true, "must not be called"},
		{"unreachable", func(h *keyvault.HookSpec) { h.Endpoint = "https://127.0.0.1:1/?code=open-sesame" }, true, "could not be reached"},
		{"schema", func(h *keyvault.HookSpec) { h.Schema = "CustomInputSchema" }, true, "eventDeliverySchema"},
		{"type", func(h *keyvault.HookSpec) { h.Types = []keyvault.EventType{"Microsoft.Storage.BlobCreated"} }, true, "includedEventTypes"},
		{"name", func(h *keyvault.HookSpec) { h.Name = "a_b" }, true, "name"},
	} {
		s.to.mu.Lock()
		s.to.greets = tt.greets
		s.to.mu.Unlock()
		spec := s.spec("hook")
		tt.change(&spec)
		_, _, err := s.PutHook(t.Context(), s.Owner, spec)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, tt.said) || strings.Contains(fmt.Sprintf("%v %+v", err, fault.As(err)), "open-sesame") {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
	if all, err := s.Hooks(t.Context(), s.Owner, s.spec("hook")); err != nil || len(all) != 0 {
		t.Errorf("%d hooks, %v", len(all), err)
	}
}

// TestHostileReceiver: redirects are not followed, and answers without end are cut off.
func TestHostileReceiver(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.VaultAreas()...))
	trap := newReceiver(t)
	h := s.mustHook(s.spec("hook"))
	e := keyvault.Event{ID: "1", Type: keyvault.KeyExpired, Tenant: s.Tenant, Vault: "contoso-east", Time: s.Now()}
	for what, answer := range map[string]func(http.ResponseWriter){
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", trap.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"long header": func(w http.ResponseWriter) { w.Header().Set("X-Long", strings.Repeat("a", 1<<20)) },
		"gone":        func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		s.to.set(answer)
		if r := s.courier.Send(t.Context(), h, e, 0); r.OK || r.Never || strings.Contains(r.Reason, "://") {
			t.Errorf("%s: %+v", what, r)
		}
	}
	s.to.set(func(w http.ResponseWriter) {
		for range 64 {
			_, _ = w.Write(make([]byte, 1<<16)) // until the other side has closed
		}
	})
	if r := s.courier.Send(t.Context(), h, e, 0); !r.OK {
		t.Errorf("a long answer: %+v", r)
	}
	s.to.set(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", s.Now().Add(90*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if r := s.courier.Send(t.Context(), h, e, 0); r.After != 90*time.Second {
		t.Errorf("Retry-After as a date: %+v", r)
	}
	if trap.requests() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestSecretsAreSealed: neither the query of the URL nor the signing secret is in the database, in
// a list, or in what is printed.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *scene) {
		h := s.mustHook(s.spec("hook"))
		row, err := s.Hook(t.Context(), s.Owner, s.spec("hook"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(h.Endpoint)
		for what, printed := range map[string]string{
			"%v": fmt.Sprintf("%v %+v %#v %s", h, h, h, h.Endpoint), "row": fmt.Sprintf("%v %#v", row, row), "json": string(text), "sealed": string(row.Sealed),
		} {
			if strings.Contains(printed, "open-sesame") || strings.Contains(printed, string(h.Secret.Expose())) {
				t.Errorf("%s shows a secret", what)
			}
		}
		open, err := s.HookSecrets(t.Context(), s.Owner, s.spec("hook"))
		if err != nil || open.Endpoint.Expose() != s.to.URL+"/events?code=open-sesame" || !open.Secret.Equal(h.Secret) {
			t.Errorf("%v: not what was put", err)
		}
	})
}

// counted counts how often a Deliverer looks for something to do.
type counted struct {
	*keyvault.Service
	claims atomic.Int64
}

func (c *counted) ClaimHooks(ctx context.Context, most int, hold time.Duration) ([]keyvault.Hook, error) {
	c.claims.Add(1)
	return c.Service.ClaimHooks(ctx, most, hold)
}

// TestDamagedEvent: events that cannot be read are told to the operator and tried again later, not
// at once for ever.
func TestDamagedEvent(t *testing.T) {
	s := newScene(t, storetest.SQLite(t, store.VaultAreas()...))
	s.mustHook(s.spec("hook"))
	s.mustCreate("root1")
	err := s.db.Write(t.Context(), func(ctx context.Context, tx store.DBTX) error {
		_, err := tx.ExecContext(ctx, "UPDATE keyvault_events SET not_before = 'damaged'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan struct{}, 1000)
	q := &counted{Service: s.Service}
	d := webhook.NewDeliverer(q, s.courier, slog.New(slog.NewTextHandler(writerFunc(func() { said <- struct{}{} }), nil)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	select {
	case <-said:
	case <-time.After(5 * time.Minute):
		t.Error("nobody was told")
	}
	time.Sleep(200 * time.Millisecond)
	cancel()
	<-done
	if n := q.claims.Load(); n > 5 {
		t.Errorf("looked %d times", n)
	}
}

type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) { f(); return len(p), nil }
