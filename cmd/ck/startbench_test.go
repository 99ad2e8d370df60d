package main

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/profile"
)

// BenchmarkStart runs a whole ck Get-M365DataAtRestEncryptionPolicy, beside ck version, which is
// what a process costs, and one request for the same answer over a new connection, which is what
// TLS and the server cost. It gives medians.
func BenchmarkStart(b *testing.B) {
	w := newWorldOf(b, built(b))
	var version, policy, script, request measured
	for b.Loop() {
		version.add(w.timed("version"))
		policy.add(w.timed("Get-M365DataAtRestEncryptionPolicy"))
		script.add(w.timed("-c", "Get-M365DataAtRestEncryptionPolicy"))
		request.add(w.request(), 0)
	}
	b.ReportMetric(version.wall(), "version-ms")
	b.ReportMetric(version.processor(), "version-cpu-ms")
	b.ReportMetric(policy.wall(), "policy-ms")
	b.ReportMetric(policy.processor(), "policy-cpu-ms")
	b.ReportMetric(script.wall(), "c-policy-ms")
	b.ReportMetric(request.wall(), "request-ms")
}

// measured are times of the same thing.
type measured struct{ walls, cpus []time.Duration }

func (m *measured) add(wall, cpu time.Duration) {
	m.walls, m.cpus = append(m.walls, wall), append(m.cpus, cpu)
}

func (m *measured) wall() float64      { return median(m.walls) }
func (m *measured) processor() float64 { return median(m.cpus) }

// median is in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

// timed runs ck and returns how long it took, and its own processor time.
func (w *world) timed(args ...string) (wall, cpu time.Duration) {
	w.tb.Helper()
	cmd := exec.CommandContext(w.tb.Context(), w.ck, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		w.tb.Fatalf("ck %v: %v\n%s", args, err, out)
	}
	return time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// request asks for the policies over a connection of its own and returns how long that took.
func (w *world) request() time.Duration {
	w.tb.Helper()
	p, err := profile.Open(profile.Config{Path: filepath.Join(w.dir, "config", "customerkey", "profile.json")})
	if err != nil {
		w.tb.Fatal(err)
	}
	at, client := p.Addresses().Outlook, p.HTTPClient()
	defer client.CloseIdleConnections()
	token, err := p.TokenSource(at)(w.tb.Context())
	if err != nil {
		w.tb.Fatal(err)
	}
	body := strings.NewReader(invoke("Get-M365DataAtRestEncryptionPolicy", nil))
	r, err := http.NewRequestWithContext(w.tb.Context(), http.MethodPost, at+"/adminapi/beta/"+p.Data().Tenant+"/InvokeCommand", body)
	if err != nil {
		w.tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	start := time.Now()
	res, err := client.Do(r)
	if err != nil {
		w.tb.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		w.tb.Fatalf("%d %s %v", res.StatusCode, text, err)
	}
	return time.Since(start)
}
