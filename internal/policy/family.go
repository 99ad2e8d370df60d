package policy

import "github.com/customerkey/customerkey/internal/directory"

// A Family is a kind of policy, with its own coverage and cmdlets (CK-2).
type Family string

const (
	MultiWorkload Family = "multi-workload" // one in force per tenant, for its workloads (CK-104)
	ServiceOwned  Family = "service"        // the service's own, one per tenant (CK-14)
)

// apps names the service principal that asks the customer's vaults for each family (CK-221).
var apps = map[Family]string{
	MultiWorkload: directory.MultiWorkloadApp,
	ServiceOwned:  directory.MultiWorkloadApp,
}

// A Rule says under which family's policies a workload's content belongs, and whether
// content that is there already follows when another policy comes into force (section 5 of
// the requirements). The zero Rule is that of a workload nobody knows.
type Rule struct {
	Family      Family
	NewDataOnly bool
}

// precedence returns the families whose policy in force may cover a workload of this rule,
// the first one that has a policy in force wins. The last always has one.
func (r Rule) precedence() []Family { return []Family{r.Family, ServiceOwned} }
