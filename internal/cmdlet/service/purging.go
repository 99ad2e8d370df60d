package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
)

// What the rows of purges do. Rights are checked and recorded by package policy.

func requestAnyPurge(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	return askPurge(ctx, s, call, p, policy.PurgeAsk{Reason: call.Args.Text("Reason"), Contact: call.Args.Text("Contact"), Force: call.Args.On("Force")})
}

// requestPurge is the tenant's side of a purge of a mailbox policy (rows CK-114 to CK-117).
func requestPurge(ctx context.Context, s Services, call *Call, p policy.Policy) error {
	return askPurge(ctx, s, call, p, policy.PurgeAsk{
		Reason: call.Args.Text("PermanentDataPurgeReason"), Contact: call.Args.Text("PermanentDataPurgeContact"), Force: call.Args.On("Force"),
	})
}

const askForPurge = "Request the permanent purge of all data under the data encryption policy"

// foreseePlan says what a purge would destroy, and what stands in its way, if anything does.
func foreseePlan(p policy.Policy, plan purge.Plan, obstacle error) foresight {
	f := foresight{Then: planObject(p, plan, obstacle), Unreadable: plan.Items}
	for _, g := range plan.Generations {
		f.Freed = append(f.Freed, g.Roots[0], g.Roots[1])
	}
	slices.Sort(f.Freed)
	f.Freed = slices.Compact(f.Freed)
	f.Lines = []string{
		fmt.Sprintf("%d items in %d containers, %d bytes, become unreadable for ever; nothing brings them back.", plan.Items, plan.Containers, plan.Bytes),
		fmt.Sprintf("Destroyed with them: %d generations of the policy's key, %d container keys, %d availability keys. Mailboxes that are closed: %d.",
			len(plan.Generations), plan.ContainerKeys, len(plan.AvailabilityKeys), plan.Closed),
		"Root key versions that nothing needs afterwards: " + strings.Join(f.Freed, ", ") + ".",
	}
	if obstacle != nil {
		shown := fault.As(obstacle)
		return withLine(f, "What stands in the way: "+shown.Message+". "+sentenceOf(shown.Hint))
	}
	return withLine(f, "Asked for, the policy takes nothing new; an officer and an operator of the service have to approve.")
}

func withLine(f foresight, line string) foresight {
	f.Lines = append(f.Lines, line)
	return f
}

// askPurge asks for a purge. Under -WhatIf it shows the dry run instead.
func askPurge(ctx context.Context, s Services, call *Call, p policy.Policy, a policy.PurgeAsk) error {
	if call.Common.WhatIf {
		plan, obstacle, err := s.Policies.PlanPurge(ctx, call.Caller, p.Family, p.ID, a.Force)
		if err != nil {
			return err
		}
		return foretell(call.Call, askForPurge, p.Name, foreseePlan(p, plan, obstacle))
	}
	if proceed, err := call.ShouldProcess(askForPurge, p.Name); err != nil || !proceed {
		return err
	}
	call.about(p.ID)
	r, err := s.Policies.RequestPurge(ctx, call.Caller, p.Family, p.ID, a)
	if err != nil {
		return err
	}
	call.changed(p.ID, []cmdlet.Field{{Name: "State", Value: string(p.State)}}, []cmdlet.Field{{Name: "State", Value: string(policy.PendingDeletion)}})
	call.Warn("the policy takes nothing new from now on; nothing is destroyed before an officer and an operator have approved, and %s have passed", r.Wait)
	return call.Host.Object(approvalObject(r))
}

func getPurge(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	o, record, key, err := s.Policies.PurgeOf(ctx, call.Caller, p.Family, p.ID)
	if err != nil {
		return err
	}
	var plan purge.Plan
	if o.Request == "" {
		plan, obstacle, err := s.Policies.PlanPurge(ctx, call.Caller, p.Family, p.ID, call.Args.On("Force"))
		if err != nil {
			return err
		}
		return call.Host.Object(planObject(p, plan, obstacle))
	}
	if err := json.Unmarshal([]byte(o.Plan), &plan); err != nil {
		return fault.Wrap(fault.Corrupt, err, "the plan of the purge cannot be read")
	}
	shown := planObject(p, plan, nil)
	shown.Fields = append(shown.Fields, []cmdlet.Field{
		{Name: "Request", Value: cmdlet.GUID(o.Request)}, {Name: "Reason", Value: o.Reason}, {Name: "Contact", Value: o.Contact}, {Name: "Forced", Value: o.Force}, {Name: "RequestedBy", Value: o.Name}, {Name: "RequestedAt", Value: o.Asked},
		{Name: "KeysDestroyed", Value: o.Keys}, {Name: "ItemsDestroyed", Value: o.Items}, {Name: "BytesDestroyed", Value: o.Bytes}, {Name: "Finished", Value: orNil(o.Finished)},
		{Name: "VerifierKey", Value: key}, {Name: "Record", Value: record},
	}...)
	return call.Host.Object(shown)
}

// planObject shows what a purge would destroy, or was to destroy.
func planObject(p policy.Policy, plan purge.Plan, obstacle error) cmdlet.Object {
	digest, err := plan.Digest()
	if err != nil {
		digest = ""
	}
	list := []cmdlet.Object{}
	for _, g := range plan.Generations {
		list = append(list, cmdlet.Object{Fields: []cmdlet.Field{{Name: "Generation", Value: cmdlet.GUID(g.ID)}, {Name: "Number", Value: int64(g.Number)}, {Name: "KeyVersions", Value: []string{g.Roots[0], g.Roots[1]}}}})
	}
	state, hint := "", ""
	if obstacle != nil {
		f := fault.As(obstacle)
		state, hint = f.Message, f.Hint
	}
	return cmdlet.Object{Type: purgeType, Key: p.ID, Fields: []cmdlet.Field{
		{Name: "Policy", Value: p.Name}, {Name: "State", Value: string(p.State)}, {Name: "Obstacle", Value: state}, {Name: "Hint", Value: hint},
		{Name: "Containers", Value: plan.Containers}, {Name: "ContainerKeys", Value: plan.ContainerKeys}, {Name: "OlderKeys", Value: plan.OlderKeys}, {Name: "MailboxesClosed", Value: plan.Closed}, {Name: "Items", Value: plan.Items}, {Name: "Bytes", Value: plan.Bytes},
		{Name: "Generations", Value: list}, {Name: "AvailabilityKeys", Value: plan.AvailabilityKeys}, {Name: "PlanDigest", Value: digest},
		{Name: "Effect", Value: fmt.Sprintf("%d items in %d containers become unreadable for ever; nothing brings them back", plan.Items, plan.Containers)},
	}}
}

// containerPage is how many containers are in memory at a time.
const containerPage = 200

func getPurgeContainers(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	for after := call.Page.After; ; {
		list, err := s.Policies.PurgeContainers(ctx, call.Caller, p.Family, p.ID, after, containerPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, c := range list {
			err := call.Host.Object(cmdlet.Object{Type: purgeContainerType, Key: c.ID, Fields: []cmdlet.Field{
				{Name: "Workload", Value: c.Workload}, {Name: "Name", Value: c.Name}, {Name: "Items", Value: c.Items}, {Name: "Bytes", Value: c.Bytes}, {Name: "Id", Value: cmdlet.GUID(c.ID)},
			}})
			if err != nil {
				return err
			}
			after = c.ID
		}
	}
}
