package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
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

func keyHealthObject(r health.Report, root health.RootReport) cmdlet.Object {
	return cmdlet.Object{Type: keyHealthType, Fields: []cmdlet.Field{
		{Name: "Policy", Value: r.Name},
		{Name: "Family", Value: string(r.Family)},
		{Name: "PolicyState", Value: string(r.State)},
		{Name: "PolicySince", Value: orNil(r.Since)},
		{Name: "RootKey", Value: root.Key},
		{Name: "State", Value: string(root.State)},
		{Name: "Since", Value: orNil(root.Since)},
		{Name: "Reason", Value: root.Why.Message},
		{Name: "Hint", Value: root.Why.Hint},
		{Name: "Warnings", Value: warnings(root.Checks)},
		{Name: "Findings", Value: findings(root.Checks)},
		{Name: "Passed", Value: passed(root.Checks)},
		{Name: "Checks", Value: checkObjects(root.Checks)},
		{Name: "AzureKeyID", Value: root.Ref.URI},
		{Name: "VersionInUse", Value: root.InUse},
		{Name: "Current", Value: root.Current},
		{Name: "Unanswered", Value: int64(root.Misses)},
		{Name: "LastChecked", Value: orNil(root.Checked)},
		{Name: "NextCheck", Value: orNil(root.Due)},
		{Name: "PolicyGuid", Value: cmdlet.GUID(r.ID)},
	}}
}

// policyTestObject is one root key under test: its verdict, then each check.
func policyTestObject(r health.Report, root health.RootReport) cmdlet.Object {
	verdict := rootcheck.Pass
	for _, v := range root.Checks {
		if v.Outcome == rootcheck.Fail || v.Outcome == rootcheck.Warn && verdict == rootcheck.Pass {
			verdict = v.Outcome
		}
		if v.Outcome == rootcheck.Fail {
			break
		}
	}
	return cmdlet.Object{Type: policyHealthType, Fields: []cmdlet.Field{
		{Name: "Policy", Value: r.Name},
		{Name: "RootKey", Value: root.Key},
		{Name: "Verdict", Value: word(verdict)},
		{Name: "State", Value: string(root.State)},
		{Name: "Reason", Value: root.Why.Message},
		{Name: "Findings", Value: findings(root.Checks)},
		{Name: "Passed", Value: passed(root.Checks)},
		{Name: "Checks", Value: checkObjects(root.Checks)},
		{Name: "AzureKeyID", Value: root.Ref.URI},
		{Name: "VersionInUse", Value: root.InUse},
		{Name: "PolicyState", Value: string(r.State)},
		{Name: "LastChecked", Value: orNil(root.Checked)},
	}}
}

func checkObjects(checks []rootcheck.Verdict) []cmdlet.Object {
	list := make([]cmdlet.Object, len(checks))
	for i, v := range checks {
		list[i] = cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "Check", Value: v.Check}, {Name: "Verdict", Value: word(v.Outcome)}, {Name: "Row", Value: v.Row}, {Name: "Message", Value: v.Message}, {Name: "Hint", Value: v.Hint},
		}}
	}
	return list
}

// findings shows the checks that did not pass.
func findings(checks []rootcheck.Verdict) []cmdlet.Object {
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

func keyChangeObject(c health.Change) cmdlet.Object {
	names := make([]string, len(c.Policies))
	for i, p := range c.Policies {
		names[i] = p.Name
	}
	return cmdlet.Object{Type: keyChangeType, Fields: []cmdlet.Field{
		{Name: "Time", Value: c.Time}, {Name: "Type", Value: string(c.Type)}, {Name: "Subject", Value: c.Subject()}, {Name: "Was", Value: string(c.Was)}, {Name: "State", Value: string(c.State)},
		{Name: "Message", Value: c.Why.Message}, {Name: "Hint", Value: c.Why.Hint}, {Name: "Policies", Value: names}, {Name: "Id", Value: cmdlet.GUID(c.ID)}, {Name: "Number", Value: c.Seq},
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
func rootHealth(h health.Report, st policy.Status) []cmdlet.Object {
	asked := map[string]time.Time{}
	for _, r := range st.Health {
		asked[r.URI] = r.Seen
	}
	list := make([]cmdlet.Object, len(h.Roots))
	for i, r := range h.Roots {
		list[i] = cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "Key", Value: r.Ref.URI}, {Name: "Health", Value: string(r.State)}, {Name: "Reason", Value: r.Why.Message}, {Name: "Since", Value: orNil(r.Since)},
			{Name: "Warnings", Value: warnings(r.Checks)}, {Name: "LastChecked", Value: orNil(r.Checked)}, {Name: "LastAsked", Value: orNil(asked[r.Ref.URI])},
		}}
	}
	return list
}
