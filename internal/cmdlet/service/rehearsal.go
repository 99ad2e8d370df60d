package service

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// rehearsalType is the type name of what a rehearsal shows.
const rehearsalType = "CKRehearsal"

func rehearsalRows() []row {
	names := make([]string, len(policy.Scenarios))
	for i, sc := range policy.Scenarios {
		names[i] = string(sc)
	}
	return []row{{serve: rehearse, Cmdlet: cmdlet.Cmdlet{
		Name:     "Invoke-CKRehearsal",
		Synopsis: "Play what would happen if root keys were taken back, lost, or content purged.",
		Description: "Nothing happens to the real keys: the service opens twins of them, under root keys that refuse as the scenario says and an availability key in the state of the real one, and shows for each generation of the " +
			"policy what people and the service could still open, how long keys that are held open content at most, and what can be done. The vaults are not asked. RevokeRoot and LoseRoot concern either root key: what is shown holds for both.",
		Examples: []string{`Invoke-CKRehearsal -Scenario LoseBoth -Identity Contoso_Global`, `Invoke-CKRehearsal -Scenario Purge -Identity USA_mailboxes -OutputFormat json`},
		Params: []cmdlet.Param{
			identity(true, "Name, GUID or distinguished name of the policy."),
			{Name: "Scenario", Type: cmdlet.String, Mandatory: true, Values: names, Help: "What is to be played."},
			domainController,
		},
		Output: rehearsalType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesForAny(policy.Rehearse),
	}}}
}

func rehearse(ctx context.Context, s Services, call *Call) error {
	outcomes, err := s.Policies.Rehearse(ctx, call.Caller, anyFamily(call, call.Args.Text("Identity")).Identity, policy.Scenario(call.Args.Text("Scenario")))
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		until := ""
		if !o.Users {
			until = o.Until.String()
		}
		err := call.Host.Object(cmdlet.Object{Type: rehearsalType, Fields: []cmdlet.Field{
			{Name: "Scenario", Value: string(o.Scenario)}, {Name: "Policy", Value: o.Policy}, {Name: "Generation", Value: int64(o.Generation)},
			{Name: "PeopleCanRead", Value: o.Users}, {Name: "ReadableForAtMost", Value: until}, {Name: "ServiceCanRead", Value: o.Service}, {Name: "ByAvailabilityKey", Value: o.ByAvailable}, {Name: "Destroyed", Value: o.Destroyed},
			{Name: "ContainerKeys", Value: o.Under.Keys}, {Name: "Containers", Value: o.Under.Containers}, {Name: "Items", Value: o.Under.Items}, {Name: "Bytes", Value: o.Under.Bytes}, {Name: "People", Value: o.Under.People},
			{Name: "Recovery", Value: orEmpty(o.Recovery)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func rehearsalViews() []cmdlet.View {
	return []cmdlet.View{{Type: rehearsalType, Table: []cmdlet.Column{
		{Label: "Scenario", Property: "Scenario"}, {Label: "Policy", Property: "Policy"}, {Label: "People Can Read", Property: "PeopleCanRead"}, {Label: "For At Most", Property: "ReadableForAtMost"}, {Label: "Service Can Read", Property: "ServiceCanRead"}, {Label: "Items", Property: "Items"}, {Label: "People", Property: "People"},
	}}}
}
