package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// What the rows of the policy family do. Rights are checked and recorded by package policy.

// servePolicy is what a row of one family does.
type servePolicy func(ctx context.Context, s Services, call *Call, f policy.Family) error

// of returns the same for a family, as a row takes it.
func (serve servePolicy) of(f policy.Family) func(context.Context, Services, *Call) error {
	return func(ctx context.Context, s Services, call *Call) error { return serve(ctx, s, call, f) }
}

func newPolicy(ctx context.Context, s Services, call *Call, f policy.Family) error {
	name := call.Args.Text("Name")
	if strings.Contains(name, " ") { // row X-13
		call.Warn("the name has spaces: put it in quotes wherever you use it")
	}
	enabled := true
	if given := call.Args.BoolPtr("Enabled"); given != nil {
		enabled = *given
	}
	var p policy.Policy
	done, err := perform(ctx, s, call, "Create data encryption policy", name, func(a policy.Acts) (err error) {
		p, err = a.Create(ctx, call.Caller, policy.Draft{
			Family: f, Name: name, Description: call.Args.Text("Description"), KeyURIs: call.Args.List("AzureKeyIDs"), Enabled: enabled,
		})
		return err
	})
	if err != nil || !done {
		return err
	}
	call.changed(p.ID, nil, policyProperties(p))
	if err := warnOfRoots(ctx, s, call, p); err != nil {
		return err
	}
	return emitPolicy(ctx, s, call, p)
}

// warnOfRoots tells what is unwise about the roots that a policy has got (rows CK-39, CK-41).
func warnOfRoots(ctx context.Context, s Services, call *Call, p policy.Policy) error {
	remarks, err := s.Policies.Remarks(ctx, call.Caller, p.Family, p.ID)
	for _, r := range remarks {
		call.Warn("%s", r)
	}
	return err
}

func getPolicy(ctx context.Context, s Services, call *Call, f policy.Family) error {
	if name := call.Args.Text("Identity"); name != "" {
		p, err := s.Policies.Get(ctx, call.Caller, f, policyIdentity(call, f, name))
		if err != nil {
			return err
		}
		return emitPolicy(ctx, s, call, p)
	}
	all, err := s.Policies.List(ctx, call.Caller, f)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b policy.Policy) int { return cmp.Compare(policy.FoldName(a.Name), policy.FoldName(b.Name)) })
	for _, p := range all {
		if err := emitPolicy(ctx, s, call, p); err != nil {
			return err
		}
	}
	return nil
}

// checkSetPolicy refuses what administrators mix up (rows CK-318 and X-8).
func checkSetPolicy(args cmdlet.Args) error {
	if args.On("Refresh") && args.Has("AzureKeyIDs") {
		return cmdlet.BindError("-Refresh takes the newest versions of the keys that the policy has, so it cannot go with -AzureKeyIDs").
			WithHint("after rolling the keys in their vaults use -Refresh alone; to take other keys use -Replace -AzureKeyIDs")
	}
	if args.On("PermanentDataPurgeRequested") && !args.Has("PermanentDataPurgeContact") { // rows CK-114, CK-116
		return cmdlet.BindError("-PermanentDataPurgeRequested needs -PermanentDataPurgeContact").WithHint("name whom the operator of the service can ask about it")
	}
	for _, name := range []string{"Enabled", "Name", "Description", "Replace", "AzureKeyIDs", "PermanentDataPurgeRequested", "PermanentDataPurgeReason"} {
		if args.Has(name) {
			return nil
		}
	}
	if args.On("Refresh") {
		return nil
	}
	return cmdlet.BindError("there is nothing to change").WithHint("give -Refresh, -Enabled, -Name or -Description, or -Replace with -AzureKeyIDs")
}

