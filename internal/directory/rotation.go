package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// When issuer keys change. A key is published before it signs, so that every verifier has read
// it by then, and after it has stopped, until the last token that it signed has expired.
const (
	keyLife     = 90 * 24 * time.Hour        // a key signs so long, if Config.KeyLife does not say otherwise
	keyAhead    = 2 * keysLife               // a key is published so long before it signs
	maxKeySteps = 8                          // of one sweep
	keyAfter    = tokenLife + 10*keyringLife // and so long after: another node may sign by it for one keyringLife
)

// A KeyChange is a step of the issuer keys from one state to the next, all of it or nothing.
type KeyChange struct {
	Delete  string     // id of a key that goes for ever, "" for none
	Retire  string     // of the current key, which stops signing
	Promote string     // of the next key, which becomes the current one
	Add     *IssuerKey // a fresh key; only its state is looked at before the change is made
	At      time.Time
}

// An IssuerKeyInfo is what may be told about an issuer key.
type IssuerKeyInfo struct {
	ID      string    `json:"kid"`
	State   KeyState  `json:"state"`
	Created time.Time `json:"created"`
	Since   time.Time `json:"since"` // in this state
	Until   time.Time `json:"until"` // when it will be replaced, may sign, or goes away, by its state
}

// ListIssuerKeys lists the issuer keys, oldest first. For operators of the service.
func (s *Service) ListIssuerKeys(ctx context.Context, c Caller) ([]IssuerKeyInfo, error) {
	if err := s.mayOperate(ctx, act{caller: c, tenant: c.Tenant, action: "issuerkey.list", object: "issuerkeys"}); err != nil {
		return nil, err
	}
	rows, err := s.store.IssuerKeys(ctx)
	if err != nil {
		return nil, err
	}
	list := []IssuerKeyInfo{}
	for _, k := range rows {
		life := map[KeyState]time.Duration{CurrentKey: s.keyLife, NextKey: keyAhead, RetiredKey: keyAfter}[k.State]
		list = append(list, IssuerKeyInfo{ID: k.ID, State: k.State, Created: k.Created, Since: k.Since, Until: k.Since.Add(life)})
	}
	return list, nil
}

