// Package onboarding checks whether an organization is ready for a family of policies, and
// enables the family (sections 3.4 and 4.1 of the requirements).
//
// [Service.New] looks at everything that can be seen from outside before a policy is made: both
// subscriptions and the vaults in them through the resource manager, as the principal of the
// onboarding service (row CK-156), and both keys in their vaults, as the principal of the family,
// with a real wrap and unwrap. Every condition is one [Check] with an outcome and what to type next,
// and all of them come back at once (row CK-307). Validate changes nothing but the list of reports.
//
// Enable asks for the family after a pass, by a request ([Rules]) that an operator approves, or a
// rule. Just before the family is enabled everything is checked once more. Until then the
// cmdlets of the family answer as row CK-157 says; where families are open from the start, as on
// a laptop, nothing waits for anything.
package onboarding
