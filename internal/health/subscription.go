package health

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/seal"
)

// A Subscription is a webhook that is sent the changes of a tenant.
type Subscription struct {
	Tenant, Name string
	Endpoint     courier.Endpoint
	Secret       envelope.Key    // deliveries are signed with it
	Types        []ChangeType    // all if empty
	Families     []policy.Family // of whose policies it is told: those that its maker may read
	Created      time.Time

	Delivered, Dropped int64 // changes, since it was made
	courier.Progress
}

// Wants reports whether the subscription is for a change.
func (s Subscription) Wants(c Change) bool {
	return (len(s.Types) == 0 || slices.Contains(s.Types, c.Type)) &&
		slices.ContainsFunc(c.Policies, func(p PolicyName) bool { return slices.Contains(s.Families, p.Family) })
}

// SecretText returns the secret in base64, as receivers are given it: it is shown once.
func (s Subscription) SecretText() string {
	secret := s.Secret.Expose()
	defer clear(secret)
	return base64.StdEncoding.EncodeToString(secret)
}

// A SubscriptionRow is a Subscription as it is stored, with its secrets sealed: Endpoint and
// Secret are zero.
type SubscriptionRow struct {
	Subscription
	Base   string // URL without the query
	Sealed []byte // see sealedContent
}

// sealedContent is what is sealed of a subscription, as JSON:
//
//	seal.Seal(Bind("alert subscription 1", tenant, name), {"url": "…", "secret": base64 of 32 bytes})
type sealedContent struct {
	URL    string `json:"url"`
	Secret []byte `json:"secret"`
}

// binding is what a subscription's secrets are sealed with, the name in any case.
func binding(tenant, name string) []byte {
	return envelope.Bind("alert subscription 1", tenant, strings.ToLower(name))
}

// Shelf returns the subscriptions in rows, whose parts are tenant and folded name, for being
// re-sealed.
func Shelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("alert subscriptions", rows, func(p []string) []byte { return binding(p[0], p[1]) })
}

// MaxSubscriptions is how many a tenant has at most.
const MaxSubscriptions = 20

var subscriptionName = regexp.MustCompile(`^[A-Za-z0-9-]{3,64}$`)

// Subscribe makes a webhook that is sent the tenant's changes from now on, after its receiver
// has agreed. types are all if empty. The Secret of the answer is shown this once.
func (s *Service) Subscribe(ctx context.Context, c directory.Caller, name, url string, types []ChangeType) (Subscription, error) {
	base, _, _ := strings.Cut(url, "?") // what follows may be a secret
	if err := s.authorize(ctx, c, Subscribe, name, map[string]string{"endpoint": clip(base)}); err != nil {
		return Subscription{}, err
	}
	sub, err := s.subscribe(ctx, c, name, url, types)
	if err == nil {
		return sub, nil
	}
	if lost := s.note(context.WithoutCancel(ctx), c, Subscribe, name, audit.Fail, map[string]string{"reason": fault.As(err).Message}); lost != nil {
		s.complain(ctx, "recording that a webhook was not made", lost)
	}
	return Subscription{}, err
}

func (s *Service) subscribe(ctx context.Context, c directory.Caller, name, url string, types []ChangeType) (Subscription, error) {
	if s.c.Way == nil {
		return Subscription{}, fault.New(fault.Invalid, "this service sends no alerts to webhooks")
	}
	if !subscriptionName.MatchString(name) {
		return Subscription{}, fault.New(fault.Invalid, "%q is no name for an alert subscription", clip(name)).
			WithHint("use 3 to 64 letters, digits and hyphens")
	}
	for i, t := range types {
		if !slices.Contains(ChangeTypes(), t) || slices.Contains(types[:i], t) {
			return Subscription{}, fault.New(fault.Invalid, "%q is no type of alert, or is there twice", clip(string(t))).
				WithHint("use some of %v", ChangeTypes())
		}
	}
	to, err := courier.NewEndpoint(url)
	if err != nil {
		return Subscription{}, err
	}
	if !s.c.Unasked {
		if err := s.c.Way.Greet(ctx, to); err != nil {
			return Subscription{}, err
		}
	}
	sub := Subscription{Tenant: c.Tenant, Name: name, Endpoint: to, Secret: envelope.NewKey(), Types: types, Created: s.now()}
	for _, f := range families {
		if s.mayRead(c, f) {
			sub.Families = append(sub.Families, f)
		}
	}
	return sub, s.keep(ctx, sub)
}

// keep seals and stores a subscription. Between the two no sealing key may go.
func (s *Service) keep(ctx context.Context, sub Subscription) error {
	secret := sub.Secret.Expose()
	defer clear(secret)
	plain, err := json.Marshal(sealedContent{sub.Endpoint.Expose(), secret})
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := s.c.Seal.Seal(binding(sub.Tenant, sub.Name), plain)
	if err != nil {
		return err
	}
	return s.c.Store.AddSubscription(ctx, SubscriptionRow{Subscription: sub, Base: sub.Endpoint.Base(), Sealed: sealed})
}

// open unseals a stored subscription.
func (s *Service) open(row SubscriptionRow) (Subscription, error) {
	sub := row.Subscription
	plain, err := s.c.Seal.Open(binding(sub.Tenant, sub.Name), row.Sealed)
	if err != nil {
		return sub, err
	}
	defer clear(plain)
	var c sealedContent
	if err := json.Unmarshal(plain, &c); err != nil {
		return sub, fault.Wrap(fault.Corrupt, err, "the alert subscription %s cannot be read", sub.Name)
	}
	defer clear(c.Secret)
	if sub.Endpoint, err = courier.NewEndpoint(c.URL); err != nil {
		return sub, fault.Wrap(fault.Corrupt, err, "the alert subscription %s cannot be read", sub.Name)
	}
	sub.Secret, err = envelope.KeyFromBytes(c.Secret)
	return sub, err
}

// Subscriptions lists the webhooks of the caller's tenant by name, without their secrets.
func (s *Service) Subscriptions(ctx context.Context, c directory.Caller) ([]SubscriptionRow, error) {
	if err := s.authorize(ctx, c, ReadWebhook, "subscriptions", nil); err != nil {
		return nil, err
	}
	return s.c.Store.Subscriptions(ctx, c.Tenant)
}

// Unsubscribe takes a webhook away. What it was not sent yet is not sent. One that tells of policies
// which the caller may not read stays: nobody silences what is none of his business.
func (s *Service) Unsubscribe(ctx context.Context, c directory.Caller, name string) error {
	rows, err := s.Subscriptions(ctx, c)
	if err != nil {
		return err
	}
	for _, row := range rows {
		foreign := func(f policy.Family) bool { return !s.mayRead(c, f) }
		if strings.EqualFold(row.Name, name) && slices.ContainsFunc(row.Families, foreign) {
			if err := s.note(ctx, c, Subscribe, name, audit.Deny, map[string]string{"remove": "yes"}); err != nil {
				return err
			}
			return fault.New(fault.Forbidden, "the alert subscription %q tells of policies that the caller may not read", clip(name)).
				WithHint("whoever made it can remove it, and so can a %s", directory.GlobalAdministrator)
		}
	}
	if err := s.authorize(ctx, c, Subscribe, name, map[string]string{"remove": "yes"}); err != nil {
		return err
	}
	gone, err := s.c.Store.RemoveSubscription(ctx, c.Tenant, name)
	if err == nil && !gone {
		err = fault.New(fault.NotFound, "there is no alert subscription %q", clip(name)).WithHint("Get-CKAlertSubscription lists them")
	}
	return err
}
