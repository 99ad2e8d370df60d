package directory_test

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

var origin = directory.Origin{Address: "192.0.2.7", Request: "r1"}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	alice := w.mustPerson(contoso, "alice", directory.GlobalReader)
	for _, tt := range []struct {
		name, authority, upn, password string
		code                           fault.Code
		reason                         string
		recorded                       string // the log in which the refusal stands
	}{
		{"by tenant id", contoso.ID, alice.UPN, password, "", "", contoso.ID},
		{"by domain", "contoso.example", alice.UPN, password, "", "", contoso.ID},
		{"by common", "common", "Alice@CONTOSO.example ", password, "", "", contoso.ID},
		{"by organizations", "organizations", alice.UPN, password, "", "", contoso.ID},
		{"wrong password", "common", alice.UPN, "wrong horse battery", fault.Unauthenticated, directory.InvalidCredentials, contoso.ID},
		{"empty password", "common", alice.UPN, "", fault.Unauthenticated, directory.InvalidCredentials, contoso.ID},
		{"huge password", "common", alice.UPN, strings.Repeat("x", 60_000), fault.Unauthenticated, directory.InvalidCredentials, contoso.ID},
		{"unknown name", "common", "mallory@contoso.example", password, fault.Unauthenticated, directory.InvalidCredentials, contoso.ID},
		{"unknown domain", "common", "alice@nowhere.example", password, fault.Unauthenticated, directory.InvalidCredentials, ""},
		{"no domain", "common", "alice", password, fault.Unauthenticated, directory.InvalidCredentials, ""},
		{"not even a name", contoso.ID, "\x00 or 1=1", password, fault.Unauthenticated, directory.InvalidCredentials, contoso.ID},
		{"other tenant", fabrikam.ID, alice.UPN, password, fault.Unauthenticated, directory.InvalidCredentials, fabrikam.ID},
		{"no such tenant", "nowhere.example", alice.UPN, password, fault.NotFound, directory.TenantNotFound, ""},
	} {
		before := w.count()
		p, err := w.Authenticate(t.Context(), tt.authority, tt.upn, tt.password, origin)
		if tt.code == "" {
			if err != nil || p.ID != alice.ID {
				t.Errorf("%s: %+v, %v", tt.name, p, err)
			}
		} else if e := fault.As(err); err == nil || e.Code != tt.code || e.Reason != tt.reason || p.ID != "" {
			t.Errorf("%s: %v (%s %s), want %s %s", tt.name, err, e.Code, e.Reason, tt.code, tt.reason)
		}
		if tt.recorded == "" {
			if w.count() != before {
				t.Errorf("%s: recorded %+v, in nobody's log", tt.name, w.last())
			}
			continue
		}
		e := w.last()
		if w.count() != before+1 || e.tenant != tt.recorded || e.action != "signin.password" || e.caller.Address != origin.Address ||
			(e.decision == "allow") != (tt.code == "") {
			t.Errorf("%s: recorded %+v", tt.name, e)
		}
	}
}

// Not parallel: it looks at what the whole process allocates. A hash takes 19 MiB, so that
// shows whether one was computed, on the slowest machine too.
func TestUnknownNamesCostAsMuchWork(t *testing.T) {
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	for _, upn := range []string{alice.UPN, "mallory@contoso.example", "alice@nowhere.example", "noise"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := w.Authenticate(t.Context(), "common", upn, "wrong horse battery", origin); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took < 19<<20 || took > 25<<20 {
			t.Errorf("%s: %d bytes, want one hash of 19 MiB", upn, took)
		}
	}
}

func TestSignInThatCannotBeRecordedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.mustPerson(w.mustTenant("contoso.example"), "alice")
	w.setDeaf(true)
	if _, err := w.Authenticate(t.Context(), "common", alice.UPN, password, origin); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want %s", err, fault.Unavailable)
	}
}

func TestGuessingIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice")
	try := func(upn, password string) error {
		_, err := w.Authenticate(t.Context(), "common", upn, password, origin)
		return err
	}
	for _, upn := range []string{alice.UPN, "mallory@contoso.example"} { // a name that is not known closes just so
		for range 5 {
			if err := try(upn, "wrong horse battery"); !fault.Is(err, fault.Unauthenticated) {
				t.Fatalf("%s: %v", upn, err)
			}
		}
		recorded := w.count()
		if err := try(upn, password); !fault.Is(err, fault.Throttled) || fault.As(err).Hint == "" {
			t.Errorf("%s after five failures: %v, want %s", upn, err, fault.Throttled)
		}
		if w.count() != recorded {
			t.Error("a guess that was not looked at was recorded: guessing fills the log")
		}
	}
	w.pass(-24 * time.Hour) // a clock set back must not close the name for a day
	if err := try(alice.UPN, password); !fault.Is(err, fault.Throttled) {
		t.Errorf("with the clock set back: %v, want %s", err, fault.Throttled)
	}
	w.pass(31 * time.Second)
	if err := try(alice.UPN, "wrong horse battery"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("after the wait: %v", err)
	}
	w.pass(31 * time.Second)
	if err := try(alice.UPN, password); !fault.Is(err, fault.Throttled) {
		t.Errorf("the second wait is no longer than the first: %v", err)
	}
	w.pass(time.Minute)
	for range 2 {
		if err := try(alice.UPN, password); err != nil {
			t.Errorf("after the second wait: %v", err)
		}
	}
}

func TestManySignInsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice, bob := w.mustPerson(contoso, "alice"), w.mustPerson(contoso, "bob")
	var wg sync.WaitGroup
	var looked atomic.Int32
	for range 20 {
		wg.Go(func() {
			if _, err := w.Authenticate(t.Context(), "common", alice.UPN, password, origin); err != nil {
				t.Errorf("the right password: %v", err)
			}
		})
	}
	for range 80 {
		wg.Go(func() {
			_, err := w.Authenticate(t.Context(), "common", bob.UPN, "wrong horse battery", origin)
			switch {
			case fault.Is(err, fault.Unauthenticated):
				looked.Add(1)
			case !fault.Is(err, fault.Throttled):
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
	wg.Wait()
	if n := looked.Load(); n < 5 || n > 5+3 { // three more may have had a slot already
		t.Errorf("%d of 80 guesses at once were looked at, want 5 to 8", n)
	}
}

func TestOneTimePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	once := directory.GeneratePassword()
	bob, err := w.CreatePerson(t.Context(), system, directory.Person{Tenant: contoso.ID, UPN: "bob@contoso.example"}, once, true)
	if err != nil || !bob.MustChangePassword {
		t.Fatalf("%+v, %v", bob, err)
	}
	if _, err := w.Authenticate(t.Context(), "common", bob.UPN, once, origin); fault.As(err).Reason != directory.PasswordMustChange {
		t.Errorf("a one-time password: %v, want %s", err, directory.PasswordMustChange)
	}
	if _, err := w.Authenticate(t.Context(), "common", bob.UPN, once+"x", origin); fault.As(err).Reason != directory.InvalidCredentials {
		t.Errorf("a wrong one-time password: %v, want %s", err, directory.InvalidCredentials)
	}
	for _, bad := range []string{"short", once, strings.Repeat("x", 300), "bad utf-8 \xff\xff\xff"} {
		if _, err := w.ApproveDevice(t.Context(), w.approval(bob.UPN, once, bad)); fault.As(err).Reason != directory.WeakPassword {
			t.Errorf("new password %.20q: %v, want %s", bad, err, directory.WeakPassword)
		}
	}
	if _, err := w.ApproveDevice(t.Context(), w.approval(bob.UPN, once, password)); err != nil {
		t.Fatal(err)
	}
	if p, err := w.Authenticate(t.Context(), "common", bob.UPN, password, origin); err != nil || p.MustChangePassword {
		t.Errorf("the new password: %+v, %v", p, err)
	}
	if _, err := w.Authenticate(t.Context(), "common", bob.UPN, once, origin); err == nil {
		t.Error("the one-time password works twice")
	}
}

func TestDisabledPersonGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice")
	tokens := w.mustSignIn(alice)
	approved := w.mustStart("common")
	if _, err := w.ApproveDevice(t.Context(), directory.Approval{UserCode: approved.UserCode, UPN: alice.UPN, Password: password, From: origin}); err != nil {
		t.Fatal(err)
	}

	if err := w.SetDisabled(t.Context(), system, contoso.ID, alice.UPN, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), "common", alice.UPN, password, origin); fault.As(err).Reason != directory.AccountDisabled {
		t.Errorf("password: %v, want %s", err, directory.AccountDisabled)
	}
	if _, err := w.Authenticate(t.Context(), "common", alice.UPN, "wrong horse battery", origin); fault.As(err).Reason != directory.InvalidCredentials {
		t.Errorf("wrong password: %v, want %s", err, directory.InvalidCredentials)
	}
	for _, disabled := range []bool{true, false} { // being enabled again brings no old sign-in back
		if err := w.SetDisabled(t.Context(), system, contoso.ID, alice.ID, disabled); err != nil {
			t.Fatal(err)
		}
		if _, err := w.refresh(tokens.Refresh); fault.As(err).Reason != directory.InvalidRefreshToken {
			t.Errorf("refresh token, disabled %v: %v, want %s", disabled, err, directory.InvalidRefreshToken)
		}
		if _, err := w.redeem("common", approved.Code); fault.As(err).Reason != directory.UnknownCode {
			t.Errorf("approved code, disabled %v: %v, want %s", disabled, err, directory.UnknownCode)
		}
	}
	if _, err := w.Authenticate(t.Context(), "common", alice.UPN, password, origin); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

func TestGeneratedPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		p := directory.GeneratePassword()
		if len(p) != 23 || seen[p] || strings.ContainsAny(p, "aeiouAEIOUlI10") {
			t.Fatalf("%q", p)
		}
		seen[p] = true
	}
}
