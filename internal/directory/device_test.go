package directory_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func (w *world) mustStart(authority string) directory.DeviceCode {
	w.t.Helper()
	d, err := w.StartDevice(w.t.Context(), authority, directory.CommandLineApp, apiAudience+"/.default offline_access", origin)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) approval(upn, password, newPassword string) directory.Approval {
	w.t.Helper()
	return directory.Approval{UserCode: w.mustStart("common").UserCode, UPN: upn, Password: password, NewPassword: newPassword, From: origin}
}

func (w *world) redeem(authority, code string) (directory.Tokens, error) {
	return w.RedeemDevice(w.t.Context(), authority, directory.CommandLineApp, code, "", origin)
}

func (w *world) refresh(token string) (directory.Tokens, error) {
	return w.Refresh(w.t.Context(), "common", directory.Client{ID: directory.CommandLineApp}, token, "", origin)
}

// mustSignIn signs p in by device code.
func (w *world) mustSignIn(p directory.Person) directory.Tokens {
	w.t.Helper()
	d := w.mustStart("common")
	if _, err := w.ApproveDevice(w.t.Context(), directory.Approval{UserCode: d.UserCode, UPN: p.UPN, Password: password, From: origin}); err != nil {
		w.t.Fatal(err)
	}
	tokens, err := w.redeem("common", d.Code)
	if err != nil {
		w.t.Fatal(err)
	}
	return tokens
}

func reasonOf(err error) string { return fault.As(err).Reason }

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice", directory.ComplianceAdministrator)
	d := w.mustStart("organizations")
	if len(d.UserCode) != 9 || d.UserCode[4] != '-' || strings.ContainsAny(d.UserCode, "AEIOUY0123456789") {
		t.Errorf("the user code is %q", d.UserCode)
	}
	if !d.Expires.Equal(w.clock().Add(15 * time.Minute)) {
		t.Errorf("expires %v", d.Expires)
	}
	if _, err := w.redeem("organizations", d.Code); reasonOf(err) != directory.AuthorizationPending {
		t.Errorf("before approval: %v, want %s", err, directory.AuthorizationPending)
	}
	if _, err := w.redeem("organizations", d.Code); reasonOf(err) != directory.SlowDown {
		t.Errorf("at once again: %v, want %s", err, directory.SlowDown)
	}
	w.pass(time.Second)
	if _, err := w.redeem("organizations", d.Code); reasonOf(err) != directory.AuthorizationPending {
		t.Errorf("an interval later: %v, want %s", err, directory.AuthorizationPending)
	}
	if name, err := w.WaitingClient(t.Context(), d.UserCode, origin.Address); err != nil || !strings.HasPrefix(name, "ck") {
		t.Errorf("the page names %q, %v", name, err)
	}
	spelt := strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " "))
	p, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: spelt, UPN: alice.UPN, Password: password, From: origin})
	if err != nil || p.ID != alice.ID {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: spelt, UPN: alice.UPN, Password: password, From: origin}); reasonOf(err) != directory.UnknownCode {
		t.Errorf("approving twice: %v, want %s", err, directory.UnknownCode)
	}
	if _, err := w.RedeemDevice(t.Context(), "organizations", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", d.Code, "", origin); reasonOf(err) != directory.UnknownCode {
		t.Errorf("another client: %v, want %s", err, directory.UnknownCode)
	}
	w.setDeaf(true)
	if _, err := w.redeem("organizations", d.Code); !fault.Is(err, fault.Unavailable) {
		t.Errorf("with a full log: %v, want %s", err, fault.Unavailable)
	}
	w.setDeaf(false)
	tokens, err := w.redeem("organizations", d.Code)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.verifier(apiAudience).Verify(t.Context(), tokens.Access)
	if err != nil || c.Kind != directory.User || c.ID != alice.ID || c.Name != alice.UPN || c.App != directory.CommandLineApp ||
		!c.Has(directory.ComplianceAdministrator) {
		t.Errorf("the caller is %+v, %v", c, err)
	}
	if e := w.last(); e.action != "token.device" || e.decision != "allow" || e.tenant != contoso.ID {
		t.Errorf("recorded %+v", e)
	}
	if _, err := w.redeem("organizations", d.Code); reasonOf(err) != directory.UnknownCode {
		t.Errorf("redeeming twice: %v, want %s", err, directory.UnknownCode)
	}
}

func TestDeviceCodeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	alice := w.mustPerson(contoso, "alice")
	start := func(authority, client, scope string) error {
		_, err := w.StartDevice(t.Context(), authority, client, scope, origin)
		return err
	}
	for _, tt := range []struct{ authority, client, scope, reason string }{
		{"common", contoso.ID, apiAudience + "/.default", directory.UnknownClient},
		{"nowhere.example", directory.CommandLineApp, apiAudience + "/.default", directory.TenantNotFound},
		{"common", directory.CommandLineApp, "https://evil.example/.default", directory.InvalidResource},
		{"common", directory.CommandLineApp, "", directory.InvalidScope},
	} {
		if err := start(tt.authority, tt.client, tt.scope); reasonOf(err) != tt.reason {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	d := w.mustStart(fabrikam.ID)
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: d.UserCode, UPN: alice.UPN, Password: password, From: origin}); reasonOf(err) != directory.InvalidCredentials {
		t.Errorf("a person of another tenant: %v, want %s", err, directory.InvalidCredentials)
	}
	if _, err := w.redeem(contoso.ID, d.Code); reasonOf(err) != directory.UnknownCode {
		t.Errorf("at another tenant: %v, want %s", err, directory.UnknownCode)
	}
	w.pass(15 * time.Minute)
	if _, err := w.redeem(fabrikam.ID, d.Code); reasonOf(err) != directory.ExpiredCode {
		t.Errorf("after 15 minutes: %v, want %s", err, directory.ExpiredCode)
	}
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: d.UserCode, UPN: alice.UPN, Password: password, From: origin}); reasonOf(err) != directory.UnknownCode {
		t.Errorf("approving after 15 minutes: %v, want %s", err, directory.UnknownCode)
	}
}

func TestUserCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	d := w.mustStart("common")
	approve := func(code string, from directory.Origin) error {
		_, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: code, UPN: alice.UPN, Password: password, From: from})
		return err
	}
	for i := range 10 {
		if err := approve("BBBB-BBB"+string("BCDFGHJKLM"[i]), origin); reasonOf(err) != directory.UnknownCode {
			t.Fatal(err)
		}
	}
	if err := approve(d.UserCode, origin); !fault.Is(err, fault.Throttled) {
		t.Errorf("after ten wrong codes: %v, want %s", err, fault.Throttled)
	}
	if err := approve(d.UserCode, directory.Origin{Address: "192.0.2.8"}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

// Whoever has an address of IPv6 has a network of them: one address for each guess is no way round.
func TestOneNetworkIsOneGuesser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	approve := func(code, address string) error {
		_, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: code, UPN: alice.UPN, Password: password, From: directory.Origin{Address: address}})
		return err
	}
	for i := range 10 {
		if err := approve("BBBB-BBBB", fmt.Sprintf("2001:db8:1:2:%x::%x", i, i)); reasonOf(err) != directory.UnknownCode {
			t.Fatal(err)
		}
	}
	d := w.mustStart("common")
	for _, address := range []string{"2001:db8:1:2::9", "2001:db8:1:2:ffff:ffff:ffff:ffff"} {
		if err := approve(d.UserCode, address); !fault.Is(err, fault.Throttled) {
			t.Errorf("from %s: %v, want %s", address, err, fault.Throttled)
		}
	}
	for _, address := range []string{"2001:db8:1:3::9", "::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.8", ""} {
		if err := approve(w.mustStart("common").UserCode, address); err != nil {
			t.Errorf("from %q: %v", address, err)
		}
	}
}

func TestNobodyUsesUpTheDeviceCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	start := func(from directory.Origin) error {
		_, err := w.StartDevice(t.Context(), "common", directory.CommandLineApp, apiAudience+"/.default", from)
		return err
	}
	for range 150 {
		w.mustStart("common")
	}
	w.mustSignIn(alice) // whoever finishes one starts anew
	for range 200 {
		w.mustStart("common")
	}
	if err := start(origin); !fault.Is(err, fault.Throttled) {
		t.Errorf("the 201st unfinished sign-in: %v, want %s", err, fault.Throttled)
	}
	if err := start(directory.Origin{Address: "192.0.2.8"}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestDeviceCodeIsRedeemedOnceByMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	d := w.mustStart("common")
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: d.UserCode, UPN: alice.UPN, Password: password, From: origin}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var won atomic.Int32
	for range 16 {
		wg.Go(func() {
			if _, err := w.redeem("common", d.Code); err == nil {
				won.Add(1)
			} else if reasonOf(err) != directory.UnknownCode {
				t.Errorf("%v, want %s", err, directory.UnknownCode)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 got tokens, want 1", won.Load())
	}
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	w.mustTenant("fabrikam.example")
	first := w.mustSignIn(w.mustPerson(contoso, "alice"))

	second, err := w.Refresh(t.Context(), "common", directory.Client{ID: directory.CommandLineApp}, first.Refresh, "https://vault.azure.net//.default openid", origin)
	if err != nil {
		t.Fatal(err)
	}
	if second.Audience != "https://vault.azure.net/" || second.Refresh == first.Refresh {
		t.Errorf("%+v", second)
	}
	if _, err := w.verifier("https://vault.azure.net").Verify(t.Context(), second.Access); err != nil {
		t.Error(err)
	}
	w.pass(9 * time.Second) // the answer got lost: the client asks again
	third, err := w.refresh(first.Refresh)
	if err != nil {
		t.Fatalf("within the grace: %v", err)
	}
	for name, try := range map[string]func() (directory.Tokens, error){
		"another tenant": func() (directory.Tokens, error) {
			return w.Refresh(t.Context(), "fabrikam.example", directory.Client{ID: directory.CommandLineApp}, third.Refresh, "", origin)
		},
		"cut off": func() (directory.Tokens, error) { return w.refresh(third.Refresh[:40]) },
		"changed": func() (directory.Tokens, error) { return w.refresh(third.Refresh[:60] + "AAAA") },
		"empty":   func() (directory.Tokens, error) { return w.refresh("") },
	} {
		if _, err := try(); reasonOf(err) != directory.InvalidRefreshToken {
			t.Errorf("%s: %v, want %s", name, err, directory.InvalidRefreshToken)
		}
	}
	if _, err := w.refresh(second.Refresh); err != nil {
		t.Errorf("what was tried in vain ended the sign-in: %v", err)
	}
	w.pass(2 * time.Second) // 11 s after its use: somebody has a copy
	if _, err := w.refresh(first.Refresh); reasonOf(err) != directory.InvalidRefreshToken {
		t.Errorf("reuse: %v, want %s", err, directory.InvalidRefreshToken)
	}
	if e := w.last(); e.action != "token.refresh" || e.decision != "deny" {
		t.Errorf("recorded %+v", e)
	}
	if _, err := w.refresh(third.Refresh); reasonOf(err) != directory.InvalidRefreshToken {
		t.Errorf("the chain lives on after a reuse: %v", err)
	}
}

func TestRefreshEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice")
	for name, end := range map[string]func(){
		"after 90 days": func() { w.pass(90 * 24 * time.Hour) },
		"after a new password": func() {
			if err := w.SetPassword(t.Context(), system, contoso.ID, alice.UPN, password, false); err != nil {
				t.Fatal(err)
			}
		},
	} {
		tokens := w.mustSignIn(alice)
		w.pass(89 * 24 * time.Hour)
		tokens, err := w.refresh(tokens.Refresh)
		if err != nil {
			t.Fatalf("after 89 days: %v", err)
		}
		end()
		if _, err := w.refresh(tokens.Refresh); reasonOf(err) != directory.InvalidRefreshToken {
			t.Errorf("%s: %v, want %s", name, err, directory.InvalidRefreshToken)
		}
	}
	tokens := w.mustSignIn(alice)
	if _, err := w.Refresh(t.Context(), "common", directory.Client{ID: "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, tokens.Refresh, "", origin); reasonOf(err) != directory.InvalidRefreshToken {
		t.Errorf("another client: %v, want %s", err, directory.InvalidRefreshToken)
	}
}

func TestSignInsSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	tokens, pending := w.mustSignIn(alice), w.mustStart("common")
	w.start()
	if _, err := w.verifier(apiAudience).Verify(t.Context(), tokens.Access); err != nil {
		t.Errorf("access token: %v", err)
	}
	if _, err := w.refresh(tokens.Refresh); err != nil {
		t.Errorf("refresh token: %v", err)
	}
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: pending.UserCode, UPN: alice.UPN, Password: password, From: origin}); err != nil {
		t.Errorf("user code: %v", err)
	}
	if _, err := w.redeem("common", pending.Code); err != nil {
		t.Errorf("device code: %v", err)
	}
}

// No secret that the service has given out, and no private key, may stand in its database.
func TestDatabaseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	_, secret := w.mustApp(contoso)
	tokens, d := w.mustSignIn(w.mustPerson(contoso, "alice")), w.mustStart("common")
	secrets := map[string][]byte{
		"password": []byte(password), "app secret": []byte(secret), "refresh token": []byte(tokens.Refresh),
		"device code": []byte(d.Code), "user code": []byte(strings.ReplaceAll(d.UserCode, "-", "")),
		"PKCS #8 of an RSA key": {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}, // its OID
	}
	for i, p := range directory.PrimesForTest(t, w.Service) {
		secrets["prime "+strconv.Itoa(i)+" of the issuer key"] = p
	}
	stored := 0
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(w.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		stored += bytes.Count(raw, []byte("alice@contoso.example"))
		for name, s := range secrets {
			if bytes.Contains(raw, s) {
				t.Errorf("the database file%s holds the %s", suffix, name)
			}
		}
	}
	if stored == 0 {
		t.Error("the database file does not hold what it should: this test looks in the wrong place")
	}
}
