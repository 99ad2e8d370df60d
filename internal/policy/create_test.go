package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

func draft(name string, uris ...string) policy.Draft {
	return policy.Draft{Family: policy.MultiWorkload, Name: name, KeyURIs: uris, Enabled: true}
}

// rowsOf returns the rows that a refusal names.
func rowsOf(t *testing.T, err error) (rows []string) {
	t.Helper()
	var found policy.Findings
	if !errors.As(err, &found) {
		t.Fatalf("%v has no findings", err)
	}
	for _, f := range found {
		if f.Message == "" || f.Hint == "" || f.Key == "" {
			t.Errorf("finding %+v lacks something", f)
		}
		rows = append(rows, f.Row)
	}
	return rows
}

func TestCK230_CreateMakesKeysAtOnce(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		p, err := w.service.Create(t.Context(), c.admin, policy.Draft{
			Family: policy.MultiWorkload, Name: "NAM Policy", Description: "North America", Enabled: true, // a space
			KeyURIs: []string{c.keys[0] + "/0123456789abcdef0123456789abcdef", strings.ToUpper(c.keys[1][:30]) + c.keys[1][30:] + "/"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := policy.Policy{
			Tenant: c.id, ID: p.ID, Family: policy.MultiWorkload, Name: "NAM Policy", Description: "North America",
			Enabled: true, State: policy.PendingActivation, AvailabilityKey: p.AvailabilityKey,
			Roots: [2]hierarchy.RootRef{ // versionless, CK-85: canonical, CK-221: the principal
				{Tenant: c.id, App: directory.MultiWorkloadApp, URI: c.keys[0]},
				{Tenant: c.id, App: directory.MultiWorkloadApp, URI: c.keys[1]},
			},
			Generation: p.Generation, Number: 1, Revision: 1, Created: p.Created, Updated: p.Created,
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("policy (-want +got):\n%s", diff)
		}
		if p.ID == "" || p.Generation == "" || p.AvailabilityKey == "" || p.Created.IsZero() {
			t.Errorf("something is missing: %+v", p)
		}
		got, err := w.service.Get(t.Context(), c.admin, policy.MultiWorkload, "nam policy")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("read back: %v\n%s", err, diff)
		}
		g, err := w.rows.Generation(t.Context(), c.id, p.Generation)
		if err != nil || g.State != hierarchy.Active || g.Policy != p.ID || g.Roots[0].KeyID != kid(c.keys[0], 1) {
			t.Errorf("first generation: %+v, %v", g, err)
		}
	})
}

