package audit_test

import (
	"context"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/audit"
)

type kept []string

func (k *kept) Record(_ context.Context, e audit.Entry) error {
	*k = append(*k, string(e.Decision)+" "+e.Action)
	return nil
}

// On a view nothing happens but that somebody reads, or is refused.
func TestOnView(t *testing.T) {
	t.Parallel()
	var got kept
	r := audit.OnView(&got)
	for _, e := range []audit.Entry{
		{Action: "request.approve", Decision: audit.Allow}, {Action: "request.approve", Decision: audit.Deny},
		{Action: "request.approve", Decision: audit.Fail}, {Action: "request.read", Decision: audit.Allow},
	} {
		if err := r.Record(t.Context(), e); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"deny request.approve", "allow request.read"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
