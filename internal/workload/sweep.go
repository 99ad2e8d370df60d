package workload

import (
	"context"
	"errors"
)

// sweepBatch is how many intents are read at a time.
const sweepBatch = 200

// Sweep removes blobs that no item needs: those of writes that did not finish and of items that
// were replaced or deleted. Call it at the start and then every minute or so; it may run on
// several nodes at once, and may be killed at any point and run again.
//
// A blob that cannot be removed now is left for the next time and does not hold up the others;
// the error is that of one of them. Sweep returns how many blobs were removed.
func (s *Service) Sweep(ctx context.Context) (removed int, err error) {
	now, after := s.now(), Intent{}
	for {
		intents, listing := s.store.Due(ctx, now, after, sweepBatch)
		if listing != nil {
			return removed, errors.Join(err, listing)
		}
		for _, i := range intents {
			done, failed := s.remove(ctx, i)
			if ctx.Err() != nil {
				return removed, errors.Join(err, failed)
			}
			if failed != nil {
				err = failed // of many alike the last is enough
			}
			if done {
				removed++
			}
			after = i
		}
		if len(intents) < sweepBatch {
			return removed, err
		}
	}
}

// remove removes a blob unless an item needs it; done says that it did. The intent goes last,
// so whatever was not finished is finished the next time.
func (s *Service) remove(ctx context.Context, i Intent) (done bool, err error) {
	doomed, err := s.store.Condemn(ctx, i)
	if err != nil || !doomed {
		return false, err
	}
	if err := s.blobs.Delete(ctx, i.Blob); err != nil {
		return false, err
	}
	return true, s.store.Settle(ctx, i)
}
