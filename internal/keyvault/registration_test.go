package keyvault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// An act is one change of a subscription.
type act func() (keyvault.Subscription, error)

// acts are the changes of the World's subscription by their names.
func (s *stage) acts() map[string]act {
	ctx, sub, operator := s.t.Context(), s.Subscription.ID, s.Operator("operator@service.example")
	owner := func(do func(context.Context, directory.Caller, string) (keyvault.Subscription, error)) act {
		return func() (keyvault.Subscription, error) { return do(ctx, s.Owner, sub) }
	}
	decide := func(approve bool) act {
		return func() (keyvault.Subscription, error) { return s.DecideRetention(ctx, operator, s.Tenant, sub, approve) }
	}
	state := func(to keyvault.SubscriptionState) act {
		return func() (keyvault.Subscription, error) {
			return s.SetSubscriptionState(ctx, operator, s.Tenant, sub, to)
		}
	}
	return map[string]act{
		"register": owner(s.RegisterRetention), "unregister": owner(s.UnregisterRetention),
		"provider": owner(s.RegisterProvider), "no provider": owner(s.UnregisterProvider),
		"approve": decide(true), "deny": decide(false),
		"cancel": owner(s.CancelSubscription), "enable": owner(s.EnableSubscription),
		"warn": state(keyvault.Warned), "stop": state(keyvault.Stopped), "let": state(keyvault.Enabled),
	}
}

// do makes changes one after the other.
func (s *stage) do(names ...string) keyvault.Subscription {
	s.t.Helper()
	acts := s.acts()
	var sub keyvault.Subscription
	for _, name := range names {
		var err error
		if sub, err = acts[name](); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
	}
	return sub
}

// TestRegistration is the state machine of KV-112 and KV-127, walked to each of its states.
func TestRegistration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, first *stage) {
		for i, tt := range []struct {
			walk      []string
			state     keyvault.RegistrationState
			protected bool
		}{
			{[]string{"register"}, keyvault.Pending, false},
			{[]string{"register", "register"}, keyvault.Pending, false},
			{[]string{"register", "deny"}, keyvault.NotRegistered, false},
			{[]string{"register", "unregister"}, keyvault.NotRegistered, false},
			{[]string{"unregister"}, keyvault.NotRegistered, false},
			{[]string{"register", "approve"}, keyvault.Registered, false},
			{[]string{"register", "provider", "approve"}, keyvault.Registered, false},
			{[]string{"register", "approve", "provider"}, keyvault.Registered, true},
			{[]string{"register", "approve", "provider", "register"}, keyvault.Registered, true},
			{[]string{"register", "approve", "provider", "unregister"}, keyvault.Unregistering, true},
			{[]string{"register", "approve", "provider", "unregister", "register"}, keyvault.Registered, true},
			{[]string{"register", "approve", "provider", "unregister", "deny"}, keyvault.Registered, true},
			{[]string{"register", "approve", "provider", "unregister", "approve"}, keyvault.Unregistered, false},
			{[]string{"register", "approve", "provider", "unregister", "approve", "register"}, keyvault.Pending, false},
			{[]string{"register", "approve", "provider", "unregister", "approve", "register", "approve"}, keyvault.Registered, false},
			{[]string{"register", "approve", "provider", "unregister", "approve", "register", "approve", "provider"}, keyvault.Registered, true},
		} {
			s := &stage{World: keyvaulttest.New(t, first.db), t: t, db: first.db} // a tenant of its own
			name := fmt.Sprintf("vault-%d", i)
			s.MustVault(name)
			sub := s.do(tt.walk...)
			stored, err := s.Service.Subscription(t.Context(), s.Owner, sub.ID)
			if diff := cmp.Diff(sub, stored); err != nil || diff != "" {
				t.Errorf("%v: %v %s", tt.walk, err, diff)
			}
			v, err := s.Vault(t.Context(), s.Owner, sub.ID, "keys", name)
			level, _ := v.Recovery()
			want := map[bool]string{true: "Recoverable+ProtectedSubscription", false: "Recoverable+Purgeable"}[tt.protected]
			if err != nil || stored.Retention.State != tt.state || stored.Protected() != tt.protected || level != want {
				t.Errorf("%v: %s, protected %t, %s, %v", tt.walk, stored.Retention.State, stored.Protected(), level, err)
			}
		}
	})
}

// TestRegistrationClock: what was registered later is told by its order, not by a clock.
func TestRegistrationClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.do("register", "approve")
		s.Pass(-time.Hour)
		if sub := s.do("provider"); !sub.Protected() || !sub.Provider.Since.Before(sub.Retention.Since) {
			t.Errorf("registered after it, by a clock that was set back: %+v", sub)
		}
	})
}

