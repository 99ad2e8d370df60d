package cmdlet

import (
	"context"

	"github.com/customerkey/customerkey/internal/health"
)

// Type names of alert subscriptions.
const (
	alertSubscriptionType = "CKAlertSubscription"
	newSubscriptionType   = "CKNewAlertSubscription"
)

// alertRows say where changes of key health are sent. Rights are checked and recorded by
// package health.
func alertRows() []Cmdlet {
	return []Cmdlet{
		{
			Name:        "New-CKAlertSubscription",
			Synopsis:    "Have changes of key health sent to a webhook.",
			Description: "The receiver must agree first: it is asked OPTIONS with WebHook-Request-Origin. SigningSecret, with which deliveries are signed, is shown this once. It tells of the policies that you may see now.",
			Examples:    []string{`New-CKAlertSubscription -Name pager -EndpointUrl https://alerts.contoso.example/ck -Type CustomerKey.PolicyHealthChanged`},
			Params: []Param{
				{Name: "Name", Type: String, Position: 1, Mandatory: true, Help: "3 to 64 letters, digits and hyphens; unique in the organization."},
				{Name: "EndpointUrl", Type: String, Position: 2, Mandatory: true, Help: "Where to send: an https URL. Its query may hold a secret, and is not shown again."},
				{Name: "Type", Type: StringList, Help: "Only these types of changes; all unless given."},
				domainController,
			},
			Output: newSubscriptionType, Impact: Medium, Side: Service, Roles: rolesForHealth(health.Subscribe), serve: newAlertSubscription,
		},
		{
			Name:     "Get-CKAlertSubscription",
			Synopsis: "Show the webhooks that changes of key health are sent to.",
			Examples: []string{`Get-CKAlertSubscription`},
			Params:   []Param{domainController},
			Output:   alertSubscriptionType, Side: Service, Roles: rolesForHealth(health.ReadWebhook), serve: getAlertSubscriptions,
		},
		{
			Name:     "Remove-CKAlertSubscription",
			Synopsis: "Send changes of key health to a webhook no more.",
			Examples: []string{`Remove-CKAlertSubscription -Name pager`},
			Params: []Param{
				{Name: "Name", Type: String, Position: 1, Mandatory: true, Help: "Name of the subscription."},
				domainController,
			},
			Impact: Medium, Side: Service, Roles: rolesForHealth(health.Subscribe), serve: removeAlertSubscription,
		},
	}
}

func alertViews() []View {
	return []View{
		{Type: alertSubscriptionType, Summary: true, Table: []Column{
			{"Name", "Name"}, {"EndpointUrl", "EndpointUrl"}, {"Delivered", "Delivered"}, {"Dropped", "Dropped"}, {"FailuresInARow", "FailuresInARow"}, {"Type", "Type"},
		}},
		{Type: newSubscriptionType},
	}
}

func newAlertSubscription(ctx context.Context, s Services, call *Call) error {
	name := call.Args.Text("Name")
	if proceed, err := call.ShouldProcess("Send changes of key health to a webhook", name); err != nil || !proceed {
		return err
	}
	var types []health.ChangeType
	for _, t := range call.Args.List("Type") {
		types = append(types, health.ChangeType(t))
	}
	sub, err := s.Health.Subscribe(ctx, call.Caller, name, call.Args.Text("EndpointUrl"), types)
	if err != nil {
		return err
	}
	o := subscriptionObject(sub, sub.Endpoint.Base())
	o.Type = newSubscriptionType
	o.Fields = append(o.Fields, Field{"SigningSecret", sub.SecretText()})
	return call.Host.Object(o)
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
	if proceed, err := call.ShouldProcess("Send changes of key health to a webhook no more", name); err != nil || !proceed {
		return err
	}
	return s.Health.Unsubscribe(ctx, call.Caller, name)
}

func subscriptionObject(sub health.Subscription, base string) Object {
	types, families := []string{}, []string{}
	for _, t := range sub.Types {
		types = append(types, string(t))
	}
	for _, f := range sub.Families {
		families = append(families, string(f))
	}
	return Object{Type: alertSubscriptionType, Fields: []Field{
		{"Name", sub.Name}, {"EndpointUrl", base}, {"Type", types}, {"Family", families}, {"Created", sub.Created},
		{"Delivered", sub.Delivered}, {"Dropped", sub.Dropped}, {"FailuresInARow", int64(sub.Attempts)},
	}}
}
