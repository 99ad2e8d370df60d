package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
)

// Type names of alert subscriptions.
const (
	alertSubscriptionType = "CKAlertSubscription"
	newSubscriptionType   = "CKNewAlertSubscription"
)

// alertRows say where changes of key health are sent. Rights are checked and recorded by
// package health.
func alertRows() []row {
	return []row{
		{serve: newAlertSubscription, Cmdlet: cmdlet.Cmdlet{
			Name:        "New-CKAlertSubscription",
			Synopsis:    "Have changes of key health sent to a webhook.",
			Description: "The receiver must agree first: it is asked OPTIONS with WebHook-Request-Origin. SigningSecret, with which deliveries are signed, is shown this once. It tells of the policies that you may see now.",
			Examples:    []string{`New-CKAlertSubscription -Name pager -EndpointUrl https://alerts.contoso.example/ck -Type CustomerKey.PolicyHealthChanged`},
			Params: []cmdlet.Param{
				{Name: "Name", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "3 to 64 letters, digits and hyphens; unique in the organization."},
				{Name: "EndpointUrl", Type: cmdlet.String, Position: 2, Mandatory: true, Secret: true, Help: "Where to send: an https URL. Its query may hold a secret, and is not shown again."},
				{Name: "Type", Type: cmdlet.StringList, Help: "Only these types of changes; all unless given."},
				domainController,
			},
			Output: newSubscriptionType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForHealth(health.Subscribe),
		}},
		{serve: getAlertSubscriptions, Cmdlet: cmdlet.Cmdlet{
			Name:     "Get-CKAlertSubscription",
			Synopsis: "Show the webhooks that changes of key health are sent to.",
			Examples: []string{`Get-CKAlertSubscription`},
			Params:   []cmdlet.Param{domainController},
			Output:   alertSubscriptionType, Side: cmdlet.Service, Roles: rolesForHealth(health.ReadWebhook),
		}},
		{serve: removeAlertSubscription, Cmdlet: cmdlet.Cmdlet{
			Name:     "Remove-CKAlertSubscription",
			Synopsis: "Send changes of key health to a webhook no more.",
			Examples: []string{`Remove-CKAlertSubscription -Name pager`},
			Params: []cmdlet.Param{
				{Name: "Name", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Name of the subscription."},
				domainController,
			},
			Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForHealth(health.Subscribe),
		}},
	}
}

func alertViews() []cmdlet.View {
	return []cmdlet.View{
		{Type: alertSubscriptionType, Summary: true, Table: []cmdlet.Column{
			{Label: "Name", Property: "Name"}, {Label: "EndpointUrl", Property: "EndpointUrl"}, {Label: "Delivered", Property: "Delivered"}, {Label: "Dropped", Property: "Dropped"}, {Label: "FailuresInARow", Property: "FailuresInARow"}, {Label: "Type", Property: "Type"},
		}},
		{Type: newSubscriptionType},
	}
}

func newAlertSubscription(ctx context.Context, s Services, call *Call) error {
	name := call.Args.Text("Name")
	var types []health.ChangeType
	for _, t := range call.Args.List("Type") {
		types = append(types, health.ChangeType(t))
	}
	sub, done, err := change(call, "Send changes of key health to a webhook", name,
		func() (health.Subscription, error) {
			return s.Health.Subscribe(ctx, call.Caller, name, call.Args.Text("EndpointUrl"), types)
		},
		func(sub health.Subscription) (foresight, error) {
			return foresight{Then: subscriptionObject(sub, sub.Endpoint.Base()), Lines: append(alertLines(sub), "The receiver was not asked whether it agrees; without its word the webhook is not made.")}, nil
		})
	if err != nil || !done {
		return err
	}
	o := subscriptionObject(sub, sub.Endpoint.Base())
	o.Type = newSubscriptionType
	o.Fields = append(o.Fields, cmdlet.Field{Name: "SigningSecret", Value: sub.SecretText()})
	return call.Host.Object(o)
}

// alertLines say what a webhook is told.
func alertLines(sub health.Subscription) []string {
	what := "all types"
	if len(sub.Types) > 0 {
		names := make([]string, len(sub.Types))
		for i, t := range sub.Types {
			names[i] = string(t)
		}
		what = "the types " + strings.Join(names, ", ")
	}
	families := make([]string, len(sub.Families))
	for i, f := range sub.Families {
		families[i] = string(f)
	}
	return []string{fmt.Sprintf("It is about changes of %s, of policies of the families %s.", what, strings.Join(families, ", "))}
}

func getAlertSubscriptions(ctx context.Context, s Services, call *Call) error {
	rows, err := s.Health.Subscriptions(ctx, call.Caller)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := call.Host.Object(subscriptionObject(row.Subscription, row.Base)); err != nil {
			return err
		}
	}
	return nil
}

func removeAlertSubscription(ctx context.Context, s Services, call *Call) error {
	name := call.Args.Text("Name")
	_, _, err := change(call, "Send changes of key health to a webhook no more", name,
		func() (none, error) { return none{}, s.Health.Unsubscribe(ctx, call.Caller, name) },
		func(none) (foresight, error) { return foreseeSilence(ctx, s, call, name) })
	return err
}

// foreseeSilence says what a webhook is told no more, and how many are left.
func foreseeSilence(ctx context.Context, s Services, call *Call, name string) (foresight, error) {
	all, err := s.real.Health.Subscriptions(ctx, call.Caller)
	f := foresight{Lines: []string{"What the webhook was not sent yet is not sent. Get-CKKeyHealthHistory and the log tell of the changes as before."}}
	for _, row := range all {
		if strings.EqualFold(row.Name, name) {
			f.Lines = append(f.Lines, alertLines(row.Subscription)...)
		}
	}
	return withLine(f, fmt.Sprintf("Webhooks that are left: %d.", len(all)-1)), err
}

func subscriptionObject(sub health.Subscription, base string) cmdlet.Object {
	types, families := []string{}, []string{}
	for _, t := range sub.Types {
		types = append(types, string(t))
	}
	for _, f := range sub.Families {
		families = append(families, string(f))
	}
	return cmdlet.Object{Type: alertSubscriptionType, Fields: []cmdlet.Field{
		{Name: "Name", Value: sub.Name}, {Name: "EndpointUrl", Value: base}, {Name: "Type", Value: types}, {Name: "Family", Value: families}, {Name: "Created", Value: sub.Created},
		{Name: "Delivered", Value: sub.Delivered}, {Name: "Dropped", Value: sub.Dropped}, {Name: "FailuresInARow", Value: int64(sub.Attempts)},
	}}
}
