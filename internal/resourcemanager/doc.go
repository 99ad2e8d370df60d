// Package resourcemanager is the service's only way to ask about subscriptions and the vaults in
// them: through the official clients for Azure's resource manager, whichever deployment it is,
// ours or one that we did not write.
//
// A [Client] knows the one address that is asked. A [Reader] asks as the service principal of the
// onboarding service in one tenant, which sees what the owners of the subscriptions have given it
// the role Reader for (row CK-156), and nothing else. It changes nothing.
//
// What comes back is not trusted: answers are bounded, redirects refused, and a vault that lies
// elsewhere than in the subscription that was asked is none of it.
package resourcemanager
