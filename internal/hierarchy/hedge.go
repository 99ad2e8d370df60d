package hierarchy

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// Hedge has the settings for policy keys that are unwrapped [Hedged]. The zero Hedge is usable.
type Hedge struct {
	Offset time.Duration // how long after the first root the second is asked (CK-67); 100 ms if 0
	Cache  time.Duration // how long a policy key is held (CK-68, CK-72); 4 h if 0, longer than Lead
	Lead   time.Duration // how long before its end the roots are asked again (CK-69); 2 h if 0
	Retry  time.Duration // pause after a renewal that failed; 1 min if 0

	// Alert is told once of each key in use that could not be renewed for an eighth of Lead
	// (CK-70). It must return soon. May be nil.
	Alert func(Alert)
}

// complete sets what is not set.
func (h *Hedge) complete() error {
	setDefault(&h.Offset, 100*time.Millisecond)
	setDefault(&h.Cache, 4*time.Hour)
	setDefault(&h.Lead, 2*time.Hour)
	setDefault(&h.Retry, time.Minute)
	if h.Cache <= h.Lead {
		return fault.New(fault.Invalid, "keys of files cannot be renewed %s before their end when they are held for %s", h.Lead, h.Cache).
			WithHint("hold them for longer than the lead")
	}
	if h.Alert == nil {
		h.Alert = func(Alert) {}
	}
	return nil
}

// Life returns for how long a policy key is used without a root's word: the longest that
// taking both roots back can go unnoticed (CK-72).
func (k *Keyring) Life(u Unwrapping) time.Duration {
	if u == InTurn {
		return k.c.Lease
	}
	return k.c.Hedge.Cache
}

// An answer is what came of asking one root.
type rootAnswer struct {
	root  int
	asked time.Time
	key   envelope.Key
	err   error
}

// unlockHedged asks both roots, the second a little after the first, or as soon as the first
// has failed. The first key counts; the other call is cancelled and not waited for (CK-66).
func (k *Keyring) unlockHedged(ctx context.Context, f *flight, g Generation) (unlocked, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan rootAnswer)
	first, asked := k.c.First()&1, 0
	ask := func() {
		root, attempt := first^asked, asked+1
		asked++
		k.work.Go(func() { k.answer(ctx, f, g, root, attempt, answers) })
	}
	ask()
	offset := time.NewTimer(k.c.Hedge.Offset)
	defer offset.Stop()
	var failed [2]error
	for answered := 0; answered < 2; {
		select {
		case <-ctx.Done():
			return unlocked{}, errCutOff(ctx)
		case a := <-answers:
			if a.err == nil {
				return unlocked{lease: k.newLease(f, g, a.key, everyone, g.Roots[a.root].Ref.URI, a.asked)}, nil
			}
			if stop, ok := errors.AsType[*stopped](a.err); ok {
				return unlocked{}, stop.err
			}
			failed[a.root] = a.err
			answered++
		case <-offset.C:
		}
		if asked == 1 {
			ask()
		}
	}
	return k.refuseHedged(g, failed)
}

// answer asks one root and hands over what it said, unless nobody wants to know any more:
// then the key, if there is one, is overwritten.
func (k *Keyring) answer(ctx context.Context, f *flight, g Generation, root, attempt int, to chan<- rootAnswer) {
	a := rootAnswer{root: root, asked: k.c.Now()}
	a.key, a.err = k.askRoot(ctx, f, g, root, attempt)
	select {
	case to <- a:
	case <-ctx.Done():
		a.key.Destroy()
	}
}

// refuseHedged says why neither root unwrapped. The availability key is not asked, whatever the
// reason and whoever wants to know: only a recovery that the customer orders uses it (CK-71, CK-73).
func (k *Keyring) refuseHedged(g Generation, failed [2]error) (unlocked, error) {
	v := judge(failed, k.c.Mixed)
	out := unlocked{denied: v == bothDenied, silent: v == outage}
	if v != outage {
		return out, errRefused(v, g, failed)
	}
	return out, fault.Wrap(fault.Unavailable, errors.Join(failed[0], failed[1]), "neither root key of the policy, %s nor %s, can be used now",
		nameOf(g.Roots[0].Ref.URI), nameOf(g.Roots[1].Ref.URI)).WithReason(ReasonNoKeyReachable).
		WithHint("check that both vaults can be reached; if both keys are lost for ever, ask the operator of the service for a recovery")
}
