package health_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A delivery is what a receiver was sent.
type delivery struct {
	signature, content string
	body               []byte
	event              struct {
		SpecVersion, ID, Source, Subject, Type string
		Data                                   struct {
			Policies                             []health.PolicyName
			RootKey, Was, State, Reason, Message string
		}
	}
}

// A scene is a world with a receiver of alerts on loopback and a clock that the test moves.
type scene struct {
	*world
	to     *httptest.Server
	answer atomic.Int64 // status of the next answers
	got    chan delivery
}

func newScene(t *testing.T, db *store.DB) *scene {
	t.Helper()
	s := &scene{world: newWorld(t, db), got: make(chan delivery, 1000)}
	s.answer.Store(200)
	s.to = httptest.NewTLSServer(s)
	t.Cleanup(s.to.Close)
	allow, err := courier.ParseAllowance("127.0.0.1")
	s.must(err)
	s.config.Way, err = courier.New(courier.Config{
		Domain: "keys.example:8443", Allow: allow, Roots: s.to.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, Now: s.config.Now,
	})
	s.must(err)
	var d *health.Deliverer
	s.config.Wake = func() { d.Wake() }
	s.Service, err = health.New(s.config)
	s.must(err)
	d = s.NewDeliverer(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { cancel(); <-done }) })
	return s
}

func (s *scene) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
		return
	}
	status := int(s.answer.Load())
	w.WriteHeader(status)
	d := delivery{signature: r.Header.Get(courier.SignatureHeader), content: r.Header.Get("Content-Type")}
	d.body, _ = io.ReadAll(r.Body)
	_ = json.Unmarshal(d.body, &d.event) // the test compares what came of it
	d.signature += fmt.Sprint(" ", status)
	s.got <- d
}

// wait returns the next delivery.
func (s *scene) wait() delivery {
	s.t.Helper()
	select {
	case d := <-s.got:
		return d
	case <-time.After(5 * time.Minute):
		s.t.Fatal("nothing was delivered")
	}
	return delivery{}
}

// pass moves the clock and has the service look again.
func (s *scene) pass(d time.Duration) {
	s.ahead.Add(int64(d))
	s.config.Wake()
}

func (s *scene) subscriptions(c *tenant) []health.SubscriptionRow {
	s.t.Helper()
	rows, err := s.Subscriptions(s.t.Context(), c.admin)
	s.must(err)
	return rows
}

// eventually waits until the tenant's first subscription is as wanted.
func (s *scene) eventually(c *tenant, what string, is func(health.SubscriptionRow) bool) {
	s.t.Helper()
	for range 30_000 {
		if is(s.subscriptions(c)[0]) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("the subscription is never %s: %+v", what, s.subscriptions(c)[0])
}

// A change is sent once it holds: in order, signed, again until it is taken, and to those only
// who are concerned; after a day of failures it is given up, and said so.
func TestAlerts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		s := newScene(t, db)
		c := s.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		c.test(p)
		sub, err := s.Subscribe(t.Context(), c.admin, "Pager", s.to.URL+"/?code=open-sesame", nil)
		s.must(err)
		c.set(p, 0, denied("KeyDisabled"))
		root, pol := s.wait(), s.wait()
		if root.event.Type != string(health.RootChanged) || root.event.Data.State != "Revoked" || root.event.Data.RootKey != c.uris[0] || root.event.Data.Reason != "KeyDisabled" {
			t.Errorf("first: %s", root.body)
		}
		if pol.event.Type != string(health.PolicyChanged) || pol.event.Subject != "P" || pol.event.Data.Was != "Healthy" || pol.event.Data.State != "Degraded" ||
			pol.event.SpecVersion != "1.0" || pol.event.ID == root.event.ID || pol.content != courier.CloudEventContent || pol.event.Data.Policies[0].ID != p.ID {
			t.Errorf("second: %s", pol.body)
		}
		secret, err := base64.StdEncoding.DecodeString(sub.SecretText())
		s.must(err)
		at, _, _ := strings.Cut(strings.TrimPrefix(pol.signature, "t="), ",")
		var seconds int64
		if _, err := fmt.Sscan(at, &seconds); err != nil || courier.Sign(secret, time.Unix(seconds, 0), pol.body)+" 200" != pol.signature {
			t.Errorf("signed %q", pol.signature)
		}
		s.eventually(c, "settled", func(r health.SubscriptionRow) bool { return r.Delivered == 2 })

		s.answer.Store(503)
		c.set(p, 0, nil)
		failed := s.wait()
		s.eventually(c, "put off", func(r health.SubscriptionRow) bool { return r.Attempts == 1 })
		s.answer.Store(200)
		s.pass(11 * time.Second)
		if again := s.wait(); again.event.ID != failed.event.ID {
			t.Errorf("after a failure came %s", again.body)
		}
		s.wait()
		s.eventually(c, "settled", func(r health.SubscriptionRow) bool { return r.Delivered == 4 && r.Attempts == 0 })

		s.answer.Store(500)
		c.set(p, 1, denied("KeyDisabled"))
		for n := 1; s.subscriptions(c)[0].Dropped == 0; n++ {
			s.wait()
			s.eventually(c, "put off", func(r health.SubscriptionRow) bool { return r.Attempts >= n || r.Dropped > 0 })
			s.pass(5 * time.Hour)
		}
		if r := s.subscriptions(c)[0]; r.Dropped != 2 || r.Delivered != 4 {
			t.Errorf("%d given up, %d delivered", r.Dropped, r.Delivered)
		}
		if got := c.recorded(); !slices.Contains(got, "fail health.drop") {
			t.Errorf("recorded %q", got)
		}
	})
}

