package rootcheck_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	. "github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// good is the sight of a key with which nothing is wrong.
func good() Sight {
	versions, life := 1, ""
	return Sight{
		Key: "contoso-east/root1", Level: "Recoverable+ProtectedSubscription", Now: now, InUse: "https://e/keys/k/1", Versions: &versions, Rotation: &life,
		Facts: &rootkey.Facts{
			KeyID: "https://e/keys/k/1", Type: "RSA-HSM", Bits: 2048, Enabled: true, Ops: []string{"wrapKey", "unwrapKey"},
			RecoveryLevel: "Recoverable+ProtectedSubscription",
		},
	}
}

// TestTable is section 3.6 for one root key, and what is looked at while it serves: one line for
// each way to be wrong, with the check that finds it, its outcome in service, and whether a policy
// is made with it.
func TestTable(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, tt := range []struct {
		name    string
		change  func(s *Sight)
		check   string
		outcome Outcome
		refused bool
	}{
		{"CK-166 EC", func(s *Sight) { s.Facts.Type, s.Facts.Bits = "EC", 0 }, "type", Fail, true},
		{"CK-16 too small", func(s *Sight) { s.Facts.Bits = 1024 }, "size", Fail, true},
		{"CK-170 disabled", func(s *Sight) { s.Facts.Enabled = false }, "enabled", Fail, true},
		{"CK-170 not before", func(s *Sight) { s.Facts.NotBefore = now.Add(time.Minute) }, "notBefore", Fail, true},
		{"X-28 not before, past", func(s *Sight) { s.Facts.NotBefore = now.Add(-time.Minute) }, "", "", false},
		{"CK-167 expires in years", func(s *Sight) { s.Facts.Expires = now.AddDate(3, 0, 0) }, "expiry", Warn, true},
		{"CK-228 expires in 31 days", func(s *Sight) { s.Facts.Expires = now.Add(31 * day) }, "expiry", Warn, true},
		{"CK-228 expires in 30 days", func(s *Sight) { s.Facts.Expires = now.Add(30 * day) }, "expiry expiring", Warn, true},
		{"CK-61 has expired", func(s *Sight) { s.Facts.Expires = now.Add(-day) }, "expiry expiring", Warn, true},
		{"CK-210 never, at midnight in Kiritimati", func(s *Sight) { s.Facts.Expires = time.Date(9999, 12, 30, 10, 0, 0, 0, time.UTC) }, "", "", false},
		{"CK-210 a second before", func(s *Sight) { s.Facts.Expires = time.Date(9999, 12, 30, 9, 59, 59, 0, time.UTC) }, "expiry", Warn, true},
		{"CK-206 purgeable", func(s *Sight) { s.Facts.RecoveryLevel = "Recoverable+Purgeable" }, "recoveryLevel", Warn, true},
		{"CK-168 not protected", func(s *Sight) { s.Facts.RecoveryLevel = "Recoverable" }, "recoveryLevel", Warn, true},
		{"X-12 that is enough", func(s *Sight) { s.Facts.RecoveryLevel, s.Level = "Recoverable", "Recoverable" }, "", "", false},
		{"CK-207 less than 90 days", func(s *Sight) { s.Facts.RecoveryLevel = "CustomizedRecoverable" }, "recoveryLevel", Warn, true},
		{"CK-169 wraps only", func(s *Sight) { s.Facts.Ops = []string{"wrapKey"} }, "operations", Fail, true},
		{"CK-243 rolled", func(s *Sight) { s.Facts.KeyID = "https://e/keys/k/2" }, "newest", Warn, false},
		{"KV-69, KV-70 449 versions", func(s *Sight) { *s.Versions = 449 }, "", "", false},
		{"KV-70 450 versions", func(s *Sight) { *s.Versions = 450 }, "versions", Warn, false},
		{"KV-70 more than 500", func(s *Sight) { *s.Versions = CountUpTo }, "versions", Warn, false},
		{"CK-208 rotation sets an expiry", func(s *Sight) { *s.Rotation = "P90D" }, "rotation", Warn, false},
		{"nothing is wrong", func(*Sight) {}, "", "", false},
	} {
		s := good()
		tt.change(&s)
		verdicts := Judge(s)
		var found []string
		for _, v := range verdicts {
			if v.Outcome == Pass {
				if v.Message+v.Hint != "" {
					t.Errorf("%s: %s passes with words: %+v", tt.name, v.Check, v)
				}
				continue
			}
			found = append(found, v.Check)
			if v.Outcome != tt.outcome || !strings.Contains(v.Message, "contoso-east/root1") || v.Hint == "" || v.Row == "" {
				t.Errorf("%s: %+v, want %s", tt.name, v, tt.outcome)
			}
		}
		if strings.Join(found, " ") != tt.check {
			t.Errorf("%s: found by %q, want %q", tt.name, found, tt.check)
		}
		if got := len(Refusals(verdicts)) > 0; got != tt.refused {
			t.Errorf("%s: refused %t, want %t", tt.name, got, tt.refused)
		}
	}
}

// Of what was not seen nothing is said, good or bad.
func TestNothingSeen(t *testing.T) {
	t.Parallel()
	for _, v := range Judge(Sight{Key: "k", Now: now}) {
		if v.Outcome != Unknown || v.Message != "" {
			t.Errorf("%+v", v)
		}
	}
	if refused := Refusals(Judge(Sight{Key: "k", Now: now})); len(refused) > 0 {
		t.Errorf("refused for what was not seen: %v", refused)
	}
}

// CK-57 to CK-60, CK-169, CK-170: what a vault's refusal breaks.
func TestAnswer(t *testing.T) {
	t.Parallel()
	denied := func(reason string) error {
		return fault.New(fault.Denied, "no").WithReason(reason).WithHint("grant it")
	}
	for _, tt := range []struct {
		err     error
		row     string
		refused fault.Code
	}{
		{nil, "CK-169", ""},
		{denied("AccessDenied"), "CK-169", fault.Denied},
		{denied("NetworkDenied"), "CK-169", fault.Denied},
		{denied("KeyDisabled"), "CK-170", fault.Denied},
		{denied("KeyExpired"), "CK-167", fault.Denied},
		{denied("KeyNotFound"), "CK-60", fault.Denied},
		{denied("VaultNotFound"), "CK-60", fault.Denied},
		{fault.New(fault.Unavailable, "no route"), "CK-169", fault.Unavailable},
		{fmt.Errorf("secret insides"), "CK-169", fault.Unavailable},
	} {
		v := Answer("get", "contoso-east/root1", tt.err)
		if v.Row != tt.row || v.Refused != tt.refused || (v.Outcome == Pass) != (tt.err == nil) || (v.Hint == "") != (tt.err == nil) {
			t.Errorf("%v: %+v", tt.err, v)
		}
		if strings.Contains(v.Message, "insides") {
			t.Errorf("%q shows its insides", v.Message)
		}
	}
	if v := Hidden("versions", "KV-70", "list"); v.Outcome != Unknown || !strings.Contains(v.Hint, "list") {
		t.Errorf("%+v", v)
	}
}
