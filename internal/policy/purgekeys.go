package policy

import (
	"context"
	"iter"

	"github.com/customerkey/customerkey/internal/purge"
)

// purgePage is how many keys are read at a time.
const purgePage = 1000

// purgeKeys yields what a purge of the policy destroys: the keys under it, by container and
// version. Each mailbox that it concerns takes nothing any more: it stands before its keys, and
// those that hold nothing yet stand behind all others. Of other containers, before the oldest
// key, come the versions that were destroyed before it: see olderKeys.
func (s *Service) purgeKeys(ctx context.Context, p Policy) iter.Seq2[purge.Key, error] {
	return func(yield func(purge.Key, error) bool) {
		on := true
		put := func(k purge.Key, err error) bool {
			on = on && yield(k, err) && err == nil
			return on
		}
		s.keysUnder(ctx, p, put)
		if on && p.Family == Mailbox {
			s.emptyMailboxes(ctx, p, put)
		}
	}
}

// keysUnder puts the keys under the policy, with what stands before them.
func (s *Service) keysUnder(ctx context.Context, p Policy, put func(purge.Key, error) bool) {
	for after := (Place{}); ; {
		keys, err := s.c.Purging.Store.Keys(ctx, p.Tenant, p.ID, after, purgePage)
		if err != nil {
			put(purge.Key{}, err)
			return
		}
		for _, k := range keys {
			opens := p.Family == Mailbox && k.Container != after.Container
			if opens && !put(purge.Key{Container: k.Container}, nil) || !olderKeys(p, k, put) || !put(purge.Key{Container: k.Container, Version: k.Version}, nil) {
				return
			}
			after = Place{k.Container, k.Version}
		}
		if len(keys) < purgePage {
			return
		}
	}
}

// olderKeys puts the versions of a container's key that are gone since its content was encrypted
// anew, under k in the end. A backup of before has them, perhaps under another policy, which
// lives: there they would open. A mailbox is purged as a whole.
func olderKeys(p Policy, k PurgeKey, put func(purge.Key, error) bool) bool {
	if !k.Oldest || p.Family == Mailbox {
		return true
	}
	for v := range k.Version - 1 {
		if !put(purge.Key{Container: k.Container, Version: v + 1, Older: true}, nil) {
			return false
		}
	}
	return true
}

// emptyMailboxes puts the mailboxes that have the policy for themselves and hold nothing.
func (s *Service) emptyMailboxes(ctx context.Context, p Policy, put func(purge.Key, error) bool) {
	for after := ""; ; {
		ids, err := s.c.Purging.Store.Owners(ctx, p.Tenant, p.ID, after, purgePage)
		if err != nil {
			put(purge.Key{}, err)
			return
		}
		for _, id := range ids {
			if !put(purge.Key{Container: id}, nil) {
				return
			}
			after = id
		}
		if len(ids) < purgePage {
			return
		}
	}
}