// set makes a root key of the tenant fail or not, and has the policy looked at.
func (c *tenant) set(p policy.Policy, i int, err error) {
	c.t.Helper()
	c.change(c.uris[i], func(k *vaultKey) { k.failed = err })
	c.test(p)
}

// Whom a subscription tells of what: types that were asked for, families that its maker may read.
func TestSubscriptionWants(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.ServiceAreas()...))
	c := s.tenant()
	p, q := c.mustPolicy("P", policy.MultiWorkload), c.mustPolicy("Q", policy.SharePoint)
	share := c.caller(directory.SharePointAdministrator)
	sub, err := s.Subscribe(t.Context(), share, "files", s.to.URL, []health.ChangeType{health.PolicyChanged})
	s.must(err)
	name := func(p policy.Policy) []health.PolicyName {
		return []health.PolicyName{{ID: p.ID, Name: p.Name, Family: p.Family}}
	}
	for _, tt := range []struct {
		change health.Change
		want   bool
	}{
		{health.Change{Type: health.PolicyChanged, Policies: name(q)}, true},
		{health.Change{Type: health.RootChanged, Policies: name(q)}, false},
		{health.Change{Type: health.PolicyChanged, Policies: name(p)}, false},
	} {
		if got := sub.Wants(tt.change); got != tt.want {
			t.Errorf("wants %s of %s: %t", tt.change.Type, tt.change.Policies[0].Name, got)
		}
	}
	rows, err := s.Subscriptions(t.Context(), share)
	if err != nil || len(rows) != 1 || !rows[0].Secret.IsZero() || !slices.Equal(rows[0].Families, sub.Families) || !slices.Equal(rows[0].Types, sub.Types) {
		t.Errorf("listed %+v, %v", rows, err)
	}
}

// A root key that serves two families tells each of its own policies alone; and whoever reads one
// family does not silence a webhook that tells of the other.
func TestOtherFamiliesStayUnnamed(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.ServiceAreas()...))
	c := s.tenant()
	p := c.mustPolicy("P", policy.MultiWorkload)
	c.mustPolicy("Files", policy.SharePoint)
	share := c.caller(directory.SharePointAdministrator)
	_, err := s.Subscribe(t.Context(), share, "files", s.to.URL, []health.ChangeType{health.RootChanged})
	s.must(err)
	c.set(p, 0, denied("KeyDisabled"))
	if d := s.wait(); len(d.event.Data.Policies) != 1 || d.event.Data.Policies[0].Name != "Files" {
		t.Errorf("the webhook for files is told of %+v", d.event.Data.Policies)
	}
	changes, err := s.History(t.Context(), share, health.Query{}, 100)
	s.must(err)
	for _, ch := range changes {
		if len(ch.Policies) != 1 || ch.Policies[0].Name != "Files" {
			t.Errorf("%s names %+v to who may read files", ch.Type, ch.Policies)
		}
	}
	_, err = s.Subscribe(t.Context(), c.admin, "all", s.to.URL, nil)
	s.must(err)
	if err := s.Unsubscribe(t.Context(), share, "ALL"); !fault.Is(err, fault.Forbidden) || len(s.subscriptions(c)) != 2 {
		t.Errorf("a webhook of all families is taken away: %v", err)
	}
	if !slices.Contains(c.recorded(), "deny health.subscribe") {
		t.Error("the refusal is not recorded")
	}
	s.must(s.Unsubscribe(t.Context(), share, "files"))
	s.must(s.Unsubscribe(t.Context(), c.admin, "all"))
}

