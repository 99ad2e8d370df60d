package rest

import (
	"strings"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// rotationPolicy is a policy as it comes and goes (section 4.1).
type rotationPolicy struct {
	ID         string             `json:"id,omitempty"`
	Actions    []lifetimeAction   `json:"lifetimeActions"`
	Attributes rotationAttributes `json:"attributes"`
}

type lifetimeAction struct {
	Trigger struct {
		AfterCreate  string `json:"timeAfterCreate,omitempty"`
		BeforeExpiry string `json:"timeBeforeExpiry,omitempty"`
	} `json:"trigger"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

type rotationAttributes struct {
	Expiry  *string `json:"expiryTime"` // null in an answer where there is none (KV-46)
	Created *int64  `json:"created,omitempty"`
	Updated *int64  `json:"updated,omitempty"`
}

func (x *request) rotateKey() error {
	k, err := x.vaults.RotateKey(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) getRotation() error {
	k, p, err := x.vaults.RotationPolicy(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(x.rotationOut(k, p))
}

func (x *request) setRotation() error {
	var in rotationPolicy
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	k, p, err := x.vaults.SetRotationPolicy(x.r.Context(), x.caller, x.vault, x.params["name"], in.policy())
	if err != nil {
		return err
	}
	return x.reply(x.rotationOut(k, p))
}

// policy reads what a client sent; who made it when is not the client's to say.
func (in rotationPolicy) policy() keyvault.RotationPolicy {
	var p keyvault.RotationPolicy
	if in.Attributes.Expiry != nil {
		p.Expiry = *in.Attributes.Expiry
	}
	for _, a := range in.Actions {
		p.Actions = append(p.Actions, keyvault.LifetimeAction{
			Type: actionType(a.Action.Type), AfterCreate: a.Trigger.AfterCreate, BeforeExpiry: a.Trigger.BeforeExpiry,
		})
	}
	return p
}

// actionType takes the two types in any case.
func actionType(s string) string {
	for _, known := range []string{"Rotate", "Notify"} {
		if strings.EqualFold(s, known) {
			return known
		}
	}
	return s
}

func (x *request) rotationOut(k keyvault.Key, p keyvault.RotationPolicy) rotationPolicy {
	out := rotationPolicy{ID: x.keyID(k) + "/rotationpolicy", Actions: []lifetimeAction{}}
	if p.Expiry != "" {
		out.Attributes.Expiry = &p.Expiry
	}
	out.Attributes.Created, out.Attributes.Updated = seconds(p.Created), seconds(p.Updated)
	for _, a := range p.Actions {
		var l lifetimeAction
		l.Action.Type, l.Trigger.AfterCreate, l.Trigger.BeforeExpiry = a.Type, a.AfterCreate, a.BeforeExpiry
		out.Actions = append(out.Actions, l)
	}
	return out
}
