package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

// TestKilledInEveryLongOperation begins each long operation by its cmdlets, kills the real process
// as a power cut does at random moments within it, and starts it again, until the operation is
// done. Then everything acknowledged opens, nothing purged does, no percentage went back, and every
// operation ended well. CK_CRASH_ROUNDS is how often each is killed, CK_CRASH_SEED repeats a run.
func TestKilledInEveryLongOperation(t *testing.T) {
	t.Parallel()
	rounds := 1
	if os.Getenv("CK_CRASH_ROUNDS") != "" {
		rounds = crashRounds(t, 1)
	}
	w := newKilled(t)
	for round := range rounds {
		for _, work := range everyLongWork {
			if t.Failed() {
				return
			}
			w.live(fmt.Sprintf("%s, round %d", work.name, round), work)
		}
	}
	w.check("at the end", len(w.acknowledged))
	t.Logf("%d items acknowledged, %d purged; %d operations done; killed during %v", len(w.acknowledged), len(w.purged), len(w.percent), w.cut)
}

// A longWork is a long operation, as those see it who begin it.
type longWork struct {
	name    string
	prepare func(w *killed)       // nobody is killed meanwhile
	begin   func(w *killed) error // begins it, or goes on beginning it after a kill
	done    func(w *killed) error // why it is not done yet
	after   func(w *killed)
	inside  func(w *killed) func() bool // what tells that it is where a chance moment hardly is
}

// A killed is a server that is killed while it works, and what it has promised.
type killed struct {
	*world
	t      *testing.T
	dice   *rand.Rand
	tenant string
	names  int // of keys, policies, geos, people made so far

	mu           sync.Mutex
	acknowledged map[client.Ref][sha256.Size]byte
	purged       map[client.Ref][sha256.Size]byte

	percent map[string]float64 // of operations, as seen last
	during  string             // what was under way at the last look
	moved   int64              // units of all work, at the last look
	cut     map[string]int     // how often what was under way when the server was killed
	now     situation
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CK_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CK_CRASH_SEED=%d", seed)
	w := &killed{
		world: newWorldOf(t, plain(t), "--lease", "2s", "--purge-wait", "0s", "--licences", "ignore", "--approve-offboarding", "automatically"),
		t:     t, dice: rand.New(rand.NewPCG(seed, 0)),
		acknowledged: map[client.Ref][sha256.Size]byte{}, purged: map[client.Ref][sha256.Size]byte{}, percent: map[string]float64{}, cut: map[string]int{},
	}
	w.setUp()
	return w
}

// live is the life of one operation.
func (w *killed) live(name string, work longWork) {
	w.t.Helper()
	began := time.Now()
	defer func() { w.t.Logf("%s: %v", name, time.Since(began).Round(100*time.Millisecond)) }()
	work.prepare(w)
	stop := w.writeOn()
	defer stop()
	const cuts = 2
	for cut := 0; ; cut++ {
		begun, dead := make(chan struct{}), make(chan struct{})
		there := func() bool { return false }
		switch {
		case cut == 0 && work.inside != nil:
			there = work.inside(w)
			go w.killInside(there, dead)
		case cut < cuts:
			go w.killLater(w.dice.IntN(3) == 0, begun, w.moment(), dead)
		}
		err := w.untilDone(work, begun, dead, cut >= cuts)
		if err == nil {
			break
		}
		if !errors.Is(err, errKilled) {
			w.t.Fatalf("%s: %v\n%s", name, err, w.server.out)
		}
		if there() {
			w.during = "inside of " + work.name
		}
		w.cut[w.during]++
		w.sound(name)
		w.start()
	}
	stop()
	if work.after != nil {
		work.after(w)
	}
	w.check(name, 40)
	w.sound(name)
}

// moment is how much later to kill: at once, within a command that does it all; soon; or at any time
// that an operation takes.
func (w *killed) moment() time.Duration {
	most := []int{60, 400, 3500}[w.dice.IntN(3)]
	return time.Duration(w.dice.IntN(most)) * time.Millisecond
}

// killInside kills the server as soon as an operation is where it is to be killed; in the end, if it
// never is there, all the same.
func (w *killed) killInside(there func() bool, dead chan<- struct{}) {
	for end := time.Now().Add(stillFor / 2); !there() && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
	}
	w.server.kill()
	close(dead)
}

// killLater kills the server some time from now, or after the operation was begun.
func (w *killed) killLater(early bool, begun <-chan struct{}, d time.Duration, dead chan<- struct{}) {
	if !early {
		select {
		case <-begun:
		case <-time.After(20 * time.Second):
		}
	}
	time.Sleep(d)
	w.server.kill()
	close(dead)
}