// Who may not, and what may not be: refused, recorded, and nobody is called that must not be.
func TestSubscribeRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.ServiceAreas()...))
	c, other := s.tenant(), s.tenant()
	for what, tt := range map[string]struct {
		caller    directory.Caller
		name, url string
		types     []health.ChangeType
		code      fault.Code
	}{
		"a reader":              {c.caller(directory.GlobalReader), "pager", s.to.URL, nil, fault.Forbidden},
		"nobody":                {directory.Caller{}, "pager", s.to.URL, nil, fault.Unauthenticated},
		"a name with spaces":    {c.admin, "a pager", s.to.URL, nil, fault.Invalid},
		"a long name":           {c.admin, strings.Repeat("n", 10_000), s.to.URL, nil, fault.Invalid},
		"no https":              {c.admin, "pager", "http://127.0.0.1/", nil, fault.Invalid},
		"the service itself":    {c.admin, "pager", "https://api.keys.example/", nil, fault.Invalid},
		"a private address":     {c.admin, "pager", "https://10.0.0.1/", nil, fault.Invalid},
		"nobody listens":        {c.admin, "pager", "https://127.0.0.1:1/?code=open-sesame", nil, fault.Invalid},
		"an unknown type":       {c.admin, "pager", s.to.URL, []health.ChangeType{"x"}, fault.Invalid},
		"the same type twice":   {c.admin, "pager", s.to.URL, []health.ChangeType{health.RootChanged, health.RootChanged}, fault.Invalid},
		"removing what is none": {c.admin, "", "", nil, fault.NotFound},
	} {
		var err error
		if tt.url == "" {
			err = s.Unsubscribe(t.Context(), tt.caller, "pager")
		} else {
			_, err = s.Subscribe(t.Context(), tt.caller, tt.name, tt.url, tt.types)
		}
		if !fault.Is(err, tt.code) || tt.code != fault.Unauthenticated && fault.As(err).Hint == "" || strings.Contains(fmt.Sprint(err, fault.As(err).Hint), "open-sesame") {
			t.Errorf("%s: %v, hint %q", what, err, fault.As(err).Hint)
		}
	}
	for i := range health.MaxSubscriptions {
		_, err := s.Subscribe(t.Context(), c.admin, fmt.Sprintf("pager-%d", i), s.to.URL, nil)
		s.must(err)
	}
	for _, name := range []string{"pager-x", "PAGER-1"} {
		if _, err := s.Subscribe(t.Context(), c.admin, name, s.to.URL, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Unsubscribe(t.Context(), other.admin, "pager-1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's: %v", err)
	}
	s.must(s.Unsubscribe(t.Context(), c.admin, "PAGER-1"))
	if got := c.recorded(); !slices.Contains(got, "deny health.subscribe") || !slices.Contains(got, "fail health.subscribe") {
		t.Errorf("recorded %q", got)
	}
}

// What a subscription's secrets are sealed with is what the shelf re-seals them with.
func TestShelf(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.SQLite(t, store.ServiceAreas()...))
	c := s.tenant()
	_, err := s.Subscribe(t.Context(), c.admin, "To-Us", s.to.URL+"/?code=open-sesame", nil)
	s.must(err)
	shelf := health.Shelf(store.SealedSubscriptions(s.db))
	r, err := seal.NewRotator(seal.RotatorConfig{
		Areas:  []seal.Area{{Name: "service", Seal: s.config.Seal, Shelves: []seal.Shelf{shelf}}},
		Keeper: renewing{s.config.Seal}, Gate: new(seal.Gate), Record: func(context.Context, string, []seal.ID) error { return nil },
	})
	s.must(err)
	s.must(r.Rotate(t.Context(), "service"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	for range 60_000 {
		if row := s.subscriptions(c)[0]; s.config.Seal.Fresh(row.Sealed) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	<-done
	row := s.subscriptions(c)[0]
	if plain, err := s.config.Seal.Open(envelope.Bind("alert subscription 1", c.id, "to-us"), row.Sealed); err != nil || !s.config.Seal.Fresh(row.Sealed) || !strings.Contains(string(plain), "open-sesame") {
		t.Errorf("re-sealed: %v", err)
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
