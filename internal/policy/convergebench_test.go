package policy_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// How many container keys a second move to another generation, while one reader opens keys of
// random containers every millisecond and one writer makes a container every 20 ms: what reads
// and writes wait at most in 99 of 100 cases, how long processors are busy for each key,
// reader and writer included, and how much memory is resident at the peak.
// CK_KEYS sets the number of keys, 100,000 unless given; CK_RANDOM=1 gives containers ids in
// random order, as they had before ids began with the time.
func BenchmarkConverge(b *testing.B) {
	keys := 100_000
	if n, err := strconv.Atoi(os.Getenv("CK_KEYS")); err == nil {
		keys = n
	}
	w := newWorld(b, func(c *policy.Config) { c.Settle = time.Millisecond })
	c := w.tenant()
	c.mustCreate("P")
	c.mustAssign("P")
	w.work()
	ids := c.fill(b, keys)
	var reads, writes waits
	var moving, busy time.Duration
	for b.Loop() {
		forgetPeak()
		start, used := time.Now(), processorTime()
		c.mustRefresh("P")
		stop := c.disturb(b, ids, &reads, &writes)
		w.work()
		moving += time.Since(start)
		busy += processorTime() - used
		stop()
	}
	if st := c.mustStatus("P"); st.Percent != 100 {
		b.Fatalf("%v %%", st.Percent)
	}
	b.ReportMetric(float64(keys)*float64(b.N)/moving.Seconds(), "keys/s")
	b.ReportMetric(float64(busy.Microseconds())/float64(keys*b.N), "cpu-us/key")
	b.ReportMetric(reads.p99(), "read-p99-ms")
	b.ReportMetric(writes.p99(), "write-p99-ms")
	b.ReportMetric(float64(len(reads.ms))/moving.Seconds(), "reads/s")
	b.ReportMetric(peakMiB(), "peak-MiB")
	b.ReportMetric(moving.Seconds()/float64(b.N), "s/move")
}

// fill makes containers with one key each, many at a time, and returns their ids.
func (c *tenant) fill(b *testing.B, n int) []uuid.UUID {
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
		if os.Getenv("CK_RANDOM") != "" {
			ids[i] = uuid.New()
		}
	}
	target, err := c.service.InForce(b.Context(), hierarchy.Container{Tenant: c.id, Workload: "exchange"})
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				box := hierarchy.Container{Tenant: c.id, ID: ids[i].String(), Workload: "exchange"}
				o, err := c.world.keys.ForSealing(b.Context(), c.admin, box, target)
				if err != nil {
					b.Error(err)
					return
				}
				o.Close()
			}
		})
	}
	all.Wait()
	return ids
}

// disturb reads and writes until the returned function is called.
func (c *tenant) disturb(b *testing.B, ids []uuid.UUID, reads, writes *waits) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var both sync.WaitGroup
	both.Go(func() {
		for ctx.Err() == nil {
			reads.time(func() {
				id := ids[rand.IntN(len(ids))].String()
				o, err := c.world.keys.ForOpening(b.Context(), c.admin, hierarchy.Container{Tenant: c.id, ID: id, Workload: "exchange"}, 1)
				if err != nil {
					b.Error(err)
					return
				}
				o.Close()
			})
			time.Sleep(time.Millisecond)
		}
	})
	both.Go(func() {
		for ctx.Err() == nil {
			writes.time(func() {
				box := hierarchy.Container{Tenant: c.id, ID: uuid.Must(uuid.NewV7()).String(), Workload: "exchange"}
				target, err := c.service.InForce(b.Context(), box)
				if err != nil {
					b.Error(err)
					return
				}
				o, err := c.world.keys.ForSealing(b.Context(), c.admin, box, target)
				if err != nil {
					b.Error(err)
					return
				}
				o.Close()
			})
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() {
		cancel()
		both.Wait()
	}
}

// waits are how long calls took, in milliseconds. One goroutine adds to them.
type waits struct{ ms []float64 }

func (w *waits) time(fn func()) {
	start := time.Now()
	fn()
	w.ms = append(w.ms, float64(time.Since(start).Microseconds())/1000)
}

func (w *waits) p99() float64 {
	if len(w.ms) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(w.ms))
	return sorted[len(sorted)*99/100]
}

// forgetPeak starts the measurement of resident memory anew, on Linux.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMiB returns the most resident memory since, 0 where nobody counts it.
func peakMiB() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kib / 1024
		}
	}
	return 0
}
