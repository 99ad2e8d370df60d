package hierarchy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func (w *world) generation() (Generation, error) {
	refs := [2]RootRef{{tenant, "app", w.roots[0].uri}, {tenant, "app", w.roots[1].uri}}
	return w.keys.NewGeneration(context.Background(), alice, tenant, policy, 7, refs, "availability-key")
}

// A policy key is proven before it is used: rows CK-19, CK-26, and CK-3: two roots and one availability key.
func TestNewGenerationIsProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g, err := w.generation()
	if err != nil {
		t.Fatal(err)
	}
	if g.Number != 7 || g.State != Active || g.Tenant != tenant || g.Policy != policy || g.Created.IsZero() {
		t.Errorf("%+v", g)
	}
	for i, root := range w.roots {
		c := g.Roots[i]
		if c.Ref.URI != root.uri || c.KeyID != root.uri+"/1" || c.Alg != "RSA-OAEP-256" {
			t.Errorf("root %d: %+v", i, c)
		}
		key, err := root.Unwrap(t.Context(), c.KeyID, c.Wrapped)
		if err != nil || !key.VerifyCommit(commitBinding(g), g.Commitment) {
			t.Errorf("root %d does not open the generation: %v", i, err)
		}
		if root.count() != 2 {
			t.Errorf("root %d was not asked to unwrap before the generation was used", i)
		}
	}
	story := strings.Join(w.chapter(), "\n")
	for _, record := range []string{"record policykey.create allow", "record policykey.wrap allow", "record policykey.unwrap allow"} {
		if !strings.Contains(story, record) {
			t.Errorf("no %q", record)
		}
	}
	if !strings.HasPrefix(story, "record policykey.create allow") {
		t.Errorf("not recorded first:\n%s", story)
	}
	other, err := w.generation()
	if err != nil || other.ID == g.ID || string(other.Commitment) == string(g.Commitment) {
		t.Errorf("two generations share a key: %v", err)
	}
}

// A generation that cannot be opened by both roots is never made.
func TestNewGenerationRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*world)
		want  fault.Code
	}{
		{"first root denies", func(w *world) { w.fail(disabled, nil) }, fault.Denied},
		{"second root denies", func(w *world) { w.fail(nil, disabled) }, fault.Denied},
		{"second root unreachable", func(w *world) { w.fail(nil, down) }, fault.Unavailable},
		{"a root unwraps to another key", func(w *world) { w.roots[1].wrong = true }, fault.Unavailable},
		{"no availability key", func(w *world) { w.keys.c.Availability = noAvailability{} }, fault.Conflict},
		{"no record of the generation", func(w *world) { w.silence("policykey.create") }, fault.Unavailable},
		{"no record of a wrap", func(w *world) { w.silence("policykey.wrap") }, fault.Unavailable},
		{"no record of an unwrap", func(w *world) { w.silence("policykey.unwrap") }, fault.Unavailable},
	} {
		w := newWorld(t, nil)
		tt.spoil(w)
		g, err := w.generation()
		wantCode(t, tt.name, err, tt.want)
		if outcome := w.entries("policykey.create"); len(outcome) == 1 {
			t.Errorf("%s: the log says that the generation was made", tt.name)
		}
		if len(g.Commitment) != 0 {
			t.Errorf("%s: a half-made generation came back", tt.name)
		}
		w.silence()
	}
}

type noAvailability struct{ Availability }

func (noAvailability) Wrap(context.Context, directory.Caller, string, string, envelope.Key, []byte) ([]byte, error) {
	return nil, fault.New(fault.Conflict, "destroyed")
}

// However many URIs are tried, what is remembered of them is bounded.
func TestHealthIsBounded(t *testing.T) {
	t.Parallel()
	var h health
	for i := range maxHealth + 100 {
		h.note(tenant, fmt.Sprint(i), nil, time.Time{})
	}
	if len(h.roots) > maxHealth {
		t.Errorf("%d roots are remembered", len(h.roots))
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	uri := w.roots[0].uri
	if _, ok := w.keys.Health(tenant, "https://nobody.asked/keys/this"); ok {
		t.Error("health of a root that was never asked")
	}
	h, ok := w.keys.Health(tenant, uri)
	if !ok || h.State != Healthy || h.Since.IsZero() {
		t.Errorf("after making a generation: %+v", h)
	}
	w.fail(disabled, nil)
	w.mustLease(alice, g)
	bad, _ := w.keys.Health(tenant, uri)
	if bad.State != Denying || bad.Reason != "KeyDisabled" || !bad.Since.After(h.Since) {
		t.Errorf("after a denial: %+v", bad)
	}
	w.keys.Drop(tenant, g.ID)
	w.mustLease(alice, g)
	again, _ := w.keys.Health(tenant, uri)
	if again.Since != bad.Since || !again.Seen.After(bad.Seen) {
		t.Errorf("denied again: %+v, before %+v", again, bad)
	}
	if _, ok := w.keys.Health("another tenant", uri); ok {
		t.Error("another tenant sees it")
	}
}
