package arm

import (
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// What the operator of the service does to subscriptions is at paths of our own, below
// operator/, and takes no api-version. Answers are these:
//
//	GET  operator/retentionRequests                        {"value":[request…],"nextLink"?}
//	POST operator/retentionRequests/{tenant}/{subscription}/approve    request
//	POST operator/retentionRequests/{tenant}/{subscription}/deny       request
//	POST operator/subscriptions/{tenant}/{subscription}/warn|stop|enable   subscription

// requestOut is a subscription whose feature waits, or waited, for the operator.
type requestOut struct {
	TenantID     string                     `json:"tenantId"`
	Subscription string                     `json:"subscriptionId"`
	DisplayName  string                     `json:"displayName"`
	State        keyvault.RegistrationState `json:"state"` // Pending: to be registered; Unregistering: to end that
	AskedBy      string                     `json:"requestedBy"`
	AskedName    string                     `json:"requestedByName"`
	Asked        time.Time                  `json:"requestedAt"`
}

func requested(s keyvault.Subscription) requestOut {
	r := s.Retention
	return requestOut{s.Tenant, s.ID, s.DisplayName, r.State, r.AskedBy, r.AskedName, r.Asked}
}

func (x *request) listRequests() error {
	top, err := x.top()
	if err != nil {
		return err
	}
	token, err := face.ParseToken(x.query.Get("$skiptoken"))
	if err != nil {
		return err
	}
	var after keyvault.Subscription
	after.Tenant, after.ID, _ = strings.Cut(token, "/")
	found, err := x.vaults.RetentionRequests(x.r.Context(), x.caller, after, top+1)
	if err != nil {
		return err
	}
	out := listOf[requestOut](nil)
	if len(found) > top {
		found = found[:top]
		out.NextLink = x.nextLink(found[top-1].Tenant + "/" + found[top-1].ID)
	}
	for _, s := range found {
		out.Value = append(out.Value, requested(s))
	}
	return x.reply(out)
}

func (x *request) approveRequest() error { return x.decideRequest(true) }
func (x *request) denyRequest() error    { return x.decideRequest(false) }

func (x *request) decideRequest(approve bool) error {
	s, err := x.vaults.DecideRetention(x.r.Context(), x.caller, x.params["tenant"], x.params["subscription"], approve)
	if err != nil {
		return err
	}
	return x.reply(requested(s))
}

func (x *request) warnSubscription() error { return x.setState(keyvault.Warned) }
func (x *request) stopSubscription() error { return x.setState(keyvault.Stopped) }
func (x *request) letSubscription() error  { return x.setState(keyvault.Enabled) }

func (x *request) setState(to keyvault.SubscriptionState) error {
	s, err := x.vaults.SetSubscriptionState(x.r.Context(), x.caller, x.params["tenant"], x.params["subscription"], to)
	if err != nil {
		return err
	}
	return x.reply(subscription(s))
}
