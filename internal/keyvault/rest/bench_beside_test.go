//go:build unix

package rest_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
)

// BenchmarkGetBesideUnwrap is how long one reader waits for GET key while 64 connections unwrap without a
// pause, beside the same reader alone: the median and the slowest of a hundred.
func BenchmarkGetBesideUnwrap(b *testing.B) {
	w := newRace(b)
	k := w.mustCreate(keyvault.NewKey{Type: "RSA", Bits: 2048})
	get, unwrap := w.vault(call{"GET", "/keys/root/" + k.Version, ""}), w.vault(w.unwrap(k))
	alone := w.waits(200, get)

	var stop atomic.Bool
	var unwrapped atomic.Int64
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for !stop.Load() {
				if err := unwrap(); err != nil {
					b.Error(err)
					return
				}
				unwrapped.Add(1)
			}
		})
	}
	start, before := time.Now(), unwrapped.Load()
	var beside []time.Duration
	for b.Loop() {
		beside = append(beside, w.waits(1, get)...)
	}
	b.ReportMetric(float64(unwrapped.Load()-before)/time.Since(start).Seconds(), "unwrap/s")
	stop.Store(true)
	callers.Wait()
	for name, waits := range map[string][]time.Duration{"alone": alone, "beside": beside} {
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), name+"-p99-us")
	}
}

// waits makes a call so many times, every five milliseconds, and returns how long each took.
func (w *race) waits(calls int, do func() error) (waits []time.Duration) {
	for range calls {
		time.Sleep(5 * time.Millisecond)
		start := time.Now()
		if err := do(); err != nil {
			w.b.Fatal(err)
		}
		waits = append(waits, time.Since(start))
	}
	return waits
}
