package onboarding_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// Sections 1.5, 3.4, 3.6 and 4.2: one row for each way in which an organization may not be ready.
// What fails is exactly what is wrong, and each failure says what to type.
func TestChecks(t *testing.T) {
	t.Parallel()
	never := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	subscriptionSays := func(from, to string) func(w *world, in *onboarding.Input) {
		return func(w *world, _ *onboarding.Input) {
			w.rewrite.set(replace("/subscriptions/"+w.subscriptions[0].ID, from, to))
		}
	}
	key := func(k keyvault.NewKey) func(w *world, in *onboarding.Input) {
		return func(w *world, in *onboarding.Input) {
			name := "k" + uuid.NewString()
			w.mustKey("contoso-east", name, k)
			in.Keys[0] = w.vault.VaultURL("contoso-east") + "/keys/" + name
		}
	}
	ops := []string{"wrapKey", "unwrapKey"}
	disabled, byRoles := false, true
	w := newWorld(t, onboarding.ByApproval) // one for all, for making one takes long; restored before each
	for _, tt := range []struct {
		name   string
		change func(w *world, in *onboarding.Input)
		fails  string // rows
		warns  string // beside those that always come
		next   string // in what to do next
	}{
		{"CK-155 CK-227 all is well", func(*world, *onboarding.Input) {}, "", "", ""},
		{"CK-37 CK-165 the same subscription twice", func(_ *world, in *onboarding.Input) { in.Subscriptions[1] = in.Subscriptions[0] },
			"CK-165", "", "New-AzSubscriptionAlias"},
		{"CK-165 CK-155 vault in another subscription", func(_ *world, in *onboarding.Input) {
			in.Subscriptions[0], in.Subscriptions[1] = in.Subscriptions[1], in.Subscriptions[0]
		}, "CK-165", "", "give -Subscription1"},
		{"CK-165 the same vault twice", func(_ *world, in *onboarding.Input) {
			in.Keys[1] = in.Keys[0]
		},
			"CK-165", "", "second vault"},
		{"CK-150 no id of a subscription", func(_ *world, in *onboarding.Input) { in.Subscriptions[0] = "../tenants" }, "CK-150", "", "Get-AzSubscription"},
		{"CK-156 no Reader", func(w *world, in *onboarding.Input) { w.looker = w.app("x") }, "CK-156 CK-165", "",
			"New-AzRoleAssignment -ApplicationId 19f7f505-34aa-44a4-9dcc-6a768854d2ea -RoleDefinitionName \"Reader\" -Scope /subscriptions/"},
		{"CK-38 subscription of another directory", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(replace("/subscriptions/"+w.subscriptions[0].ID, w.vault.Tenant, "11111111-2222-4333-8444-555555555555"))
		}, "CK-38", "", "your own organization"},
		{"CK-38 vault of another directory", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(replace("/vaults/contoso-east", `"tenantId":"`+w.vault.Tenant, `"tenantId":"11111111-2222-4333-8444-555555555555`))
		}, "CK-38", "", "your own organization"},
		{"CK-180 CK-214 trial", subscriptionSays(`"spendingLimit":"Off"`, `"spendingLimit":"On"`), "CK-180", "", "paid for"},
		{"CK-180 free", subscriptionSays(`"spendingLimit":"Off"`, `"quotaId":"FreeTrial_2014-09-01"`), "CK-180", "", "paid for"},
		{"CK-180 sponsored", subscriptionSays(`"spendingLimit":"Off"`, `"quotaId":"Sponsored_2016-01-01"`), "CK-180", "", "paid for"},
		{"CK-180 MSDN", subscriptionSays(`"spendingLimit":"Off"`, `"quotaId":"MSDN_2014-09-01"`), "CK-180", "", "paid for"},
		{"CK-180 disabled", subscriptionSays(`"state":"Enabled"`, `"state":"Disabled"`), "CK-180", "", "enable it"},
		{"CK-180 payment late", subscriptionSays(`"state":"Enabled"`, `"state":"PastDue"`), "", "CK-180", ""},
		{"X-21 pay as you go is paid", subscriptionSays(`"spendingLimit":"Off"`, `"quotaId":"PayAsYouGo_2014-09-01"`), "", "", ""},
		{"X-21 unless the operator wants invoices", func(w *world, in *onboarding.Input) {
			subscriptionSays(`"spendingLimit":"Off"`, `"quotaId":"PayAsYouGo_2014-09-01"`)(w, in)
			w.config.RefusedOffers = []string{"PayAsYouGo"}
			w.open()
		}, "CK-180", "", "paid for"},
		{"CK-215 CK-168 not registered for retention", func(w *world, _ *onboarding.Input) {
			w.vault.Subscription = w.subscriptions[0]
			w.vault.SetProtected(false)
		}, "CK-168 CK-215", "", "Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled"},
		{"CK-216 CK-219 CK-264 CK-282 waits for the operator", func(w *world, _ *onboarding.Input) {
			w.vault.Subscription = w.subscriptions[0]
			w.vault.SetProtected(false)
			_, err := w.vault.RegisterRetention(w.t.Context(), w.vault.Owner, w.subscriptions[0].ID)
			w.must(err)
		}, "CK-168 CK-215", "", "Approve-CKRetentionRequest"},
		{"X-12 a weaker level needs no registration", func(w *world, _ *onboarding.Input) {
			w.vault.Subscription = w.subscriptions[0]
			w.vault.SetProtected(false)
			w.config.RecoveryLevel = "Recoverable"
			w.open()
		}, "", "CK-215", ""},
		{"CK-223 60 days", func(w *world, in *onboarding.Input) {
			w.mustVault(0, "contoso-short", 60, true, w.principal)
			w.mustKey("contoso-short", "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops})
			in.Keys[0] = w.vault.VaultURL("contoso-short") + "/keys/root"
		}, "CK-168 CK-223", "", "New-AzKeyVault -SoftDeleteRetentionInDays 90"},
		{"CK-155 no purge protection", func(w *world, in *onboarding.Input) {
			w.mustVault(0, "contoso-loose", 90, false, w.principal)
			w.mustKey("contoso-loose", "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops})
			in.Keys[0] = w.vault.VaultURL("contoso-loose") + "/keys/root"
		}, "CK-155", "", "enable-purge-protection"},
		{"CK-166 EC", key(keyvault.NewKey{Type: "EC", Curve: "P-256"}), "CK-166 CK-169", "", "must be RSA"},
		{"CK-170 disabled", key(keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops, Attributes: keyvault.Attributes{Enabled: &disabled}}), "CK-170", "", "Update-AzKeyVaultKey -Enable"},
		{"CK-167 expires", key(keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops, Attributes: keyvault.Attributes{Expires: &never}}), "CK-167", "", "12/31/9999"},
		{"CK-169 cannot unwrap", key(keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey"}}), "CK-169", "", "KeyOps"},
		{"CK-169 CK-221 CK-63 CK-321 no permission", func(w *world, _ *onboarding.Input) { w.mustVault(0, "contoso-east", 90, true) }, "CK-169", "",
			"Set-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4 -PermissionsToKeys get,wrapKey,unwrapKey"},
		{"CK-169 CK-220 get and unwrap only", func(w *world, _ *onboarding.Input) {
			w.put(0, keyvault.VaultSpec{Name: "contoso-east", RetentionDays: 90, PurgeProtection: true, Access: []rights.Grant{keyvaulttest.Can(w.principal, "get", "unwrapKey")}})
		}, "CK-169", "", "Set-AzKeyVaultAccessPolicy"},
		{"CK-222 a vault that goes by roles", func(w *world, _ *onboarding.Input) {
			w.put(0, keyvault.VaultSpec{Name: "contoso-east", RetentionDays: 90, PurgeProtection: true, RBAC: &byRoles})
		}, "CK-169", "", `New-AzRoleAssignment -ApplicationId c066d759-24ae-40e7-a56f-027002b5d3e4 -RoleDefinitionName "Key Vault Crypto Service Encryption User"`},
		{"CK-60 no such key", func(w *world, in *onboarding.Input) { in.Keys[0] = w.vault.VaultURL("contoso-east") + "/keys/ghost" }, "CK-60", "", ""},
		{"CK-151 CK-85 no key URI", func(_ *world, in *onboarding.Input) { in.Keys[0] = "https://evil.example/keys/root" }, "CK-85", "", "Get-AzKeyVaultKey"},
		{"CK-41 the same region", func(w *world, in *onboarding.Input) {
			w.put(1, keyvault.VaultSpec{Name: "contoso-near", RetentionDays: 90, PurgeProtection: true, Location: "West Europe", Access: []rights.Grant{
				keyvaulttest.Can(w.keeper, "create", "import"), keyvaulttest.Can(w.principal, "get", "wrapKey", "unwrapKey"),
			}})
			w.mustKey("contoso-near", "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops})
			in.Keys[1] = w.vault.VaultURL("contoso-near") + "/keys/root"
		}, "", "CK-41", ""},
		{"CK-39 a vault in use", func(w *world, _ *onboarding.Input) { w.used = true }, "", "CK-39", ""},
		{"CK-40 one owner of both", func(*world, *onboarding.Input) {}, "", "CK-40", ""},
		{"CK-40 other things in it", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(replace("/resources", `"type":"Microsoft.KeyVault/vaults"`, `"type":"Microsoft.Compute/virtualMachines"`))
		}, "", "CK-40", ""},
		{"CK-212 CK-213 one licence is enough nobody licensed", func(w *world, _ *onboarding.Input) { w.licensed = false }, "", "CK-212", ""},
		{"CK-43 X-19 names", func(w *world, in *onboarding.Input) {
			w.mustVault(1, "O365EX_NA", 90, true, w.principal)
			w.mustKey("O365EX_NA", "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: ops})
			in.Keys[1] = w.vault.VaultURL("O365EX_NA") + "/keys/root"
		}, "", "CK-43 X-19", ""},
		{"CK-307 everything at once", func(w *world, in *onboarding.Input) {
			key(keyvault.NewKey{Type: "EC", Curve: "P-256"})(w, in)
			w.mustVault(1, "contoso-west", 90, true)
			in.Subscriptions[0] = in.Subscriptions[1]
		}, "CK-165 CK-166 CK-169", "", ""},
		{"an outage", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(func(r *http.Request, res *http.Response) error {
				res.Body.Close()
				return errors.New("connection reset")
			})
		}, "CK-156 CK-165 CK-169", "", "try again"},
		{"a redirect", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(func(r *http.Request, res *http.Response) error {
				if strings.HasPrefix(r.URL.Host, "management.") {
					res.StatusCode = http.StatusFound
					res.Header.Set("Location", "https://evil.example/")
				}
				return nil
			})
		}, "CK-156 CK-165", "", "try again"},
		{"nonsense", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(func(r *http.Request, res *http.Response) error {
				if !strings.HasPrefix(r.URL.Host, "management.") {
					return nil
				}
				return replace("", `{`, `[`)(r, res)
			})
		}, "CK-156 CK-165", "", "try again"},
		{"a vault of that name with another address", func(w *world, _ *onboarding.Input) {
			w.rewrite.set(replace("/vaults/contoso-east", "contoso-east.vault.", "contoso-oast.vault."))
		}, "CK-165", "", "URI as its vault shows it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			w.restore()
			in := w.input(onboarding.Validate)
			tt.change(w, &in)
			r := w.mustNew(in)
			if got := failed(r, rootcheck.Fail); got != tt.fails {
				t.Errorf("failed %q, want %q:\n%v", got, tt.fails, r.Of(rootcheck.Fail))
			}
			warned := strings.Fields(failed(r, rootcheck.Warn))
			for _, row := range strings.Fields(tt.warns) {
				if !contains(warned, row) {
					t.Errorf("warned of %q, want %s too", warned, row)
				}
			}
			said := ""
			for _, c := range r.Of(rootcheck.Fail) {
				if c.Message == "" || c.Next == "" {
					t.Errorf("it does not say what is wrong and what to do: %+v", c)
				}
				said += c.Next + "\n"
			}
			if !strings.Contains(said, tt.next) {
				t.Errorf("to do is\n%swant %q", said, tt.next)
			}
			if r.Passed() != (tt.fails == "") || r.Enablement != onboarding.NotRequested || r.Request != "" {
				t.Errorf("passed %t, %s", r.Passed(), r.Enablement)
			}
		})
	}
}