// TestApproval: the operator sees the requests of all tenants; nobody else does, and nobody
// decides about his own.
func TestApproval(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		operator := s.Operator("operator@service.example")
		_, err := s.DecideRetention(ctx, operator, s.Tenant, sub, true)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoRequest)
		s.do("register")
		waiting, err := s.RetentionRequests(ctx, operator, keyvault.Subscription{}, 9)
		if err != nil || len(waiting) != 1 || waiting[0].ID != sub || waiting[0].Retention.AskedBy != s.Owner.ID || !waiting[0].Retention.Asked.Equal(s.Now()) {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		for _, nobody := range []directory.Caller{s.Owner, s.admin, s.Stranger("spy@fabrikam.example"), directory.SystemCaller("another", "setup", "")} {
			_, err = s.RetentionRequests(ctx, nobody, keyvault.Subscription{}, 9)
			wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
			_, err = s.DecideRetention(ctx, nobody, s.Tenant, sub, true)
			wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
			_, err = s.SetSubscriptionState(ctx, nobody, s.Tenant, sub, keyvault.Stopped)
			wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
		}
		himself := s.Owner // he runs the service as well
		himself.Roles = []directory.Role{directory.ServiceOperator}
		_, err = s.DecideRetention(ctx, himself, s.Tenant, sub, true)
		wantFault(t, err, fault.Forbidden, keyvault.ReasonSamePerson)
		_, err = s.DecideRetention(ctx, operator, "another", sub, true)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoRequest)
		_, err = s.DecideRetention(ctx, operator, s.Tenant, "no guid", true)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoRequest)
		s.Entries()
		s.do("approve")
		e := s.Entries()
		if len(e) != 1 || e[0].Tenant != s.Tenant || e[0].Action != "retention.approve" || e[0].Object != "subscriptions/"+sub || e[0].Detail["asked_by"] != s.Owner.ID {
			t.Errorf("recorded %+v", e)
		}
		_, err = s.RegisterRetention(ctx, s.admin, sub)
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
	})
}

// TestApproveByRule: where the service says so, nobody has to wait.
func TestApproveByRule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.Rule(true)
		s.Open(s.db)
		if sub := s.do("register"); sub.Retention.State != keyvault.Registered {
			t.Errorf("state %s", sub.Retention.State)
		}
		var approved bool
		for _, e := range s.Entries() {
			approved = approved || e.Action == "retention.approve" && e.Caller.Kind == directory.System
		}
		if !approved {
			t.Error("the approval is not recorded")
		}
	})
}

// TestUnregisterInUse: neither the request nor its approval goes through while a key is in use,
// and the refusal does not say by what.
func TestUnregisterInUse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.do("register", "approve", "provider")
		s.MustVault("contoso-west")
		s.mustDeleteVault("contoso-west")
		var asked []string
		var answer error
		used := true
		s.InUse(func(_ context.Context, tenant string, vaults []string) (bool, error) {
			asked = append([]string{tenant}, vaults...)
			return used, answer
		})
		s.Open(s.db)
		_, err := s.acts()["unregister"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonInUse)
		if diff := cmp.Diff([]string{s.Tenant, "contoso-east", "contoso-west"}, asked); diff != "" {
			t.Errorf("asked about %s", diff)
		}
		used = false
		s.do("unregister")
		used = true
		_, err = s.acts()["approve"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonInUse)
		used, answer = false, errors.New("the database of the policies does not answer")
		_, err = s.acts()["approve"]()
		wantFault(t, err, fault.Unavailable, "")
		answer = nil
		if sub := s.do("approve"); sub.Protected() {
			t.Error("still protected")
		}
	})
}

// TestProvider: it cannot be unregistered under vaults, and without it none can be made (CK-188).
func TestProvider(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		_, err := s.acts()["no provider"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonProviderInUse)
		s.mustDeleteVault("contoso-east")
		_, err = s.acts()["no provider"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonProviderInUse)
		if err := s.purgeVault("contoso-east"); err != nil {
			t.Fatal(err)
		}
		s.do("no provider")
		spec := keyvault.VaultSpec{Subscription: s.Subscription.ID, Group: "keys", Name: "contoso-east", Location: keyvaulttest.Location, SKU: "standard"}
		_, _, err = s.PutVault(ctx, s.Owner, spec)
		wantFault(t, err, fault.Conflict, keyvault.ReasonNoProvider)
		s.do("provider")
		s.MustVault("contoso-east")
	})
}

