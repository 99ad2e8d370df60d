package audit

import "context"

// Refusals returns a Recorder for work on a view of which nothing stays: it hands on what was
// refused to r, and leaves out the rest, for that does not happen.
func Refusals(r Recorder) Recorder { return refusals{r} }

type refusals struct{ to Recorder }

// Record implements Recorder.
func (r refusals) Record(ctx context.Context, e Entry) error {
	if e.Decision != Deny {
		return nil
	}
	return r.to.Record(ctx, e)
}