// CK-21: keys in hardware and in software are both taken, and only of the latter one is warned.
func TestHardware(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	look := func() (warned bool) {
		r := w.mustNew(w.input(onboarding.Validate))
		if !r.Passed() {
			t.Errorf("refused: %v", r.Of(rootcheck.Fail))
		}
		return contains(strings.Fields(failed(r, rootcheck.Warn)), "CK-21")
	}
	if look() {
		t.Error("two premium vaults are warned of")
	}
	w.put(0, keyvault.VaultSpec{Name: "contoso-east", SKU: "standard", RetentionDays: 90, PurgeProtection: true, Access: w.access(w.principal)})
	if !look() {
		t.Error("nobody is told that keys are held by software")
	}
}

// CK-40: two people, and nobody hears that there is one.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	west := w.subscriptions[1]
	west.Owner = w.keeper.ID
	w.must(w.vault.PutSubscription(t.Context(), w.operator, west))
	r := w.mustNew(w.input(onboarding.Validate))
	if got := failed(r, rootcheck.Warn) + failed(r, rootcheck.Fail); got != "X-21" {
		t.Errorf("with two owners it says %q", got)
	}
}

func contains(list []string, one string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+one+" ")
}

// CK-152: Validate changes nothing, in the vaults least of all; a passed check is shown too.
func TestValidateChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByRule)
	r := w.mustNew(w.input(onboarding.Validate))
	if n := len(r.Of(rootcheck.Pass)); n < 20 {
		t.Errorf("%d checks are shown as passed", n)
	}
	w.run()
	if on, err := w.service.Enabled(t.Context(), w.vault.Tenant, "multi-workload"); err != nil || on {
		t.Errorf("enabled: %t, %v", on, err)
	}
	again, err := w.service.Get(t.Context(), w.admin, w.vault.Tenant, r.ID)
	if err != nil || len(again.Checks) != len(r.Checks) || again.Input != r.Input || !again.Created.Equal(r.Created) {
		t.Errorf("read back: %+v, %v", again, err)
	}
	wantsCode(t, "not text", func() error {
		in := w.input(onboarding.Validate)
		in.Keys[0] = "https://x/\x1b[2J"
		_, err := w.service.New(t.Context(), w.admin, in)
		return err
	}(), fault.Invalid)
}

func wantsCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
