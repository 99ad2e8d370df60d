package onboarding

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// DefaultRefusedOffers are the beginnings of the offers that are free, sponsored or for trial
// (row CK-180), as the resource manager names them (quota ids). Where only invoiced subscriptions
// shall do, as the older articles say, "PayAsYouGo" comes to it (row X-21).
var DefaultRefusedOffers = []string{
	"FreeTrial", "MSDN", "MSDNDevTest", "Sponsored", "AzurePass", "AzureForStudents", "DreamSpark", "BizSpark", "LegacyMonetaryCommitment",
	"Default_2014-09-01", "AAD_2015-09-01", "MPN", "Internal", "LightweightTrial", "BackupStorage",
}

// checkSubscription looks at one subscription: is it there for us, alive, of the organization,
// paid, and bound to stay (rows CK-38, CK-155, CK-180, CK-214 and CK-215)?
func (s *Service) checkSubscription(ctx context.Context, r *resourcemanager.Reader, tenant string, one *side) {
	if !isGUID(one.subscription) {
		one.fail("CK-150", "subscription", one.name(), fmt.Sprintf("%.64q is no id of a subscription", one.subscription), "see the ids with: Get-AzSubscription")
		return
	}
	sub, err := r.Subscription(ctx, one.subscription)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		err = fault.New(fault.Forbidden, "the service cannot see the subscription %s: its owner can let it", one.subscription)
	}
	one.failedBy("CK-156", "role Reader for the onboarding service", one.name(), err,
		grant(directory.OnboardingApp, "Reader", "/subscriptions/"+one.subscription))
	if err != nil {
		return
	}
	elsewhere := ""
	if !strings.EqualFold(sub.Tenant, tenant) {
		elsewhere = "the subscription belongs to another directory"
	}
	one.fail("CK-38", "directory", one.name(), elsewhere, "use a subscription of your own organization: a vault can authorize nobody else's principals")
	s.checkPaid(sub, one)
	s.checkRetention(ctx, r, one)
	s.checkAlone(ctx, r, one)
}

// checkAlone looks at who owns a subscription and what else is in it: advice, of which nothing is
// said where it is not told (row CK-40).
func (s *Service) checkAlone(ctx context.Context, r *resourcemanager.Reader, one *side) {
	if owners, err := r.Owners(ctx, one.subscription); err == nil {
		one.owners = owners
	}
	others, err := r.Others(ctx, one.subscription)
	if err != nil {
		return
	}
	message := ""
	if len(others) > 0 {
		message = fmt.Sprintf("there are resources of other types in it: %.200s", strings.Join(others, ", "))
	}
	one.add("CK-40", "nothing but vaults", one.name(), rootcheck.Warn, message, "keep the vaults of root keys in subscriptions of their own")
}

// checkPaid judges state and offer of a subscription.
func (s *Service) checkPaid(sub resourcemanager.Subscription, one *side) {
	const row, name, other = "CK-180", "paid subscription", "use a subscription that is paid for"
	offer := ""
	for _, refused := range s.c.RefusedOffers {
		if refused != "" && len(sub.Offer) >= len(refused) && strings.EqualFold(sub.Offer[:len(refused)], refused) {
			offer = fmt.Sprintf("its offer is %.64s", sub.Offer)
		}
	}
	limited := strings.EqualFold(sub.SpendingLimit, "On") || strings.EqualFold(sub.SpendingLimit, "CurrentPeriodOff")
	switch {
	case sub.State == "Disabled" || sub.State == "Deleted":
		one.fail(row, name, one.name(), "the subscription is "+strings.ToLower(sub.State), "enable it again, or use another one")
	case offer != "":
		one.fail(row, name, one.name(), offer, other)
	case limited:
		one.fail(row, name, one.name(), "it has a spending limit, as subscriptions for trial and with credit have", other)
	case sub.State == "Warned" || sub.State == "PastDue":
		one.add(row, name, one.name(), rootcheck.Warn, "a payment is late", "pay, before the subscription is disabled and the vaults refuse")
	case sub.Offer == "":
		one.add("X-21", name, one.name(), rootcheck.Warn, "the resource manager does not say how the subscription is paid for", "nothing has to be done here; whoever approves may ask")
	default:
		one.fail(row, name, one.name(), "", "")
	}
}

// checkRetention looks at the registration for mandatory retention. Where keys need not be
// protected by it, it is advice.
func (s *Service) checkRetention(ctx context.Context, r *resourcemanager.Reader, one *side) {
	const row, name = "CK-215", "mandatory retention"
	found, err := r.Retention(ctx, one.subscription)
	if err != nil {
		one.failedBy(row, name, one.name(), err, "give the onboarding service the role Reader on the whole subscription")
		return
	}
	outcome := rootcheck.Fail
	if s.c.RecoveryLevel != rootcheck.Levels[len(rootcheck.Levels)-1] {
		outcome = rootcheck.Warn
	}
	message, next := "", ""
	at := " -SubscriptionId " + one.subscription
	switch {
	case strings.EqualFold(found.Feature, "Pending"):
		message, next = "the registration waits for an operator of the service", "an operator approves it: Approve-CKRetentionRequest"+at
	case !strings.EqualFold(found.Feature, "Registered"):
		message = "the subscription is not registered for it"
		next = "Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources" + at
	case !found.Registered():
		message, next = "the provider Microsoft.KeyVault is not registered", "Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault"+at
	}
	one.add(row, name, one.name(), outcome, message, next)
}
