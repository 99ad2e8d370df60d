package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

// TestCrash kills the server as a power cut does, at random moments of imports, assignments and
// refreshes. After each restart every acknowledged item opens with its bytes and the policy is
// in a legal state; at the end the interrupted work finishes by itself. See
// crashRounds for how often.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds := crashRounds(t, 50)
	w := &crashWorld{world: newWorld(t, "--lease", "5s"), t: t, acknowledged: map[client.Ref][sha256.Size]byte{}}
	w.server.kill()
	for round := range rounds {
		w.start()
		w.check(fmt.Sprintf("after crash %d", round), 100)
		w.workUntilKilled(time.Duration(10+rand.IntN(400))*time.Millisecond, round+1)
	}
	w.start()
	w.check("at the end", len(w.acknowledged))
	w.finish()
	if len(w.acknowledged) < rounds {
		t.Errorf("only %d items were acknowledged in %d rounds: the test did not do what it should", len(w.acknowledged), rounds)
	}
	t.Logf("%d crashes, %d items acknowledged, %d policy changes", rounds, len(w.acknowledged), w.changes)
}

// crashRounds is how often a test kills what it tests: CK_CRASH_ROUNDS times, or as often as
// usual; less under the race detector, whose servers are several times slower, and with -short.
func crashRounds(t *testing.T, usual int) int {
	t.Helper()
	if text := os.Getenv("CK_CRASH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if raced || testing.Short() {
		return max(usual/5, 2)
	}
	return usual
}

// A crashWorld is a server that is killed again and again, and what it has promised so far.
type crashWorld struct {
	*world
	t *testing.T

	mu           sync.Mutex
	acknowledged map[client.Ref][sha256.Size]byte
	changes      int
}

// workUntilKilled imports and changes the policy, several at once, and kills the server after d,
// but not before so many items in all were acknowledged: a slow machine takes longer.
func (w *crashWorld) workUntilKilled(d time.Duration, items int) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() { w.importItems(ctx, worker) })
	}
	group.Go(func() { w.changePolicy(ctx) })
	time.Sleep(d)
	for deadline := time.Now().Add(longWait); w.count() < items && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	w.server.kill()
	cancel()
	group.Wait()
}

// count returns how many items were acknowledged.
func (w *crashWorld) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}

func (w *crashWorld) importItems(ctx context.Context, worker int) {
	for n := 0; ctx.Err() == nil; n++ {
		content := make([]byte, rand.IntN(200_000))
		fill(content)
		ref := client.Ref{Workload: "documents", Container: fmt.Sprintf("crash-%d", rand.IntN(20)), Item: fmt.Sprintf("%d/%d-%d", worker, n, rand.Int64())}
		var err error
		switch rand.IntN(3) {
		case 0: // a message, whose id the service gives
			var item client.Item
			item, _, err = w.items.Add(ctx, "exchange", "bob@contoso.example", client.PutOptions{}, bytes.NewReader(content))
			ref = item.Ref
		case 1: // a chat message: old ones stay where they are when the policy changes
			ref.Workload = "teams"
			fallthrough
		default:
			_, _, err = w.items.Put(ctx, ref, client.PutOptions{}, bytes.NewReader(content))
		}
		if err != nil {
			continue // not acknowledged: it may be there or not
		}
		w.mu.Lock()
		w.acknowledged[ref] = sha256.Sum256(content)
		w.mu.Unlock()
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
}

func (w *crashWorld) changePolicy(ctx context.Context) {
	for ctx.Err() == nil {
		args := [][]string{
			{"Set-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-Refresh"},
			{"Set-M365DataAtRestEncryptionPolicyAssignment", "-DataEncryptionPolicy", "$null"},
			{"Set-M365DataAtRestEncryptionPolicyAssignment", "-DataEncryptionPolicy", samplePolicy},
		}[rand.IntN(3)]
		cmd := exec.CommandContext(ctx, w.ck, append(args, "-Confirm:$false")...)
		cmd.Env = w.env
		if cmd.Run() == nil {
			w.mu.Lock()
			w.changes++
			w.mu.Unlock()
		}
	}
}

// check opens acknowledged items, at most limit of them at random, and looks at the policy.
func (w *crashWorld) check(when string, limit int) {
	w.t.Helper()
	for ref, want := range w.acknowledged {
		if limit--; limit < 0 {
			break
		}
		if err := opens(w.t.Context(), w.items, ref, want); err != nil {
			w.t.Fatalf("%s: item %s was acknowledged: %v\n%s", when, ref, err, w.server.out)
		}
	}
	p := w.policy()
	active := 0
	for _, g := range p.Generations {
		if g.State == "active" {
			active++
		}
	}
	if active != 1 || p.State != "Active" || !p.Enabled {
		w.t.Fatalf("%s: the policy is in no legal state: %+v", when, p)
	}
}

// opens reads an item and compares its content.
func opens(ctx context.Context, items *client.Client, ref client.Ref, want [sha256.Size]byte) error {
	content, err := items.Get(ctx, ref)
	if err != nil {
		return err
	}
	defer content.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return err
	}
	if [sha256.Size]byte(digest.Sum(nil)) != want {
		return errors.New("it has other bytes")
	}
	return nil
}

// crashPolicy is what the test looks at of Get-M365DataAtRestEncryptionPolicy.
type crashPolicy struct {
	State, Rewrap string
	Enabled       bool
	Generations   []struct {
		Number  int
		State   string
		Objects int
	}
}

func (w *crashWorld) policy() crashPolicy {
	w.t.Helper()
	cmd := exec.Command(w.ck, "Get-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-OutputFormat", "json")
	cmd.Env = w.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("reading the policy: %v\n%s", err, &stderr)
	}
	var all []crashPolicy
	if err := json.Unmarshal(out, &all); err != nil || len(all) != 1 {
		w.t.Fatalf("reading the policy: %v\n%s", err, out)
	}
	return all[0]
}

// finish waits until interrupted work is done: nothing is left under an older generation, and
// those are destroyed.
func (w *crashWorld) finish() {
	w.t.Helper()
	for deadline := time.Now().Add(longWait); ; time.Sleep(200 * time.Millisecond) {
		p := w.policy()
		open := 0
		for _, g := range p.Generations {
			if g.State == "draining" {
				open++
			}
		}
		if open == 0 && p.Rewrap == "done" {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("interrupted work does not finish: %+v\n%s", p, w.server.out)
		}
	}
}
