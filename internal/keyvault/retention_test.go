package keyvault_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

func TestRecoveryLevel(t *testing.T) { // KV-60
	t.Parallel()
	for _, tt := range []struct {
		days             int
		purge, protected bool
		want             string
	}{
		{90, false, false, "Recoverable+Purgeable"},
		{90, true, false, "Recoverable"},
		{90, false, true, "Recoverable+ProtectedSubscription"},
		{90, true, true, "Recoverable+ProtectedSubscription"},
		{7, false, false, "CustomizedRecoverable+Purgeable"},
		{89, true, false, "CustomizedRecoverable"},
		{7, false, true, "CustomizedRecoverable+ProtectedSubscription"},
		{89, true, true, "CustomizedRecoverable+ProtectedSubscription"},
	} {
		v := keyvault.Vault{RetentionDays: tt.days, PurgeProtection: tt.purge, Protected: tt.protected}
		if level, days := v.Recovery(); level != tt.want || days != tt.days {
			t.Errorf("%+v: %s, %d days", tt, level, days)
		}
	}
}

// TestRecoveryLevelIsComputed: a change of the subscription or the vault shows at once.
func TestRecoveryLevelIsComputed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.SetProtected(true)
		if k := s.mustKey("root1", ""); k.RecoveryLevel != "Recoverable+ProtectedSubscription" || k.RecoverableDays != 90 {
			t.Errorf("level = %s, %d days", k.RecoveryLevel, k.RecoverableDays)
		}
		s.mustDelete("root1")
		wantFault(t, s.PurgeKey(t.Context(), s.admin, "contoso-east", "root1"), fault.Forbidden, keyvault.ReasonForbidden)
		s.SetProtected(false)
		if err := s.PurgeKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
			t.Error(err)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		for i := range 103 { // more than one page of them
			name := fmt.Sprintf("key-%d", i)
			s.mustCreate(name)
			s.mustDelete(name)
		}
		s.mustCreate("live")
		s.mustCreate("back")
		s.mustDelete("back")
		if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "back"); err != nil {
			t.Fatal(err)
		}
		s.Pass(90*24*time.Hour - time.Microsecond)
		mustSweep(t, s, 0)
		s.mustCreate("late")
		s.mustDelete("late")
		s.Entries()
		s.Pass(time.Microsecond)
		mustSweep(t, s, 103)
		mustSweep(t, s, 0)
		entries := s.Entries()
		if e := entries[0]; len(entries) != 103 || e.Decision != audit.Allow || e.Action != "key.purge" || e.Caller.Kind != directory.System {
			t.Errorf("%d entries, the first %+v", len(entries), e)
		}
		if gone, err := s.DeletedKeys(t.Context(), s.admin, "contoso-east", "", 10); err != nil || len(gone) != 1 || gone[0].Name != "late" {
			t.Errorf("still deleted: %v, %v", gone, err)
		}
		s.mustKey("live", "")
		s.mustKey("back", "")
		s.mustCreate("key-7") // the name is free again
	})
}

func mustSweep(t *testing.T, s *stage, want int) {
	t.Helper()
	if n, err := s.Sweep(t.Context()); err != nil || n != want {
		t.Errorf("swept %d, %v; want %d", n, err, want)
	}
}

// TestSweepProtected: retention ends in every level.
func TestSweepProtected(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.SetProtected(true)
		s.mustCreate("root1")
		s.mustDelete("root1")
		s.Pass(91 * 24 * time.Hour)
		s.Deafen(true)
		if n, err := s.Sweep(t.Context()); n != 0 || !fault.Is(err, fault.Unavailable) {
			t.Errorf("swept %d without a record, %v", n, err)
		}
		s.Deafen(false)
		mustSweep(t, s, 1)
	})
}

// TestSweepAfterLeap: a clock that leaps ahead has a day to be set right before it costs a key or a
// vault, purge protection or not; so has one that was behind while something was deleted.
func TestSweepAfterLeap(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	each(t, func(t *testing.T, s *stage) {
		s.MustPutVault(keyvault.VaultSpec{Name: "contoso-west", PurgeProtection: true})
		s.mustDeleteVault("contoso-west")
		s.mustCreate("root1")
		s.mustDelete("root1")
		leap := func(d time.Duration) {
			t.Helper()
			s.Leap(d)
			if n, err := s.Sweep(t.Context()); n != 0 || !fault.Is(err, fault.Unavailable) {
				t.Errorf("swept %d after a leap, %v", n, err)
			}
			mustSweep(t, s, 0) // said once
		}
		leap(365 * day)
		s.Pass(day - time.Second)
		mustSweep(t, s, 0)
		s.Leap(-365 * day) // set right
		mustSweep(t, s, 0)
		if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
			t.Fatal(err)
		}

		s.Leap(-365 * day) // behind
		mustSweep(t, s, 0)
		s.mustDelete("root1")
		leap(365 * day)
		s.Pass(day)
		mustSweep(t, s, 1) // nobody has said anything for a day
		s.Pass(89 * day)
		mustSweep(t, s, 1)
	})
}
