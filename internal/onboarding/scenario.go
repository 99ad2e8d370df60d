package onboarding

import (
	"fmt"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

// A Scenario names a family as the onboarding cmdlets do (row X-11; only MDEP is confirmed).
type Scenario string

// The scenarios.
const (
	MDEP Scenario = "MDEP" // multi-workload
	EDP  Scenario = "EDP"  // mailboxes
	SPO  Scenario = "SPO"  // SharePoint
)

// Scenarios are all of them.
var Scenarios = []Scenario{MDEP, EDP, SPO}

// Family returns the family of policies that a scenario means.
func (s Scenario) Family() (policy.Family, error) {
	switch s {
	case MDEP:
		return policy.MultiWorkload, nil
	case EDP:
		return policy.Mailbox, nil
	case SPO:
		return policy.SharePoint, nil
	}
	return "", fault.New(fault.Invalid, "%.32q is no scenario", string(s)).WithHint("give MDEP, EDP or SPO")
}

// A Mode says what an onboarding request is for (row CK-152).
type Mode string

// The modes.
const (
	Validate Mode = "Validate" // look, and change nothing
	Enable   Mode = "Enable"   // and enable the family after a pass
)

// A Gate says who lets organizations use a family of policies.
type Gate string

// The gates.
const (
	Open       Gate = "open"     // nobody has to: every family is enabled
	ByRule     Gate = "rule"     // whoever passes all checks
	ByApproval Gate = "approval" // an operator of the service, after all checks
)

// Kind is the kind of the requests that enable a family.
const Kind request.Kind = "onboarding"

// Rules is how such requests go behind a gate.
func Rules(g Gate) (map[request.Kind]request.Rule, error) {
	r := request.Rule{Askers: policy.TenantRoles(), Needs: request.NeedsRule, Operation: operationKind}
	switch g {
	case Open, ByRule:
	case ByApproval:
		r.Needs = request.NeedsOperator
	default:
		return nil, fmt.Errorf("onboarding: %q is no gate", g)
	}
	return map[request.Kind]request.Rule{Kind: r}, nil
}

const operationKind = "enable family"