// untilDone begins the operation and watches it until it is done, or, unless it is left alone, until
// the server is dead: errKilled.
func (w *killed) untilDone(work longWork, begun chan<- struct{}, dead <-chan struct{}, alone bool) error {
	deadline, seen := time.Now().Add(stillFor), w.moved
	on := false
	for {
		var err error
		if !on {
			w.during = "begin of " + work.name
			if err = work.begin(w); err == nil {
				on = true
				close(begun)
			}
		}
		if on {
			if err = w.watch(); err == nil {
				err = work.done(w)
			}
		}
		if w.moved != seen {
			deadline, seen = time.Now().Add(stillFor), w.moved
		}
		stuck := !on && !errors.Is(err, errNotYet) || time.Now().After(deadline)
		if errors.Is(err, errBroken) || alone && (err == nil || stuck) {
			return err
		}
		select {
		case <-dead:
			return errKilled
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stillFor is how long work that is left alone may show no progress.
const stillFor = longWait

var (
	errKilled = errors.New("the server was killed")
	errBroken = errors.New("that must not be")
	errNotYet = errors.New("not yet") // of begin, where it has to wait for the server
)

// A workRow is what Get-CKOperation says of an operation.
type workRow struct {
	Identity, Kind, State, Error string
	PercentComplete              float64
	Done                         int64
}

// watch looks at all operations: none goes back or fails, and all are done in the end.
func (w *killed) watch() error {
	var all []workRow
	if err := w.ask(&all, "", "Get-CKOperation"); err != nil {
		return err
	}
	var open error
	w.during, w.moved = "nothing", 0
	for _, op := range all {
		w.moved += op.Done
		if op.PercentComplete < w.percent[op.Identity] {
			w.t.Errorf("%s went back from %v %% to %v %%", op.Kind, w.percent[op.Identity], op.PercentComplete)
		}
		w.percent[op.Identity] = op.PercentComplete
		switch op.State {
		case "done":
		case "failed", "cancelled":
			return fmt.Errorf("%w: %s %s is %s: %s", errBroken, op.Kind, op.Identity, op.State, op.Error)
		default:
			w.during = op.Kind
			open = fmt.Errorf("%s is %s at %v %%: %s", op.Kind, op.State, op.PercentComplete, op.Error)
		}
	}
	return open
}

// run runs ck as a person of a profile, "" for the administrator, and returns what it printed.
func (w *killed) run(profile string, args ...string) (string, error) {
	if profile != "" {
		args = append([]string{"--profile", profile}, args...)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), longWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.ck, args...)
	cmd.Env = w.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ck %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}

func (w *killed) must(profile string, args ...string) string {
	w.t.Helper()
	out, err := w.run(profile, args...)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.server.out)
	}
	return out
}

// ask reads the objects that a cmdlet prints.
func (w *killed) ask(into any, profile string, args ...string) error {
	out, err := w.run(profile, append(args, "-OutputFormat", "json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

// writeOn writes small items until it is told to stop, here and there.
func (w *killed) writeOn() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ctx.Err() == nil; n++ {
			where := containers[n%len(containers)]
			w.put(ctx, client.Ref{Workload: where.Workload, Container: where.Container, Item: fmt.Sprintf("on/%d-%d", w.names, n)})
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return sync.OnceFunc(func() { cancel(); <-ended })
}

// put writes an item; what is acknowledged is remembered.
func (w *killed) put(ctx context.Context, ref client.Ref) error {
	content := []byte("the content of " + ref.Workload + "/" + ref.Container + "/" + ref.Item)
	var err error
	if ref.Workload == "exchange" {
		var item client.Item
		item, _, err = w.items.Add(ctx, ref.Workload, ref.Container, client.PutOptions{}, bytes.NewReader(content))
		ref = item.Ref
	} else {
		_, _, err = w.items.Put(ctx, ref, client.PutOptions{}, bytes.NewReader(content))
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[ref] = sha256.Sum256(content)
	return nil
}

// check opens acknowledged items, at most limit of them, and tries those that were purged.
func (w *killed) check(when string, limit int) {
	w.t.Helper()
	for ref, want := range w.acknowledged {
		if limit--; limit < 0 {
			break
		}
		if err := opens(w.t.Context(), w.items, ref, want); err != nil {
			w.t.Errorf("%s: item %s was acknowledged: %v", when, ref, err)
		}
	}
	for ref, want := range w.purged {
		if err := opens(w.t.Context(), w.items, ref, want); err == nil {
			w.t.Errorf("%s: item %s was purged, and opens", when, ref)
		}
	}
	if w.t.Failed() {
		w.t.Logf("%s", w.server.out)
	}
}

// sound fails if the server that runs, or was killed, has said that something in it is broken.
func (w *killed) sound(when string) {
	w.t.Helper()
	if out := w.server.out.String(); strings.Contains(out, "panic:") || strings.Contains(out, "goroutine ") {
		w.t.Errorf("%s: the server said:\n%s", when, out)
	}
}
