package health

import (
	"slices"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A State says how a root key or a policy is.
type State string

// States. A policy is Degraded if one of its roots opens it and not all is well.
const (
	Unknown     State = "Unknown"
	Healthy     State = "Healthy"
	Degraded    State = "Degraded"
	Unavailable State = "Unavailable"
	Revoked     State = "Revoked"
)

// severity orders the states, the best first.
var severity = []State{Healthy, Unknown, Degraded, Unavailable, Revoked}

// Opens reports whether a root in this state unwraps, as far as is known.
func (s State) Opens() bool { return s == Healthy || s == Degraded }

// Worse reports whether s is worse than o.
func (s State) Worse(o State) bool { return slices.Index(severity, s) > slices.Index(severity, o) }

// pairs is what two roots make of the policy whose key they both wrap. Of mixed failures, one
// root denied and one silent, the setting decides (CK-62).
var pairs = []struct{ one, other, policy State }{
	{Healthy, Healthy, Healthy},
	{Healthy, Degraded, Degraded},
	{Healthy, Unavailable, Degraded},
	{Healthy, Revoked, Degraded},
	{Degraded, Degraded, Degraded},
	{Degraded, Unavailable, Degraded},
	{Degraded, Revoked, Degraded},
	{Unavailable, Unavailable, Unavailable}, // the availability key serves (CK-48)
	{Unavailable, Revoked, Revoked},         // people are refused (CK-62)
	{Revoked, Revoked, Revoked},             // people are refused (CK-49, CK-51)
	{Unknown, Unknown, Unknown},
	{Unknown, Healthy, Unknown},
	{Unknown, Degraded, Degraded},
	{Unknown, Unavailable, Degraded},
	{Unknown, Revoked, Degraded},
}

// Pair returns the state of a policy by those of its two roots, in any order.
func Pair(a, b State, mixed hierarchy.Mixed) State {
	for _, p := range pairs {
		if (p.one != a || p.other != b) && (p.one != b || p.other != a) {
			continue
		}
		if p.one == Unavailable && p.other == Revoked && mixed == hierarchy.MixedOutage {
			return Unavailable
		}
		return p.policy
	}
	return Unknown
}
