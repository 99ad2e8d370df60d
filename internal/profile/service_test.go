package profile_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/certs"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/login"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const (
	user     = "alice@contoso.example"
	password = "correct horse battery"
)

// A service is a real token service over TLS on loopback.
type service struct {
	t         testing.TB
	domain    string
	authority string
	directory *directory.Service
	contoso   directory.Tenant

	mu      sync.Mutex
	refresh []string // refresh tokens in the order in which they were spent
	down    bool
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{t: t}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	s.must(err)
	s.domain = "localhost:" + port
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(s.t, filepath.Join(t.TempDir(), "service.db"), store.ServiceAreas()...), store.ServiceAreas()...)
	s.must(err)
	t.Cleanup(func() { db.Close() })
	at := profile.AddressesOf(s.domain)
	s.directory, err = directory.New(directory.Config{
		Store: store.NewDirectory(db), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(), Issuer: "https://sts." + s.domain + "/", Login: at.Login,
		Record: func(context.Context, string, directory.Caller, string, string, string, map[string]string) error {
			return nil
		},
		Audiences: []string{at.API, at.Outlook, at.Management, at.Graph, "https://vault." + s.domain}, Poll: time.Second,
	})
	s.must(err)
	system := directory.SystemCaller("", "test", "r")
	s.contoso, err = s.directory.CreateTenant(t.Context(), system, "Contoso", "contoso.example")
	s.must(err)
	s.person(user, false)
	s.serve(listener)
	return s
}

func (s *service) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) person(upn string, mustChange bool) {
	s.t.Helper()
	_, err := s.directory.CreatePerson(s.t.Context(), directory.SystemCaller("", "test", "r"),
		directory.Person{Tenant: s.contoso.ID, UPN: upn, DisplayName: "Someone"}, password, mustChange)
	s.must(err)
}

func (s *service) serve(listener net.Listener) {
	s.t.Helper()
	handler, err := login.New(login.Config{Directory: s.directory, Domain: s.domain})
	s.must(err)
	bundle, err := certs.NewAuthority(time.Now)
	s.must(err)
	authority, err := certs.Load(bundle, []string{"login.localhost"}, time.Now)
	s.must(err)
	s.authority = string(authority.PEM())
	server := httptest.NewUnstartedServer(s.counting(handler))
	server.Listener.Close()
	server.Listener = listener
	server.TLS = authority.ServerConfig()
	server.StartTLS()
	s.t.Cleanup(server.Close)
}

// counting remembers which refresh tokens were spent, and can play dead.
func (s *service) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/token") {
			body := &strings.Builder{}
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			if err := r.ParseForm(); err == nil {
				body.WriteString(r.PostForm.Encode())
			}
			s.mu.Lock()
			if token := r.PostForm.Get("refresh_token"); token != "" {
				s.refresh = append(s.refresh, token)
			}
			down := s.down
			s.mu.Unlock()
			if down {
				http.Error(w, "no", http.StatusBadGateway)
				return
			}
			again := r.Clone(r.Context())
			again.Body, again.PostForm, again.Form = noClose{strings.NewReader(body.String())}, nil, nil
			r = again
		}
		next.ServeHTTP(w, r)
	})
}

type noClose struct{ *strings.Reader }

func (noClose) Close() error { return nil }

func (s *service) spent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.refresh...)
}

func (s *service) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *service) target() profile.Target {
	return profile.Target{Domain: s.domain, Tenant: "contoso.example", Authority: s.authority}
}

func (s *service) mustSignIn(c profile.Config) *profile.Profile {
	s.t.Helper()
	p, err := profile.SignInPassword(s.t.Context(), c, s.target(), profile.Password{User: user, Password: password})
	s.must(err)
	return p
}

