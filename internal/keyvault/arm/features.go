package arm

import (
	"net/http"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// There is one feature to register: mandatory retention (KV-127). Both forms in which clients
// ask for it, the older (KV-112) and the newer (KV-113), are views of the same registration.

const featureID = keyvault.RetentionNamespace + "/" + keyvault.RetentionFeature

type featureOut struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Type       string        `json:"type"`
	Properties featureStated `json:"properties"`
}

type featureStated struct {
	State keyvault.RegistrationState `json:"state"`
}

func feature(s keyvault.Subscription) featureOut {
	return featureOut{
		ID: "/subscriptions/" + s.ID + "/providers/Microsoft.Features/providers/" + keyvault.RetentionNamespace +
			"/features/" + keyvault.RetentionFeature,
		Name: featureID, Type: "Microsoft.Features/providers/features", Properties: featureStated{s.Retention.State},
	}
}

type registrationOut struct {
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	Properties registrationProp `json:"properties"`
}

type registrationProp struct {
	TenantID     string                     `json:"tenantId"`
	Subscription string                     `json:"subscriptionId"`
	Feature      string                     `json:"featureName"`
	DisplayName  string                     `json:"displayName"`
	Namespace    string                     `json:"providerNamespace"`
	State        keyvault.RegistrationState `json:"state"`
	Approval     string                     `json:"approvalType"`
	Registered   *time.Time                 `json:"registrationDate,omitempty"`
	Profile      *profileOut                `json:"authorizationProfile,omitempty"`
}

type profileOut struct {
	Requested   time.Time `json:"requestedTime"`
	Requester   string    `json:"requester"`
	RequesterID string    `json:"requesterObjectId"`
}

func registration(s keyvault.Subscription) registrationOut {
	r := s.Retention
	out := registrationOut{
		ID: "/subscriptions/" + s.ID + "/providers/Microsoft.Features/featureProviders/" + keyvault.RetentionNamespace +
			"/subscriptionFeatureRegistrations/" + keyvault.RetentionFeature,
		Name: keyvault.RetentionFeature, Type: "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations",
		Properties: registrationProp{
			TenantID: s.Tenant, Subscription: s.ID, Feature: keyvault.RetentionFeature, DisplayName: "Mandatory retention period",
			Namespace: keyvault.RetentionNamespace, State: r.State, Approval: "ApprovalRequired",
		},
	}
	if r.State == keyvault.Registered {
		out.Properties.Registered = &r.Since
	}
	if !r.Asked.IsZero() {
		out.Properties.Profile = &profileOut{r.Asked, r.AskedName, r.AskedBy}
	}
	return out
}

// known refuses namespaces and features that are not there. The feature may be left out of the
// path.
func (x *request) known() error {
	if namespace := x.params["namespace"]; namespace != "" && !strings.EqualFold(namespace, keyvault.RetentionNamespace) {
		return fault.New(fault.NotFound, "The resource namespace '%.64s' is invalid", namespace).WithReason(reasonNoNamespace).
			WithHint("Features are there for %s only.", keyvault.RetentionNamespace)
	}
	if name, given := x.params["feature"]; given && !strings.EqualFold(name, keyvault.RetentionFeature) {
		return fault.New(fault.NotFound, "The feature '%.128s' could not be found", name).WithReason(reasonNoFeature).
			WithHint("The only one is %s.", featureID)
	}
	return nil
}

// answerFeature answers with the feature as do leaves it. Whose the subscription is comes
// before whether the feature exists.
func answerFeature[T any](x *request, render func(keyvault.Subscription) T, do func() (keyvault.Subscription, error)) error {
	if err := x.known(); err != nil {
		if _, own := x.own(); own != nil {
			return own
		}
		return err
	}
	s, err := do()
	if err != nil {
		return err
	}
	return x.reply(render(s))
}

func (x *request) registerRetention() (keyvault.Subscription, error) {
	return x.vaults.RegisterRetention(x.r.Context(), x.caller, x.params["subscription"])
}

func (x *request) unregisterRetention() (keyvault.Subscription, error) {
	return x.vaults.UnregisterRetention(x.r.Context(), x.caller, x.params["subscription"])
}

func (x *request) getFeature() error        { return answerFeature(x, feature, x.own) }
func (x *request) registerFeature() error   { return answerFeature(x, feature, x.registerRetention) }
func (x *request) unregisterFeature() error { return answerFeature(x, feature, x.unregisterRetention) }

func (x *request) listFeatures() error {
	return answerFeature(x, func(s keyvault.Subscription) listOut[featureOut] { return listOf([]featureOut{feature(s)}) }, x.own)
}

func (x *request) getRegistration() error { return answerFeature(x, registration, x.own) }
func (x *request) putRegistration() error { return answerFeature(x, registration, x.registerRetention) }

// deleteRegistration answers 204 where there is nothing to take back.
func (x *request) deleteRegistration() error {
	if err := x.known(); err != nil {
		return answerFeature(x, registration, x.own)
	}
	s, err := x.unregisterRetention()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if s.Retention.State == keyvault.NotRegistered || s.Retention.State == keyvault.Unregistered {
		status = http.StatusNoContent
	}
	x.w.WriteHeader(status)
	return nil
}

// listRegistrations lists those that were ever asked for.
func (x *request) listRegistrations() error {
	return answerFeature(x, func(s keyvault.Subscription) listOut[registrationOut] {
		if s.Retention.State == keyvault.NotRegistered {
			return listOf[registrationOut](nil)
		}
		return listOf([]registrationOut{registration(s)})
	}, x.own)
}
