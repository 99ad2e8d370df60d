package health

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// sightLimit bounds what keeping a sight may add to the call that it came from.
const sightLimit = 5 * time.Second

// Saw is told how a root has answered in daily work: hand it to the keyring. A denial by a
// version that something depends on holds when Saw returns, so that nobody who was refused finds
// the root shown as better than that. Good news is looked into first.
func (s *Service) Saw(ctx context.Context, seen hierarchy.Sight) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sightLimit)
	defer cancel()
	if err := s.saw(ctx, seen); err != nil {
		s.complain(ctx, "keeping how a root key answered", err)
	}
}

func (s *Service) saw(ctx context.Context, seen hierarchy.Sight) error {
	r, err := s.c.Store.Root(ctx, seen.Ref)
	switch {
	case fault.Is(err, fault.NotFound): // a key of a policy that is being made
		return nil
	case err != nil:
		return err
	}
	defer poke(s.wake)
	switch {
	case seen.Err == nil && r.State.Opens() && r.Misses == 0:
		return nil
	case seen.Err == nil || !seen.Unwrap:
		return s.c.Store.Hasten(ctx, r.Ref, s.now())
	case fault.Is(seen.Err, fault.Denied):
		return s.sawDenial(ctx, seen)
	}
	return s.apply(ctx, r.Ref, func(was Root) (Root, bool) {
		counted := was.Misses > 0 && was.Due.After(s.now()) // many who wait for the same answer miss it once
		return s.decide(was, observation{state: Unavailable, why: whyOf(seen.Err, seen.KeyID)}), !counted
	})
}

// sawDenial keeps a denial, if it is by a version that content is under, and has the root looked
// at for the rest.
func (s *Service) sawDenial(ctx context.Context, seen hierarchy.Sight) error {
	p, err := s.c.Store.Picture(ctx, seen.Ref.Tenant)
	if err != nil {
		return err
	}
	if kids, _ := needed(p.Uses, seen.Ref); !slices.Contains(kids, seen.KeyID) {
		return s.c.Store.Hasten(ctx, seen.Ref, s.now())
	}
	s.busy.again(seen.Ref)
	known := false
	err = s.apply(ctx, seen.Ref, func(was Root) (Root, bool) {
		next := was.after(observation{state: Revoked, why: whyOf(seen.Err, seen.KeyID)}, s.now())
		next.Due = s.now()
		known = was.State == Revoked && was.Due.After(next.Due)
		return next, was.State != Revoked
	})
	if err != nil || !known {
		return err
	}
	// Another node may be looking, and have been let in a moment before: it looks once more.
	return s.c.Store.Hasten(ctx, seen.Ref, s.now())
}

// Ending is told that a policy key which is held for hours cannot be renewed: hand it to the
// keyring. The tenant is told long before the key ends (CK-69 to CK-71).
func (s *Service) Ending(ctx context.Context, a hierarchy.Alert) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sightLimit)
	defer cancel()
	if err := s.ending(ctx, a); err != nil {
		s.complain(ctx, "telling that a policy key ends", err)
	}
}

func (s *Service) ending(ctx context.Context, a hierarchy.Alert) error {
	return s.change(ctx, a.Tenant, func(p Picture) (Edit, bool) {
		e := Edit{Tenant: a.Tenant, Head: p.Head}
		for _, u := range p.Uses {
			if u.Generation != a.Generation {
				continue
			}
			state, _ := s.judge(p.Uses, u.Policy, p.at)
			e.add(Change{Type: PolicyKeyEnding, Policies: []PolicyName{{u.Policy, u.Name, u.Family}}, Was: state, State: state, Time: s.now(), Why: Why{
				Reason:  fault.As(a.Err).Reason,
				Message: fmt.Sprintf("its key could not be renewed since %s: content is unavailable from %s on unless a root key answers", stamp(a.Since), stamp(a.Expires)),
				Hint:    fault.As(a.Err).Hint,
			}})
		}
		return e, len(e.Changes) > 0
	})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// A word is what a vault has told: something has changed about some root keys of a tenant.
type word struct {
	tenant string
	about  func(hierarchy.RootRef) bool
}

// maxWords is how many words may wait; what comes then is found by the next regular look.
const maxWords = 4096

// Heard is told that something has changed in a vault of a tenant. The root keys for which about
// is true are looked at at once. It returns without waiting, and about must be quick.
func (s *Service) Heard(tenant string, about func(hierarchy.RootRef) bool) {
	s.mu.Lock()
	full := len(s.word) >= maxWords
	if !full {
		s.word = append(s.word, word{tenant, about})
	}
	s.mu.Unlock()
	if full {
		s.c.Log.Error("word of a change in a vault was dropped: the next regular look will find it", "tenant", tenant)
	}
	poke(s.spoken)
}

// listen looks into what vaults have told until ctx ends.
func (s *Service) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.spoken:
		}
		s.mu.Lock()
		words := s.word
		s.word = nil
		s.mu.Unlock()
		for _, w := range words {
			if err := s.follow(ctx, w); err != nil {
				s.complain(ctx, "looking into what a vault has told", err)
			}
		}
		poke(s.wake)
	}
}

// follow makes the roots due that a word is about: at once, or after a pause for those that were
// looked at a moment ago.
func (s *Service) follow(ctx context.Context, w word) error {
	roots, err := s.c.Store.Roots(ctx, w.tenant)
	if err != nil {
		return err
	}
	now := s.now()
	for _, r := range roots {
		if !w.about(r.Ref) {
			continue
		}
		due := now
		if age := now.Sub(r.Checked); age >= 0 && age < pause {
			due = now.Add(pause - age)
		}
		if err := s.c.Store.Hasten(ctx, r.Ref, due); err != nil {
			return err
		}
	}
	return nil
}
