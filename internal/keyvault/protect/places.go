package protect

import "context"

// places bounds how many at once do what takes a processor for long. Who waits for one lets
// shorter work pass, and can leave.
type places chan struct{}

func newPlaces(n int) places { return make(places, n) }

// take waits for a place until ctx ends; leave gives it back.
func (p places) take(ctx context.Context) (leave func(), err error) {
	select {
	case p <- struct{}{}:
		return func() { <-p }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