func setPolicy(ctx context.Context, s Services, call *Call, f policy.Family) error {
	if call.Args.Has("PermanentDataPurgeReason") && !call.Args.On("PermanentDataPurgeRequested") { // row CK-119
		return fault.New(fault.Invalid, "an operator finishes a purge by approving the request for it").
			WithHint("organizations ask with -PermanentDataPurgeRequested; operators use Get-CKRequest and Approve-CKRequest")
	}
	p, err := s.Policies.Get(ctx, call.Caller, f, policyIdentity(call, f, call.Args.Text("Identity")))
	if err != nil {
		return err
	}
	if call.Args.Has("PermanentDataPurgeReason") {
		return requestPurge(ctx, s, call, p)
	}
	change := policy.Change{Name: call.Args.TextPtr("Name"), Description: call.Args.TextPtr("Description"), Enabled: call.Args.BoolPtr("Enabled")}
	done, err := perform(ctx, s, call, describeChange(change, call.Args), p.Name, func(a policy.Acts) error {
		now, err := changePolicy(ctx, a, call, p, change)
		call.changed(p.ID, policyProperties(p), policyProperties(now))
		return err
	})
	if err != nil || !done || !call.Args.On("Replace") {
		return err
	}
	if p, err = s.Policies.Get(ctx, call.Caller, f, p.ID); err != nil {
		return err
	}
	return warnOfRoots(ctx, s, call, p)
}

// changePolicy returns the policy as it has become, also where only a part took effect.
func changePolicy(ctx context.Context, a policy.Acts, call *Call, p policy.Policy, change policy.Change) (policy.Policy, error) {
	now := p
	if change != (policy.Change{}) {
		changed, err := a.Update(ctx, call.Caller, p.Family, p.ID, change)
		if err != nil {
			return now, err
		}
		now = changed
	}
	var keyed policy.Policy
	var err error
	switch {
	case call.Args.On("Refresh"):
		keyed, err = a.Refresh(ctx, call.Caller, p.Family, p.ID)
	case call.Args.On("Replace"):
		keyed, err = a.Replace(ctx, call.Caller, p.Family, p.ID, call.Args.List("AzureKeyIDs"))
	default:
		return now, nil
	}
	if err != nil {
		return now, err
	}
	return keyed, nil
}

func describeChange(c policy.Change, args cmdlet.Args) string {
	var parts []string
	if c.Name != nil {
		parts = append(parts, fmt.Sprintf("rename to %q", *c.Name))
	}
	if c.Description != nil {
		parts = append(parts, "describe")
	}
	switch {
	case c.Enabled != nil && *c.Enabled:
		parts = append(parts, "enable")
	case c.Enabled != nil:
		parts = append(parts, "disable")
	}
	if args.On("Refresh") {
		parts = append(parts, "refresh")
	}
	if args.On("Replace") {
		parts = append(parts, "replace the root keys of")
	}
	text := strings.Join(parts, ", ") + " data encryption policy"
	return strings.ToUpper(text[:1]) + text[1:]
}

func getAssignment(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Assignment(ctx, call.Caller)
	if err != nil || p == nil {
		return err
	}
	return emitPolicy(ctx, s, call, *p)
}

func setAssignment(ctx context.Context, s Services, call *Call) error {
	old, err := s.Policies.Assignment(ctx, call.Caller)
	if err != nil {
		return err
	}
	var was policy.Policy
	if old != nil {
		was = *old
	}
	if call.Args.IsNull("DataEncryptionPolicy") { // row CK-306
		done, err := perform(ctx, s, call, "Unassign the data encryption policy", "the organization", func(a policy.Acts) error {
			return a.Assign(ctx, call.Caller, "")
		})
		if done && err == nil {
			call.changed(was.ID, policyProperty(was.Name), policyProperty(""))
		}
		return err
	}
	p, err := s.Policies.Get(ctx, call.Caller, policy.MultiWorkload, policyIdentity(call, policy.MultiWorkload, call.Args.Text("DataEncryptionPolicy")))
	if err != nil {
		return err
	}
	done, err := perform(ctx, s, call, "Assign data encryption policy", p.Name, func(a policy.Acts) error {
		return a.Assign(ctx, call.Caller, p.ID)
	})
	if done && err == nil {
		call.changed(p.ID, policyProperty(was.Name), policyProperty(p.Name))
	}
	return err
}

// emitPolicy shows a policy as it stands, unless an earlier page has shown it.
func emitPolicy(ctx context.Context, s Services, call *Call, p policy.Policy) error {
	key := policy.FoldName(p.Name)
	if call.Shown(key) {
		return nil
	}
	st, err := s.Policies.Status(ctx, call.Caller, p.Family, p.ID)
	if err != nil {
		return err
	}
	h, err := healthOf(ctx, s, call, p)
	if err != nil {
		return err
	}
	return call.Host.Object(policyObject(key, st, h))
}
