package keyvault

import "time"

// A Lifetime is the newest version of a live key, and what is to happen to it by itself. Other
// versions have nothing coming: they are told of, and rotated, no more.
type Lifetime struct {
	Key
	Policy      RotationPolicy
	NearTold    Mark
	ExpiredTold Mark
	Due         time.Time // when to look at it again, as it was stored; zero for never
}

// A Mark says that something was told about a version, and which expiry it had then. Another
// expiry is told of anew.
type Mark struct {
	Set     bool
	Expires time.Time // zero if there was none
}

func (m Mark) holds(k Key) bool { return m.Set && m.Expires.Equal(k.Expires) }

// leastAge is how old a version must be before it is rotated by policy: the least that the two
// triggers can say (KV-79). It keeps an expiry that comes before its own trigger from rotating
// a key without end.
const leastAge = 7

// rotates returns when the version is to be rotated by its policy, zero for never. One that is
// disabled stays the newest: a timer must not undo that its owner has taken it back.
func (l Lifetime) rotates() time.Time {
	at := l.Policy.at("Rotate", l.Key)
	if at.IsZero() || !l.Enabled {
		return time.Time{}
	}
	if least := l.Created.AddDate(0, 0, leastAge); at.Before(least) {
		return least
	}
	return at
}

// nears returns when the version's expiry is to be told to be near, zero for never. A policy
// that does not ask for it, or none, means 30 days before (KV-80).
func (l Lifetime) nears() time.Time {
	if l.NearTold.holds(l.Key) || l.ExpiredTold.holds(l.Key) {
		return time.Time{}
	}
	p := l.Policy
	if !p.has("Notify") {
		p = defaultRotation()
	}
	return p.at("Notify", l.Key)
}

// expires returns when the version's expiry is to be told to have come, zero for never.
func (l Lifetime) expires() time.Time {
	if l.ExpiredTold.holds(l.Key) {
		return time.Time{}
	}
	return l.Expires
}

// Next returns when to look at the key again, zero for never.
func (l Lifetime) Next() time.Time {
	var next time.Time
	for _, at := range []time.Time{l.rotates(), l.nears(), l.expires()} {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// has reports whether the policy says anything about an action.
func (p RotationPolicy) has(action string) bool {
	for _, a := range p.Actions {
		if a.Type == action {
			return true
		}
	}
	return false
}

// at returns when the policy has an action happen to a version, zero for never.
func (p RotationPolicy) at(action string, k Key) time.Time {
	for _, a := range p.Actions {
		after, isAfter := parseDuration(a.AfterCreate)
		before, isBefore := parseDuration(a.BeforeExpiry)
		switch {
		case a.Type != action:
		case isAfter:
			return after.after(k.Created)
		case isBefore && !k.Expires.IsZero():
			return before.before(k.Expires)
		}
	}
	return time.Time{}
}
