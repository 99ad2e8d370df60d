package audit

import (
	"context"
	"strings"
)

// OnView returns a Recorder for work on a view of which nothing stays. It hands on to r what was
// refused, and what was read, which a view shows too; it leaves out the rest, for that does not happen.
func OnView(r Recorder) Recorder { return onView{r} }

type onView struct{ to Recorder }

// Record implements Recorder.
func (v onView) Record(ctx context.Context, e Entry) error {
	if e.Decision != Deny && !strings.HasSuffix(e.Action, ".read") {
		return nil
	}
	return v.to.Record(ctx, e)
}
