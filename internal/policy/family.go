package policy

import "github.com/customerkey/customerkey/internal/directory"

// A Family is a kind of policy, with its own coverage and cmdlets (CK-2).
type Family string

// Families.
const (
	MultiWorkload Family = "multi-workload" // one in force per tenant, for its workloads (CK-104)
	Mailbox       Family = "mailbox"        // many, each for the mailboxes that it is assigned to (CK-233)
	SharePoint    Family = "sharepoint"     // one per geo, for all files there (CK-298)
	ServiceOwned  Family = "service"        // the service's own, one per tenant (CK-14)
)

// apps names the service principal that asks the customer's vaults for each family (CK-221).
var apps = map[Family]string{
	MultiWorkload: directory.MultiWorkloadApp,
	Mailbox:       directory.ExchangeApp,
	SharePoint:    directory.SharePointApp,
	ServiceOwned:  directory.MultiWorkloadApp,
}

// App returns the app id of the principal that asks for the keys of the family (CK-221).
func (f Family) App() string { return apps[f] }

// Noun returns the noun of the family's cmdlets.
func (f Family) Noun() string {
	switch f {
	case Mailbox:
		return "DataEncryptionPolicy"
	case SharePoint:
		return "SPODataEncryptionPolicy"
	}
	return "M365DataAtRestEncryptionPolicy"
}

// MaxActive is how many enabled policies of the mailbox family a tenant can have (CK-175, X-25).
const MaxActive = 50

// mostActive is how many of the family's policies can be enabled at a time, 0 for any number.
func (f Family) mostActive() int {
	if f == Mailbox {
		return MaxActive
	}
	return 0
}

// A Rule says under which family's policies a workload's content belongs, and whether
// content that is there already follows when another policy comes into force (section 5 of
// the requirements). The zero Rule is that of a workload nobody knows.
type Rule struct {
	Family      Family
	NewDataOnly bool
}

// precedence returns the families whose policy in force may cover a workload of this rule,
// the first one that has a policy in force wins. The last always has one. A mailbox's own
// policy wins over the tenant's (CK-289, CK-296); files go by their geo alone (CK-297).
func (r Rule) precedence() []Family {
	if r.Family == Mailbox {
		return []Family{Mailbox, MultiWorkload, ServiceOwned}
	}
	return []Family{r.Family, ServiceOwned}
}

// Families returns the families of the customer whose policies may cover a workload of this
// rule.
func (r Rule) Families() []Family {
	if r.Family == "" {
		return nil
	}
	all := r.precedence()
	return all[:len(all)-1]
}

// choose returns the policy that covers content of this rule, "" if none does: standing is
// what is in force in the tenant, geo that of the content, own the policy that its container
// has for itself.
func (r Rule) choose(standing []Standing, geo, own string) string {
	for _, f := range r.precedence() {
		switch f {
		case Mailbox:
			if own != "" {
				return own
			}
			if at := inForce(standing, f, ""); at.Policy != "" { // the default: see SetDefault
				return at.Policy
			}
		case SharePoint:
			if at := inForce(standing, f, geo); at.Policy != "" {
				return at.Policy
			}
		default:
			if at := inForce(standing, f, ""); at.Policy != "" {
				return at.Policy
			}
		}
	}
	return ""
}

// belongs returns the policy that content, now under the given policy, belongs under: the
// one that covers it, or the same one for workloads that take new data only (section 5 of
// the requirements). A workload that this program does not know stays where it is.
func (r Rule) belongs(policy string, standing []Standing, geo, own string) string {
	if r.Family == "" || r.NewDataOnly {
		return policy
	}
	if to := r.choose(standing, geo, own); to != "" {
		return to
	}
	return policy
}

// inForce returns the family's policy in force in a geo, the zero Standing if there is none.
func inForce(standing []Standing, f Family, geo string) Standing {
	for _, at := range standing {
		if at.Family == f && at.Geo == geo {
			return at
		}
	}
	return Standing{}
}