// Each row breaks one condition on the second root key.
func TestCreateRefusesBadRoots(t *testing.T) {
	never := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		row    string // "": accepted
		change func(k *vaultKey)
		code   fault.Code
	}{
		{"CK166 CK-15 elliptic curve", "CK-166", func(k *vaultKey) { k.facts.Type, k.facts.Bits = "EC", 0 }, fault.Invalid},
		{"CK166 oct", "CK-166", func(k *vaultKey) { k.facts.Type, k.facts.Bits = "oct-HSM", 256 }, fault.Invalid},
		{"CK166 too small", "CK-166", func(k *vaultKey) { k.facts.Bits = 1024 }, fault.Invalid},
		{"CK16 4096 bits in an HSM", "", func(k *vaultKey) { k.facts.Type, k.facts.Bits = "RSA-HSM", 4096 }, ""},
		{"CK170 disabled", "CK-170", func(k *vaultKey) { k.facts.Enabled = false }, fault.Conflict},
		{"CK170 not before tomorrow", "CK-170", func(k *vaultKey) { k.facts.NotBefore = time.Now().Add(24 * time.Hour) }, fault.Conflict},
		{"X28 not before yesterday", "", func(k *vaultKey) { k.facts.NotBefore = time.Now().Add(-24 * time.Hour) }, ""},
		{"CK167 expires next year", "CK-167", func(k *vaultKey) { k.facts.Expires = time.Now().AddDate(1, 0, 0) }, fault.Conflict},
		{"CK167 expired", "CK-167", func(k *vaultKey) { k.facts.Expires = time.Now().AddDate(-1, 0, 0) }, fault.Conflict},
		{"CK167 a day before never", "CK-167", func(k *vaultKey) { k.facts.Expires = never.AddDate(0, 0, -2) }, fault.Conflict},
		{"CK210 midnight in UTC", "", func(k *vaultKey) { k.facts.Expires = never }, ""},
		{"CK210 midnight in Kiritimati", "", func(k *vaultKey) { k.facts.Expires = never.Add(-14 * time.Hour) }, ""},
		{"CK210 midnight on Baker Island", "", func(k *vaultKey) { k.facts.Expires = never.Add(12 * time.Hour) }, ""},
		{"CK210 the last second", "", func(k *vaultKey) { k.facts.Expires = never.Add(24*time.Hour - time.Second) }, ""},
		{"CK168 purgeable", "CK-168", func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable+Purgeable" }, fault.Conflict},
		{"CK168 without mandatory retention", "CK-168", func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable" }, fault.Conflict},
		{"CK207 less than 90 days", "CK-168", func(k *vaultKey) { k.facts.RecoveryLevel = "CustomizedRecoverable+ProtectedSubscription" }, fault.Conflict},
		{"CK168 none given", "CK-168", func(k *vaultKey) { k.facts.RecoveryLevel = "" }, fault.Conflict},
		{"CK169 wraps only", "CK-169", func(k *vaultKey) { k.facts.Ops = []string{"wrapKey"} }, fault.Conflict},
		{"CK169 names in any case", "", func(k *vaultKey) { k.facts.Ops = []string{"WRAPKEY", "unwrapkey", "sign"} }, ""},
		{"CK169 no permission to get", "CK-169", func(k *vaultKey) {
			k.failed = fault.New(fault.Denied, "no permission").WithReason("AccessDenied").WithHint("grant it")
		}, fault.Denied},
		{"CK169 no permission to wrap", "CK-169", func(k *vaultKey) {
			k.useOnly = fault.New(fault.Denied, "no permission").WithReason("AccessDenied").WithHint("grant it")
		}, fault.Denied},
		{"CK60 deleted", "CK-60", func(k *vaultKey) {
			k.failed = fault.New(fault.Denied, "it is not there").WithReason("KeyNotFound").WithHint("recover it")
		}, fault.Denied},
		{"CK54 vault cannot be reached", "CK-169", func(k *vaultKey) {
			k.failed = fault.New(fault.Unavailable, "no route").WithReason("Unreachable").WithHint("check the network")
		}, fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.tenant()
				w.vaults.change(c.keys[1], tt.change)
				p, err := w.service.Create(t.Context(), c.admin, draft("p", c.keys[:]...))
				if tt.row == "" {
					if err != nil {
						t.Fatalf("refused: %v", err)
					}
					return
				}
				if !fault.Is(err, tt.code) || fault.As(err).Reason != tt.row || fault.As(err).Hint == "" || p.ID != "" {
					t.Fatalf("got %v (%s, %s), want %s by %s with a hint", err, fault.CodeOf(err), fault.As(err).Reason, tt.code, tt.row)
				}
				if all, err := w.service.List(t.Context(), c.admin, policy.MultiWorkload); err != nil || len(all) != 0 {
					t.Errorf("%d policies are there after a refusal, %v", len(all), err)
				}
				log := c.entries()
				if last := log[len(log)-1]; !strings.HasPrefix(last, "fail policy.create ") {
					t.Errorf("last entry %q", last)
				}
			})
		})
	}
}

func TestX12_RecoveryLevelIsASetting(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.RecoveryLevel = "Recoverable" }, func(t *testing.T, w *world) {
		c := w.tenant()
		w.vaults.change(c.keys[0], func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable" })
		c.mustCreate("p") // the other key has the stronger level
		w.vaults.change(c.keys[0], func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable+Purgeable" })
		if _, err := w.service.Create(t.Context(), c.admin, draft("q", c.keys[:]...)); !fault.Is(err, fault.Conflict) {
			t.Errorf("Recoverable+Purgeable: %v", err)
		}
	})
}

// All that is wrong with both keys comes at once.
func TestCK307_AllFindingsAtOnce(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		w.vaults.change(c.keys[0], func(k *vaultKey) {
			k.facts.Type, k.facts.Enabled, k.facts.RecoveryLevel, k.facts.Ops = "EC", false, "Purgeable", nil
			k.facts.Expires, k.facts.NotBefore = time.Now().Add(time.Hour), time.Now().Add(time.Minute)
		})
		w.vaults.cut(c.spare[0])
		_, err := w.service.Create(t.Context(), c.admin, draft("p", c.keys[0], c.spare[0]))
		want := []string{"CK-165", "CK-166", "CK-170", "CK-170", "CK-167", "CK-168", "CK-169"}
		if diff := cmp.Diff(want, rowsOf(t, err)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Hint, "(7)") {
			t.Errorf("%s, hint %q", fault.CodeOf(err), fault.As(err).Hint)
		}
	})
}

