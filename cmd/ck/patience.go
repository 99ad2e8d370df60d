package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	patientTries = 10                     // how often a step of the set-up is tried
	firstPause   = 100 * time.Millisecond // doubled from try to try
	longestPause = 5 * time.Second        // all pauses together take half a minute
)

// patiently does a step of the set-up, which must find out by itself what of it is done. On a machine that
// is busy with other things a vault of this very process can be too slow for the service's
// patience with vaults; that is fault.Unavailable, and the step is tried again, a few times. Any
// other error, and the last one, is the caller's.
func patiently(ctx context.Context, log *slog.Logger, step string, do func(context.Context) error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := do(ctx)
		if !fault.Is(err, fault.Unavailable) || try == patientTries || ctx.Err() != nil {
			return err
		}
		log.Warn(step+" did not succeed, trying again", "try", try, "of", patientTries, "err", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}