func TestSignInWithPassword(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := config(t)
	d := s.mustSignIn(c).Data()
	if d.Tenant != s.contoso.ID || d.User != user || d.Organization != "contoso.example" || d.RefreshToken == "" || d.Domain != s.domain {
		t.Errorf("signed in as %+v of %s", d, d.Tenant)
	}
	p, err := profile.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, audience := range []string{p.Addresses().API, p.Addresses().Outlook, p.Addresses().API} {
		if token, err := p.TokenSource(audience)(t.Context()); err != nil || strings.Count(token, ".") != 2 {
			t.Errorf("token for %s: %q, %v", audience, token, err)
		}
	}
	if n := len(s.spent()); n != 1 {
		t.Errorf("%d refresh tokens were spent for one new audience", n)
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.person("bob@contoso.example", true)
	c := config(t)
	try := func(user, password, fresh string) error {
		_, err := profile.SignInPassword(t.Context(), c, s.target(), profile.Password{User: user, Password: password, New: fresh})
		return err
	}
	wrong, unknown := try(user, "wrong", ""), try("nobody@contoso.example", "wrong", "")
	wantFault(t, wrong, fault.Unauthenticated, "")
	wantFault(t, unknown, fault.Unauthenticated, fault.As(wrong).Message) // and tells nothing about who is there
	if strings.Contains(fault.As(wrong).Message, "AADSTS") {
		t.Errorf("the message is for programs: %s", fault.As(wrong).Message)
	}
	once := try("bob@contoso.example", password, "")
	wantFault(t, once, fault.Forbidden, "must be changed")
	if fault.As(once).Reason != profile.ReasonMustChange {
		t.Errorf("reason %q", fault.As(once).Reason)
	}
	if err := try("bob@contoso.example", password, "a quite different one"); err != nil {
		t.Errorf("changing it: %v", err)
	}
	target := s.target()
	target.Authority = ""
	_, err := profile.SignInPassword(t.Context(), c, target, profile.Password{User: user, Password: password})
	wantFault(t, err, fault.Unavailable, "is not trusted") // a service that is not trusted gets no password
}

func TestSignInWithCode(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var shown profile.Code
	p, err := profile.SignInDevice(t.Context(), config(t), s.target(), func(c profile.Code) {
		shown = c
		_, err := s.directory.ApproveDevice(t.Context(), directory.Approval{UserCode: c.UserCode, UPN: user, Password: password, From: directory.Origin{Address: "127.0.0.1", Request: "r"}})
		s.must(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Data().User != user || shown.UserCode == "" || !strings.HasPrefix(shown.URL, "https://login."+s.domain) || !strings.Contains(shown.Message, shown.UserCode) {
		t.Errorf("%v by %+v", p, shown)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := profile.SignInDevice(ctx, config(t), s.target(), func(profile.Code) {}); err == nil {
		t.Error("a code that nobody approved signed in")
	}
}

func TestSignedOutAtTheService(t *testing.T) {
	t.Parallel()
	s := newService(t)
	p := s.mustSignIn(config(t))
	s.must(s.directory.SetDisabled(t.Context(), directory.SystemCaller(s.contoso.ID, "test", "r"), s.contoso.ID, user, true))
	_, err := p.TokenSource(p.Addresses().Graph)(t.Context())
	wantFault(t, err, fault.Unauthenticated, "not signed in any more")
}

func TestServiceDownIsNotSignedOut(t *testing.T) {
	t.Parallel()
	s := newService(t)
	p := s.mustSignIn(config(t))
	s.setDown(true)
	_, err := p.TokenSource(p.Addresses().Graph)(t.Context())
	wantFault(t, err, fault.Unavailable, "")
	s.setDown(false)
	if _, err := p.TokenSource(p.Addresses().Graph)(t.Context()); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

// A token service that sends us elsewhere does not make us hand the secret to that place.
func TestSecretsAreNotRedirected(t *testing.T) {
	t.Parallel()
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.FormValue("refresh_token")) }))
	defer elsewhere.Close()
	client, err := profile.Client("")
	if err != nil {
		t.Fatal(err)
	}
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	res, err := client.PostForm(here.URL, map[string][]string{"refresh_token": {"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect || len(got) > 0 {
		t.Errorf("status %d, and elsewhere %q arrived", res.StatusCode, got)
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	s := newService(t)
	p := s.mustSignIn(config(t))
	vault := "https://vault." + s.domain
	got, err := p.Credential().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}, TenantID: strings.ToUpper(s.contoso.ID)})
	if err != nil || got.Token == "" || time.Until(got.ExpiresOn) < 30*time.Minute {
		t.Errorf("got %v until %v, %v", got.Token != "", got.ExpiresOn, err)
	}
	_, err = p.Credential().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}, TenantID: "99999999-2222-4333-8444-555555555555"})
	wantFault(t, err, fault.Forbidden, "another organization")
}

func TestSomebodyElseSignsInMeanwhile(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.person("carol@contoso.example", false)
	c := config(t)
	p := s.mustSignIn(c)
	_, err := profile.SignInPassword(t.Context(), c, s.target(), profile.Password{User: "carol@contoso.example", Password: password})
	s.must(err)
	_, err = p.TokenSource(p.Addresses().Graph)(t.Context())
	wantFault(t, err, fault.Unauthenticated, "carol@contoso.example")
}

const raceVariable = "CUSTOMERKEY_PROFILE_RACE"

// Processes that refresh at once lose no token and spend none twice: the service would take
// the second use of one for theft and end the sign-in.
func TestProcessesRaceForARefreshToken(t *testing.T) {
	if audiences := os.Getenv(raceVariable); audiences != "" {
		raceChild(t, strings.Fields(audiences))
		return
	}
	t.Parallel()
	s := newService(t)
	c := config(t)
	p := s.mustSignIn(c)
	at := p.Addresses()
	self, err := os.Executable()
	s.must(err)
	var running sync.WaitGroup
	for _, audiences := range []string{at.Outlook + " " + at.Graph, at.Management + " " + at.Outlook, at.Graph + " " + at.Management, at.API + " https://vault." + s.domain} {
		running.Go(func() {
			child := exec.Command(self, "-test.run=^TestProcessesRaceForARefreshToken$", "-test.count=1")
			child.Env = append(os.Environ(), raceVariable+"="+audiences, profile.PathVariable+"="+c.Path)
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	running.Wait()
	seen := map[string]bool{}
	for _, token := range s.spent() {
		if seen[token] {
			t.Error("a refresh token was spent twice")
		}
		seen[token] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d refresh tokens were spent for 4 new audiences", len(seen))
	}
	if _, err := p.TokenSource(at.Graph)(t.Context()); err != nil {
		t.Errorf("the parent does not see what its children did: %v", err)
	}
	if n := len(s.spent()); n != len(seen) {
		t.Error("the parent spent another token")
	}
}

func raceChild(t *testing.T, audiences []string) {
	path, err := profile.Path("")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Open(profile.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, audience := range audiences {
		if _, err := p.TokenSource(audience)(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