// Nothing is asked before both URIs are known to be vaults of this environment.
func TestCK164_URIsAreCheckedBeforeAnyConnection(t *testing.T) {
	tests := []struct {
		name   string
		uris   func(c *tenant) []string
		reason string
	}{
		{"CK164 none", func(c *tenant) []string { return nil }, "CK-164"},
		{"CK164 one", func(c *tenant) []string { return c.keys[:1] }, "CK-164"},
		{"X5 three", func(c *tenant) []string { return []string{c.keys[0], c.keys[1], c.spare[0]} }, "CK-164"},
		{"CK85 foreign host", func(c *tenant) []string { return []string{c.keys[0], "https://10.0.0.1/keys/k"} }, "CK-85"},
		{"CK85 look-alike host", func(c *tenant) []string {
			return []string{"https://east.vault.localhost:8443.example/keys/k", c.keys[1]}
		}, "CK-85"},
		{"CK85 no URI at all", func(c *tenant) []string { return []string{"", "\x00"} }, "CK-85"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.tenant()
				before := w.vaults.calls()
				_, err := w.service.Create(t.Context(), c.admin, draft("p", tt.uris(c)...))
				if !fault.Is(err, fault.Invalid) || fault.As(err).Reason != tt.reason {
					t.Errorf("got %v (%s), want %s", err, fault.As(err).Reason, tt.reason)
				}
				if w.vaults.calls() != before {
					t.Error("a vault was asked")
				}
			})
		})
	}
}

func TestCK165_SameVaultTwice(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		for _, second := range []string{c.keys[0], c.spare[0], strings.ToUpper(c.spare[0][:20]) + c.spare[0][20:]} {
			_, err := w.service.Create(t.Context(), c.admin, draft("p", c.keys[0], second))
			if !fault.Is(err, fault.Invalid) || !slices.Contains(rowsOf(t, err), "CK-165") {
				t.Errorf("%s and %s: %v", c.keys[0], second, err)
			}
		}
	})
}

func TestCK182_NamesAreUniqueInAnyCase(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		c.mustCreate("Größe K")
		for _, name := range []string{"Größe K", "gRÖSSE K", "GRÖßE k", "größe \u212a" /* the Kelvin sign */} {
			_, err := w.service.Create(t.Context(), c.admin, draft(name, c.keys[:]...))
			if want := name != "gRÖSSE K"; fault.Is(err, fault.Conflict) != want || want && fault.As(err).Reason != policy.ReasonNameTaken {
				t.Errorf("%q: %v", name, err)
			}
		}
		other.mustCreate("Größe K") // another tenant's names are its own
		c.mustCreate("Service-managed keys")
	})
}

func TestNamesAndDescriptions(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		before := w.vaults.calls()
		bad := []policy.Draft{
			{Name: ""}, {Name: strings.Repeat("n", 65)}, {Name: "line\nbreak"}, {Name: "bell\a"}, {Name: " lead"}, {Name: "trail "},
			{Name: "in\u202evisible"}, {Name: "\xff"}, {Name: "0f0e0d0c-0b0a-4908-8706-050403020100"},
			{Name: "ok", Description: strings.Repeat("d", 1025)}, {Name: "ok", Description: "a\x00b"},
		}
		for _, d := range bad {
			d.Family, d.KeyURIs = policy.MultiWorkload, c.keys[:]
			if _, err := w.service.Create(t.Context(), c.admin, d); !fault.Is(err, fault.Invalid) || fault.As(err).Hint == "" {
				t.Errorf("name %q, description %.20q: %v", d.Name, d.Description, err)
			}
		}
		if w.vaults.calls() != before {
			t.Error("a vault was asked")
		}
		c.mustCreate(strings.Repeat("ü", 64))
	})
}

// Without the record nothing happens, and nobody is asked.
func TestRecordFirst(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustCreate("p")
		c.mustAssign("p")
		w.work()
		before, asked := c.mustStatus("p"), w.vaults.calls()
		w.log.refuse = func(e audit.Entry) bool { return strings.HasPrefix(e.Action, "policy.") }
		name := "q"
		for what, err := range map[string]error{
			"create":   second(w.service.Create(t.Context(), c.admin, draft("q", c.keys[:]...))),
			"update":   second(w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "p", policy.Change{Name: &name})),
			"refresh":  second(w.service.Refresh(t.Context(), c.admin, policy.MultiWorkload, "p")),
			"assign":   w.service.Assign(t.Context(), c.admin, "p"),
			"unassign": w.service.Assign(t.Context(), c.admin, ""),
			"a denial": second(w.service.List(t.Context(), directory.Caller{Tenant: c.id, Kind: directory.User}, policy.MultiWorkload)),
		} {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s without a record: %v", what, err)
			}
		}
		w.log.refuse = nil
		if after := c.mustStatus("p"); !cmp.Equal(before, after) || w.vaults.calls() != asked || after.Policy.Revision != p.Revision+1 {
			t.Errorf("something happened:\n%s", cmp.Diff(before, after))
		}
	})
}

func second[T any](_ T, err error) error { return err }