// SweepIssuerKeys does what is due: it publishes a next key where there is none, lets it take
// over when the current one is old, and removes retired ones whose tokens have expired. Any
// number of nodes may call it at once; each step is one transaction, which one of them makes.
// c is recorded as who did it.
func (s *Service) SweepIssuerKeys(ctx context.Context, c Caller) error {
	for range maxKeySteps {
		keys, err := s.keysByState(ctx)
		if err != nil {
			return err
		}
		change, action, due := s.dueKeyChange(keys)
		if !due {
			return nil
		}
		if err := s.changeKeys(ctx, c, action, change); err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil // what is left is done the next time
}

// keysByState returns the current key, the next one if there is one, and the retired ones,
// making the first key if there is none.
func (s *Service) keysByState(ctx context.Context) (k keysByState, err error) {
	if _, _, err := s.issuerKeys(ctx); err != nil {
		return k, err
	}
	rows, err := s.store.IssuerKeys(ctx)
	for _, row := range rows {
		switch row.State {
		case CurrentKey:
			k.current = row
		case NextKey:
			k.next = row
		default:
			k.retired = append(k.retired, row)
		}
	}
	return k, err
}

type keysByState struct {
	current, next IssuerKey // next has no ID if there is none
	retired       []IssuerKey
}

// dueKeyChange returns the first step that is due.
func (s *Service) dueKeyChange(k keysByState) (change KeyChange, action string, due bool) {
	now := s.now()
	change.At = now
	for _, old := range k.retired {
		if now.Sub(old.Since) >= keyAfter {
			change.Delete = old.ID
			return change, "issuerkey.remove", true
		}
	}
	switch {
	case k.next.ID == "":
		change.Add = &IssuerKey{State: NextKey}
		return change, "issuerkey.publish", true
	case now.Sub(k.current.Since) >= s.keyLife && now.Sub(k.next.Since) >= keyAhead:
		change.Retire, change.Promote, change.Add = k.current.ID, k.next.ID, &IssuerKey{State: NextKey}
		return change, "issuerkey.rotate", true
	}
	return change, "", false
}

// RotateIssuerKeys lets the next key take over at once. No token is refused by that, now or
// later; so fault.Conflict says that the next key has not been published for long enough. For
// operators of the service.
func (s *Service) RotateIssuerKeys(ctx context.Context, c Caller) error {
	if err := s.mayOperate(ctx, act{caller: c, tenant: c.Tenant, action: "issuerkey.rotate", object: "issuerkeys"}); err != nil {
		return err
	}
	keys, err := s.keysByState(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	if keys.next.ID == "" || now.Sub(keys.next.Since) < keyAhead {
		return fault.New(fault.Conflict, "the next key has not been published for %s yet, so not every verifier knows it", keyAhead).
			WithHint("try again later; if the current key is in wrong hands, revoke it instead")
	}
	return s.changeKeys(ctx, c, "issuerkey.rotate", KeyChange{Retire: keys.current.ID, Promote: keys.next.ID, Add: &IssuerKey{State: NextKey}, At: now})
}

// RevokeIssuerKey removes a key at once, for one that may be in wrong hands: what it has signed
// is refused as soon as verifiers have read the keys again, ours within seconds, those of other
// nodes within about a minute. Where it was the current one the next takes over. For operators
// of the service; fault.NotFound if there is no such key.
func (s *Service) RevokeIssuerKey(ctx context.Context, c Caller, id string) error {
	if err := s.mayOperate(ctx, act{caller: c, tenant: c.Tenant, action: "issuerkey.revoke", object: "issuerkeys/" + clip(id)}); err != nil {
		return err
	}
	keys, err := s.keysByState(ctx)
	if err != nil {
		return err
	}
	change := KeyChange{Delete: id, At: s.now()}
	switch id {
	case keys.current.ID:
		change.Promote, change.Add = keys.next.ID, &IssuerKey{State: NextKey}
		if keys.next.ID == "" {
			change.Add.State = CurrentKey
		}
	case keys.next.ID:
		change.Add = &IssuerKey{State: NextKey}
	default:
		if !containsKey(keys.retired, id) {
			return fault.New(fault.NotFound, "there is no issuer key %.64q", id).WithHint("list them with: ck token-keys")
		}
	}
	return s.changeKeys(ctx, c, "issuerkey.revoke", change)
}

func containsKey(keys []IssuerKey, id string) bool {
	return slices.ContainsFunc(keys, func(k IssuerKey) bool { return k.ID == id })
}

// changeKeys makes the fresh key of a change, records the change and takes it. The keyring is
// read anew afterwards.
func (s *Service) changeKeys(ctx context.Context, c Caller, action string, change KeyChange) error {
	if change.Add != nil {
		fresh, err := s.freshKey(change.Add.State)
		if err != nil {
			return err
		}
		change.Add = &fresh
	}
	detail := map[string]string{}
	for name, id := range map[string]string{"removed": change.Delete, "retired": change.Retire, "current": change.Promote} {
		if id != "" {
			detail[name] = id
		}
	}
	if change.Add != nil {
		detail["published"] = change.Add.ID
	}
	a := act{caller: c, tenant: c.Tenant, action: action, object: "issuerkeys", detail: detail}
	if err := s.record(ctx, a, "allow"); err != nil {
		return err
	}
	if err := s.store.ChangeIssuerKeys(ctx, change); err != nil {
		return errors.Join(err, s.record(ctx, a, "fail"))
	}
	s.keys.forget()
	return nil
}

// mayOperate refuses, and records, whoever is not an operator of the service.
func (s *Service) mayOperate(ctx context.Context, a act) error {
	if a.caller.Kind == System || a.caller.Has(ServiceOperator) {
		return nil
	}
	return s.deny(ctx, a, fault.New(fault.Forbidden, "managing the keys that sign tokens takes the role %s", ServiceOperator))
}
