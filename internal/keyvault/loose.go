package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A Loose is a key pair outside of the database that no version owns: one that is being made,
// or one whose version was purged. It is written down before the pair is made, and in the
// transaction that purges, so that a stop at any moment leaves no key pair that nobody knows.
type Loose struct {
	ID protect.ID
	Material
	Due       time.Time // when it is destroyed
	Condemned bool      // no version can own it any more
}

// making is how long a version may take to be made: far longer than a protector waits for
// what it calls.
const making = 15 * time.Minute

// Outside reports whether the private half lies elsewhere and the handle is but a reference.
func (m Material) Outside() bool { return m.Protector != protect.SoftwareName }

// Reserve returns what a protector of that name is to call before it makes a key pair outside
// of the database.
func Reserve(s Store, protector string, now func() time.Time) func(context.Context, protect.ID, []byte) error {
	return func(ctx context.Context, id protect.ID, handle []byte) error {
		return s.AddLoose(ctx, Loose{ID: id, Material: Material{Protector: protector, Handle: handle}, Due: now().UTC().Add(making)})
	}
}

// LooseOf is what becomes of a version's key pair when the version goes for ever.
func LooseOf(id protect.ID, m Material) Loose { return Loose{ID: id, Material: m, Condemned: true} }

// ErrGivenUp is what a store answers where a key pair was condemned before its version was
// stored.
func ErrGivenUp() error {
	return fault.New(fault.Unavailable, "Making the key took too long and was given up").WithHint("Try again.")
}

// sweepLoose destroys the key pairs that are due. Of a protector that cannot be reached the rest
// is left for the next sweep.
func (s *Service) sweepLoose(ctx context.Context) error {
	now, away := s.now(), map[string]bool{}
	var failed []error
	for after := (Loose{}); ; {
		due, err := s.store.Loose(ctx, now, after, maxPage)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		for _, l := range due {
			if away[l.Protector] {
				continue
			}
			if err := s.destroyLoose(ctx, l); err != nil && len(failed) < maxPage {
				away[l.Protector] = fault.Is(err, fault.Unavailable)
				failed = append(failed, err)
			}
		}
		if len(due) < maxPage || ctx.Err() != nil {
			return errors.Join(failed...)
		}
		after = due[len(due)-1]
	}
}

// destroyLoose first makes sure that no version can come to own the pair.
func (s *Service) destroyLoose(ctx context.Context, l Loose) error {
	p, err := s.holder(l.Protector)
	if err != nil {
		return err
	}
	if doomed, err := s.store.CondemnLoose(ctx, l); err != nil || !doomed {
		return err
	}
	if err := p.Destroy(ctx, l.ID, l.Handle); err != nil {
		return err
	}
	return s.store.RemoveLoose(ctx, l)
}
