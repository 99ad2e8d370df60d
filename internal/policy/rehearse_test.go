package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-48 to CK-50, CK-71, CK-260: what a rehearsal shows, for each family and scenario. Nothing
// but the record of it changes, and no vault is asked.
func TestCK260_Rehearsals(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("tenant")
		c.mustAssign("tenant")
		c.mustMake(policy.Mailbox, "mail")
		if err := w.service.SetDefault(t.Context(), c.admin, "mail"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Register(t.Context(), c.admin, "nam", [2]policy.RootKey{{URI: c.keys[0]}, {URI: c.keys[1]}}); err != nil {
			t.Fatal(err)
		}
		c.mustSeal("documents", "a", "b")
		c.mustSeal("exchange", "alice")
		c.mustSeal("sharepoint", "nam:site")
		w.work()
		limited := c.mustMake(policy.Mailbox, "limited")
		if err := w.service.SetAvailabilityLimit(t.Context(), c.admin, policy.Mailbox, limited.ID, new(int)); err != nil {
			t.Fatal(err)
		}

		for _, tt := range []struct {
			identity       string
			scenario       policy.Scenario
			users, service bool
			until          time.Duration
			keys           int64
		}{
			{"tenant", policy.RevokeRoot, true, true, 0, 2},
			{"tenant", policy.LoseRoot, true, true, 0, 2},
			{"tenant", policy.RevokeBoth, false, true, w.keys.Life(hierarchy.InTurn), 2}, // CK-50: system work by the availability key
			{"tenant", policy.LoseBoth, false, true, w.keys.Life(hierarchy.InTurn), 2},
			{"tenant", policy.PurgeAll, false, false, w.keys.Life(hierarchy.InTurn), 2},
			{"mail", policy.RevokeRoot, true, true, 0, 1},
			{"mail", policy.RevokeBoth, false, true, w.keys.Life(hierarchy.InTurn), 1},
			{"mail", policy.PurgeAll, false, false, w.keys.Life(hierarchy.InTurn), 1},
			{"limited", policy.RevokeBoth, false, false, w.keys.Life(hierarchy.InTurn), 0}, // no use after a denial is allowed
			{"nam", policy.RevokeRoot, true, true, 0, 1},
			{"nam", policy.LoseBoth, false, false, w.keys.Life(hierarchy.Hedged), 1}, // CK-71: never by itself
			{"nam", policy.PurgeAll, false, false, w.keys.Life(hierarchy.Hedged), 1},
		} {
			state := func() any {
				p, err := c.rows.Prospect(t.Context(), c.id)
				if err != nil {
					t.Fatal(err)
				}
				keys, err := w.service.AvailabilityKeys(t.Context(), c.admin, "", "")
				if err != nil {
					t.Fatal(err)
				}
				return []any{p, keys, w.vaults.calls()}
			}
			before, entries := state(), len(c.entries())
			got, err := w.service.Rehearse(t.Context(), c.admin, tt.identity, tt.scenario)
			if err != nil || len(got) != 1 {
				t.Errorf("%s %s: %+v, %v", tt.identity, tt.scenario, got, err)
				continue
			}
			o := got[0]
			if o.Users != tt.users || o.Service != tt.service || o.Until != tt.until || o.Under.Keys != tt.keys || o.Destroyed != (tt.scenario == policy.PurgeAll) || len(o.Recovery) == 0 {
				t.Errorf("%s %s: %+v, want %+v", tt.identity, tt.scenario, o, tt)
			}
			if o.ByAvailable != (!tt.users && tt.service) {
				t.Errorf("%s %s: by the availability key: %v", tt.identity, tt.scenario, o.ByAvailable)
			}
			if diff := cmp.Diff(before, state()); diff != "" {
				t.Errorf("%s %s has changed something:\n%s", tt.identity, tt.scenario, diff)
			}
			if lines := c.entries()[entries:]; len(lines) != 1 || lines[0][:len("allow policy.rehearse")] != "allow policy.rehearse" {
				t.Errorf("%s %s: recorded %q", tt.identity, tt.scenario, lines)
			}
		}
		if _, err := w.service.Rehearse(t.Context(), c.admin, "tenant", "Flood"); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown scenario: %v", err)
		}
		reader := c.admin
		reader.Roles = []directory.Role{directory.GlobalReader}
		if _, err := w.service.Rehearse(t.Context(), reader, "tenant", policy.LoseBoth); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a reader: %v", err)
		}
	})
}

// What was rehearsed is what happens when it is done for real: people read on by one root, and
// without both no longer than the rehearsal says.
func TestWhatWasRehearsedHappens(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("tenant")
		c.mustAssign("tenant")
		c.mustSeal("documents", "a")
		rehearsed := func(sc policy.Scenario) policy.Outcome {
			got, err := w.service.Rehearse(t.Context(), c.admin, "tenant", sc)
			if err != nil || len(got) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			return got[0]
		}
		one, both := rehearsed(policy.RevokeRoot), rehearsed(policy.RevokeBoth)
		w.vaults.deny(c.keys[0])
		time.Sleep(2 * both.Until)
		if err := c.reopen(); (err == nil) != one.Users {
			t.Errorf("with one root: %v, rehearsed %+v", err, one)
		}
		w.vaults.deny(c.keys[1])
		time.Sleep(both.Until + time.Second)
		if err := c.reopen(); (err == nil) != both.Users || !fault.Is(err, fault.Denied) {
			t.Errorf("with none: %v, rehearsed %+v", err, both)
		}
	})
}