// TestCancel: a subscription that is registered for mandatory retention cannot be cancelled
// before it has ended (KV-127).
func TestCancel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		cancel := s.acts()["cancel"]
		s.do("register", "cancel", "enable", "approve", "provider")
		_, err := cancel()
		wantFault(t, err, fault.Conflict, keyvault.ReasonRetention)
		s.Pass(90 * 24 * time.Hour)
		_, err = cancel()
		wantFault(t, err, fault.Conflict, keyvault.ReasonRetention)
		s.do("unregister") // asked for and not approved
		_, err = cancel()
		wantFault(t, err, fault.Conflict, keyvault.ReasonRetention)
		s.mustDeleteVault("contoso-east")
		s.Pass(90*24*time.Hour - time.Microsecond)
		mustSweep(t, s, 0)
		_, err = cancel()
		wantFault(t, err, fault.Conflict, keyvault.ReasonRetention)
		s.Pass(time.Microsecond)
		mustSweep(t, s, 1)
		if sub := s.do("cancel"); sub.State != keyvault.Disabled {
			t.Errorf("state %s", sub.State)
		}
	})
}

// TestDisabledSubscription: its vaults refuse everything, its settings can be read and not
// changed, and all is as it was once it is enabled again.
func TestDisabledSubscription(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		s.twoKeys()
		contents, deeds := s.contents(), s.deeds()
		refused := func() {
			t.Helper()
			s.Entries()
			for _, d := range deeds {
				wantFault(t, d.do(s.admin), fault.Forbidden, keyvault.ReasonSuspended)
			}
			if e := s.Entries(); len(e) != len(deeds) || e[0].Decision != "deny" {
				t.Errorf("%d of %d refusals are recorded", len(e), len(deeds))
			}
			if _, err := s.Vault(ctx, s.Owner, sub, "keys", "contoso-east"); err != nil {
				t.Errorf("reading: %v", err)
			}
			_, err := s.SetAccess(ctx, s.Owner, sub, "keys", "contoso-east", rights.AddAccess, nil)
			wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
			_, err = s.DeleteVault(ctx, s.Owner, sub, "keys", "contoso-east")
			wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
			_, err = s.RenameSubscription(ctx, s.Owner, sub, "New")
			wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
		}
		told := func(names ...string) {
			t.Helper()
			s.Told()
			s.do(names...)
			got := []string{}
			for _, e := range s.Told() {
				got = append(got, string(e.Type)+" "+e.Vault)
			}
			if diff := cmp.Diff([]string{"Microsoft.KeyVault.VaultAccessPolicyChanged contoso-east"}, got); diff != "" {
				t.Errorf("%v told %s", names, diff)
			}
		}
		told("cancel", "cancel")
		refused()
		told("enable", "warn", "let")
		if diff := cmp.Diff(contents, s.contents()); diff != "" {
			t.Error(diff)
		}
		s.do("warn") // everything works
		if _, err := s.RenameSubscription(ctx, s.Owner, sub, "New"); err != nil {
			t.Error(err)
		}
		s.mustKey("root1", "")
		s.do("stop")
		refused()
		_, err := s.acts()["enable"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
		_, err = s.acts()["cancel"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
		if got := s.do("let"); got.State != keyvault.Enabled || got.DisplayName != "New" {
			t.Errorf("let go: %+v", got)
		}
		s.mustKey("root1", "")
	})
}

// TestCancelledSubscriptionEnds: after 90 days, and not before its last vault has gone.
func TestCancelledSubscriptionEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustDeleteVault("contoso-east")
		s.Pass(time.Hour)
		s.do("cancel")
		state := func() keyvault.SubscriptionState {
			t.Helper()
			sub, err := s.Service.Subscription(t.Context(), s.Owner, s.Subscription.ID)
			if err != nil {
				t.Fatal(err)
			}
			return sub.State
		}
		s.Pass(90*24*time.Hour - time.Hour)
		mustSweep(t, s, 1) // the vault; the subscription has an hour more
		if got := state(); got != keyvault.Disabled {
			t.Errorf("too early: %s", got)
		}
		s.Pass(time.Hour)
		mustSweep(t, s, 0)
		if got := state(); got != keyvault.Deleted {
			t.Errorf("state %s", got)
		}
		_, err := s.acts()["enable"]()
		wantFault(t, err, fault.Conflict, keyvault.ReasonReadOnly)
		_, err = s.acts()["let"]()
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoSubscription)
	})
}
