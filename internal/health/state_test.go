package health_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-48, CK-49, CK-51, CK-62: what the states of two roots make of a policy, all pairs. The
// letters stand for Unknown, Healthy, Degraded, Unavailable, Revoked.
func TestAllPairs(t *testing.T) {
	t.Parallel()
	letters := map[byte]health.State{'?': health.Unknown, 'H': health.Healthy, 'D': health.Degraded, 'U': health.Unavailable, 'R': health.Revoked}
	table := []string{
		"  ? H D U R",
		"? ? ? D D D",
		"H ? H D D D",
		"D D D D D D",
		"U D D D U R",
		"R D D D R R",
	}
	seen := 0
	for _, line := range table[1:] {
		for at := 2; at < len(line); at += 2 {
			a, b, want := letters[line[0]], letters[table[0][at]], letters[line[at]]
			if got := health.Pair(a, b, hierarchy.MixedDenied); got != want {
				t.Errorf("%s and %s make %s, want %s", a, b, got, want)
			}
			if a == health.Unavailable && b == health.Revoked || a == health.Revoked && b == health.Unavailable {
				want = health.Unavailable
			}
			if got := health.Pair(a, b, hierarchy.MixedOutage); got != want {
				t.Errorf("%s and %s make %s where a mixed failure is an outage, want %s", a, b, got, want)
			}
			seen++
		}
	}
	if seen != 25 {
		t.Errorf("%d pairs were tried", seen)
	}
}

// What is worse than what: an alert is a change for the worse.
func TestWorse(t *testing.T) {
	t.Parallel()
	order := []health.State{health.Healthy, health.Unknown, health.Degraded, health.Unavailable, health.Revoked}
	for i, a := range order {
		for j, b := range order {
			if a.Worse(b) != (i > j) {
				t.Errorf("%s worse than %s: %t", a, b, a.Worse(b))
			}
		}
	}
}

// A policy is as its worst generation is, for some content may lie under that one alone; and a
// root key that only content which has not moved needs is watched until it has.
func TestOlderGenerations(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		p = c.mustRefresh(p)
		c.test(p)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		for i, uri := range c.uris { // the customer has thrown the older versions away
			w.change(uri, func(k *vaultKey) { k.versions[fmt.Sprint(c.uris[i], "/1")] = denied("KeyDisabled") })
		}
		r := c.test(p)
		c.wantStates(p, health.Revoked, health.Revoked, health.Revoked)
		if r.Roots[0].Why.KeyID != c.uris[0]+"/1" {
			t.Errorf("it is said of the version %s", r.Roots[0].Why.KeyID)
		}
		spare := c.refs
		for i, side := range []string{"east", "west"} {
			spare[i].URI = w.key(c.id[:8]+"-"+side, "spare")
		}
		p.Roots = spare // both keys replaced
		p = c.mustRefresh(p)
		r = c.test(p)
		if len(r.Roots) != 4 || !r.Roots[0].Current || r.Roots[2].Current || r.State != health.Revoked {
			t.Errorf("after both keys were replaced: %s, %+v", r.State, r.Roots)
		}
		if got := c.news(); !slices.Contains(got, "PolicyHealthChanged P Degraded>Revoked") {
			t.Errorf("news %q", got)
		}
	})
}
