package service

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/workload"
)

// What the tests of policies do. Rights are checked and recorded by the packages health, policy and
// workload.

// testPolicy returns the test of one family's policies.
func testPolicy(f policy.Family) serveFunc {
	return func(ctx context.Context, s Services, call *Call) error {
		identity := policyIdentity(call, f, call.Args.Text("Identity"))
		if !call.Args.Has("Sample") {
			return testRoots(ctx, s, call, health.Query{Family: f, Identity: identity})
		}
		if identity == "" {
			return provePolicies(ctx, s, call, f)
		}
		p, err := s.Policies.Get(ctx, call.Caller, f, identity)
		if err != nil {
			return err
		}
		return provePolicy(ctx, s, call, p)
	}
}

// testGeo is the test of what covers files: of one geo, or of all that have a policy.
func testGeo(ctx context.Context, s Services, call *Call) error {
	geo := strings.ToLower(call.Args.Text("Geo"))
	if geo == "" && call.Args.Has("Sample") {
		return provePolicies(ctx, s, call, policy.SharePoint)
	}
	if geo == "" {
		return testRoots(ctx, s, call, health.Query{Family: policy.SharePoint})
	}
	st, err := s.Policies.Geo(ctx, call.Caller, geo)
	if err != nil {
		return err
	}
	if st.State == policy.Unregistered {
		return fault.New(fault.NotFound, "files of the geo %s are under the keys of the service", geo).
			WithHint("Register-SPODataEncryptionPolicy puts them under your own")
	}
	if call.Args.Has("Sample") {
		return provePolicy(ctx, s, call, st.Status.Policy)
	}
	return testRoots(ctx, s, call, health.Query{Family: policy.SharePoint, Identity: st.Status.Policy.ID})
}

// testRoots looks at the root keys of policies, and shows a row for each.
func testRoots(ctx context.Context, s Services, call *Call, q health.Query) error {
	reports, err := s.Health.Test(ctx, call.Caller, q)
	if err != nil {
		return err
	}
	for _, r := range reports {
		for _, root := range r.Roots {
			if err := call.Host.Object(policyTestObject(r, root)); err != nil {
				return err
			}
		}
	}
	return nil
}

// provePolicies proves the content of all policies of a family.
func provePolicies(ctx context.Context, s Services, call *Call, f policy.Family) error {
	all, err := s.Policies.List(ctx, call.Caller, f)
	for _, p := range all {
		if err == nil {
			err = provePolicy(ctx, s, call, p)
		}
	}
	return err
}

// provePolicy proves the content of a policy, and shows a row for each workload.
func provePolicy(ctx context.Context, s Services, call *Call, p policy.Policy) error {
	proofs, err := s.Items.Sample(ctx, call.Caller, p, int(call.Args.Int("Sample")))
	if err != nil {
		return err
	}
	for _, proof := range proofs {
		if err := call.Host.Object(sampleObject(p, proof)); err != nil {
			return err
		}
	}
	return nil
}

// sampleObject shows what opening some items of a workload has shown. With none to open there is no
// verdict.
func sampleObject(p policy.Policy, proof workload.Proof) cmdlet.Object {
	verdict := ""
	switch {
	case proof.Failed > 0:
		verdict = word(rootcheck.Fail)
	case proof.Opened > 0:
		verdict = word(rootcheck.Pass)
	}
	return cmdlet.Object{Type: sampleType, Fields: []cmdlet.Field{
		{Name: "Policy", Value: p.Name}, {Name: "Workload", Value: proof.Workload}, {Name: "Containers", Value: proof.Containers}, {Name: "Items", Value: proof.Items},
		{Name: "Opened", Value: int64(proof.Opened)}, {Name: "Failed", Value: int64(proof.Failed)}, {Name: "Verdict", Value: verdict}, {Name: "Reason", Value: proof.First},
	}}
}
