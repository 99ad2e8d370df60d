package request

import (
	"fmt"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
)

// Needs says whose approvals a request takes.
type Needs string

// What a request may need.
const (
	NeedsRule     Needs = "rule"                // nobody's: it is approved when it is asked for
	NeedsOfficer  Needs = "officer"             // an officer's of the tenant
	NeedsOperator Needs = "operator"            // an operator's of the service
	NeedsBoth     Needs = "officer+operator"    // one of each, in any order
	NeedsEither   Needs = "officer or operator" // one of the two
)

func (n Needs) valid() bool {
	return slices.Contains([]Needs{NeedsRule, NeedsOfficer, NeedsOperator, NeedsBoth, NeedsEither}, n)
}

func (n Needs) officer() bool  { return n == NeedsOfficer || n == NeedsBoth || n == NeedsEither }
func (n Needs) operator() bool { return n == NeedsOperator || n == NeedsBoth || n == NeedsEither }

// Missing returns the sides that could approve the request next; none if it has all it needs.
func (r Request) Missing() (sides []Side) {
	has := func(s Side) bool {
		return slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.Side == s })
	}
	if r.State != Waiting || r.Needs == NeedsEither && len(r.Approvals) > 0 {
		return nil
	}
	if r.Needs.officer() && !has(Officer) {
		sides = append(sides, Officer)
	}
	if r.Needs.operator() && !has(Operator) {
		sides = append(sides, Operator)
	}
	return sides
}

// A Rule is how requests of one kind go. What it says holds for requests that are asked for from
// now on; those that wait keep the rule they were made under.
type Rule struct {
	Askers    []directory.Role // required: any of these may ask, in his own tenant
	Needs     Needs            // required
	Lasts     time.Duration    // how long it waits for approvals; 30 days if 0
	Wait      time.Duration    // between the last approval and its taking effect: time to stop it
	Operation string           // required: kind of the operation that does the deed
}

// lasts is how long a request waits unless its rule says otherwise.
const lasts = 30 * 24 * time.Hour

func (r Rule) check(k Kind) error {
	switch {
	case len(r.Askers) == 0 || r.Operation == "":
		return fmt.Errorf("request: Askers and Operation of the kind %q are required", k)
	case !r.Needs.valid():
		return fmt.Errorf("request: the kind %q needs %q, which nobody can give", k, r.Needs)
	case r.Lasts < 0 || r.Wait < 0:
		return fmt.Errorf("request: Lasts and Wait of the kind %q must not be negative", k)
	}
	return nil
}
