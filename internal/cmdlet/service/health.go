package cmdlet

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// What the rows of key health do. Rights are checked and recorded by package health.

// mostHistory is how many changes are shown.
const mostHistory = 200

func getKeyHealth(ctx context.Context, s Services, call *Call) error {
	reports, err := s.Health.Reports(ctx, call.Caller, anyFamily(call, call.Args.Text("Identity")))
	if err != nil {
		return err
	}
	for _, r := range reports {
		for _, root := range r.Roots {
			if err := call.Host.Object(keyHealthObject(r, root)); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyFamily returns the query for a policy of whichever family: a distinguished name says of which.
func anyFamily(call *Call, identity string) health.Query {
	for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox, policy.SharePoint} {
		if name := policyIdentity(call, f, identity); name != identity {
			return health.Query{Family: f, Identity: name}
		}
	}
	return health.Query{Identity: identity}
}

func getKeyHealthHistory(ctx context.Context, s Services, call *Call) error {
	changes, err := s.Health.History(ctx, call.Caller, anyFamily(call, call.Args.Text("Identity")), mostHistory)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := call.Host.Object(keyChangeObject(c)); err != nil {
			return err
		}
	}
	return nil
}

func keyHealthObject(r health.Report, root health.RootReport) Object {
	return Object{Type: keyHealthType, Fields: []Field{
		{"Policy", r.Name},
		{"Family", string(r.Family)},
		{"PolicyState", string(r.State)},
		{"PolicySince", orNil(r.Since)},
		{"RootKey", root.Key},
		{"State", string(root.State)},
		{"Since", orNil(root.Since)},
		{"Reason", root.Why.Message},
		{"Hint", root.Why.Hint},
		{"Warnings", warnings(root.Checks)},
		{"Findings", findings(root.Checks)},
		{"Passed", passed(root.Checks)},
		{"Checks", checkObjects(root.Checks)},
		{"AzureKeyID", root.Ref.URI},
		{"VersionInUse", root.InUse},
		{"Current", root.Current},
		{"Unanswered", int64(root.Misses)},
		{"LastChecked", orNil(root.Checked)},
		{"NextCheck", orNil(root.Due)},
		{"PolicyGuid", GUID(r.ID)},
	}}
}

// policyTestObject is one root key under test: its verdict, then each check.
func policyTestObject(r health.Report, root health.RootReport) Object {
	verdict := rootcheck.Pass
	for _, v := range root.Checks {
		if v.Outcome == rootcheck.Fail || v.Outcome == rootcheck.Warn && verdict == rootcheck.Pass {
			verdict = v.Outcome
		}
		if v.Outcome == rootcheck.Fail {
			break
		}
	}
	return Object{Type: policyHealthType, Fields: []Field{
		{"Policy", r.Name},
		{"RootKey", root.Key},
		{"Verdict", word(verdict)},
		{"State", string(root.State)},
		{"Reason", root.Why.Message},
		{"Findings", findings(root.Checks)},
		{"Passed", passed(root.Checks)},
		{"Checks", checkObjects(root.Checks)},
		{"AzureKeyID", root.Ref.URI},
		{"VersionInUse", root.InUse},
		{"PolicyState", string(r.State)},
		{"LastChecked", orNil(root.Checked)},
	}}
}

func checkObjects(checks []rootcheck.Verdict) []Object {
	list := make([]Object, len(checks))
	for i, v := range checks {
		list[i] = Object{Fields: []Field{
			{"Check", v.Check}, {"Verdict", word(v.Outcome)}, {"Row", v.Row}, {"Message", v.Message}, {"Hint", v.Hint},
		}}
	}
	return list
}

// findings shows the checks that did not pass.
func findings(checks []rootcheck.Verdict) []Object {
	return checkObjects(slices.DeleteFunc(slices.Clone(checks), func(v rootcheck.Verdict) bool { return v.Outcome == rootcheck.Pass }))
}

// warnings counts the checks that warn.
func warnings(checks []rootcheck.Verdict) (n int64) {
	for _, v := range checks {
		if v.Outcome == rootcheck.Warn {
			n++
		}
	}
	return n
}

func passed(checks []rootcheck.Verdict) []string {
	list := []string{}
	for _, v := range checks {
		if v.Outcome == rootcheck.Pass {
			list = append(list, v.Check)
		}
	}
	return list
}

// word writes an outcome as the states are written: "Pass".
func word(o rootcheck.Outcome) string { return strings.ToUpper(string(o[:1])) + string(o[1:]) }

func keyChangeObject(c health.Change) Object {
	names := make([]string, len(c.Policies))
	for i, p := range c.Policies {
		names[i] = p.Name
	}
	return Object{Type: keyChangeType, Fields: []Field{
		{"Time", c.Time}, {"Type", string(c.Type)}, {"Subject", c.Subject()}, {"Was", string(c.Was)}, {"State", string(c.State)},
		{"Message", c.Why.Message}, {"Hint", c.Why.Hint}, {"Policies", names}, {"Id", GUID(c.ID)}, {"Number", c.Seq},
	}}
}

// healthOf returns how a policy is. One that was made this moment may not be there yet.
func healthOf(ctx context.Context, s Services, call *Call, p policy.Policy) (health.Report, error) {
	reports, err := s.Health.Reports(ctx, call.Caller, health.Query{Family: p.Family, Identity: p.ID})
	if fault.Is(err, fault.NotFound) || err == nil && len(reports) == 0 {
		return health.Report{State: health.Unknown}, nil
	}
	if err != nil {
		return health.Report{}, err
	}
	return reports[0], nil
}

// rootHealth shows the root keys of a policy as the policy's own object does. LastAsked is when
// this server last used the key.
func rootHealth(h health.Report, st policy.Status) []Object {
	asked := map[string]time.Time{}
	for _, r := range st.Health {
		asked[r.URI] = r.Seen
	}
	list := make([]Object, len(h.Roots))
	for i, r := range h.Roots {
		list[i] = Object{Fields: []Field{
			{"Key", r.Ref.URI}, {"Health", string(r.State)}, {"Reason", r.Why.Message}, {"Since", orNil(r.Since)},
			{"Warnings", warnings(r.Checks)}, {"LastChecked", orNil(r.Checked)}, {"LastAsked", orNil(asked[r.Ref.URI])},
		}}
	}
	return list
}
