package hierarchy

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A model is the lease logic for one generation, without concurrency: who may use the policy
// key at a moment, by what the roots answered before.
type model struct {
	answers   [2]answer
	available bool
	slots     [2]struct {
		granted, failed time.Time // zero: no lease, no failure held
		code            fault.Code
	}
}

// ask is one flight by the rules of an audience.
func (m *model) ask(rules audience, now time.Time) {
	denied := 0
	for _, a := range m.answers {
		switch a {
		case well:
			m.grant(everyone, now)
			return
		case denies:
			denied++
		}
	}
	if denied == 2 {
		m.slots[everyone].granted = time.Time{} // taken back from users at once
	}
	switch {
	case denied > 0 && rules == everyone:
		m.fail(rules, fault.Denied, now)
	case !m.available:
		m.fail(rules, fault.Unavailable, now)
	case denied > 0:
		m.grant(systemOnly, now)
	default:
		m.grant(everyone, now)
	}
}

func (m *model) grant(a audience, now time.Time) {
	m.slots[a].granted = now
	if a == everyone {
		m.slots[systemOnly].granted = time.Time{}
	}
}

func (m *model) fail(a audience, code fault.Code, now time.Time) {
	m.slots[a].failed, m.slots[a].code = now, code
}

func (m *model) age(a audience, now time.Time) time.Duration {
	if m.slots[a].granted.IsZero() {
		return time.Hour
	}
	return now.Sub(m.slots[a].granted)
}

// request returns what a caller gets now: the lease of an audience, or a code.
func (m *model) request(rules audience, now time.Time) (audience, fault.Code) {
	for a := everyone; a <= rules; a++ {
		age := m.age(a, now)
		if age >= time.Minute {
			continue
		}
		if age >= 40*time.Second && !m.holds(a, now) {
			m.ask(a, now)
			if age >= 50*time.Second && m.age(a, now) >= time.Minute {
				return m.request(rules, now) // it waited, and the lease was taken back or replaced by a better one
			}
		}
		return a, ""
	}
	if !m.holds(rules, now) {
		m.ask(rules, now)
	}
	for a := everyone; a <= rules; a++ {
		if m.age(a, now) < time.Minute {
			return a, ""
		}
	}
	return 0, m.slots[rules].code
}

func (m *model) holds(a audience, now time.Time) bool {
	return !m.slots[a].failed.IsZero() && now.Sub(m.slots[a].failed) < time.Second
}

// A turn is one event in the life of the two.
type turn struct {
	Do     string
	Root   int
	Answer answer
	Well   bool
	Passes time.Duration
}

var turns = rapid.Custom(func(rt *rapid.T) turn {
	return turn{
		Do:     rapid.SampledFrom([]string{"root", "both denied", "availability", "time", "time", "user", "user", "system"}).Draw(rt, "do"),
		Root:   rapid.IntRange(0, 1).Draw(rt, "root"),
		Answer: rapid.SampledFrom([]answer{well, denies, silent}).Draw(rt, "answer"),
		Well:   rapid.Bool().Draw(rt, "well"),
		// never exactly to a border, where either outcome would be right
		Passes: time.Duration(rapid.IntRange(0, 2000).Draw(rt, "passes"))*30*time.Millisecond + time.Microsecond,
	}
})

// TestLeasesAgainstModel drives a Keyring and the model through the same random lives: roots
// that are taken back, lost and given back, users and system work, and time that passes.
func TestLeasesAgainstModel(t *testing.T) {
	needRealEntropy(t)
	rsaKey()
	rapid.Check(t, func(rt *rapid.T) {
		life := rapid.SliceOfN(turns, 1, 60).Draw(rt, "life")
		wrong := ""
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			g := w.mustGeneration(policy, 1)
			m := &model{answers: [2]answer{well, well}, available: true}
			for i := 0; i < len(life) && wrong == ""; i++ {
				wrong = m.live(w, g, life[i])
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// live takes one turn in both, and returns how they differ.
func (m *model) live(w *world, g Generation, e turn) (wrong string) {
	switch e.Do {
	case "root":
		m.answers[e.Root] = e.Answer
	case "both denied":
		m.answers = [2]answer{denies, denies}
	case "availability":
		m.available = e.Well
	case "time":
		wait(e.Passes)
	case "user":
		return m.compare(w, g, alice)
	case "system":
		return m.compare(w, g, system)
	}
	m.answers[0].set(w.roots[0])
	m.answers[1].set(w.roots[1])
	w.availability.set(map[bool]error{false: down}[m.available])
	return ""
}

func (m *model) compare(w *world, g Generation, caller directory.Caller) (wrong string) {
	l, err := w.keys.Lease(context.Background(), caller, tenant, g.ID)
	synctest.Wait()
	got, want := "refused: "+string(fault.CodeOf(err)), ""
	if err == nil {
		got = "lease for " + l.audience.String()
	}
	serves, code := m.request(audienceOf(caller), time.Now())
	if want = "refused: " + string(code); code == "" {
		want = "lease for " + serves.String()
	}
	if got != want {
		return fmt.Sprintf("%s asks, roots answer %v: %s, want %s", caller.Kind, m.answers, got, want)
	}
	if err == nil && audienceOf(caller) == everyone && l.SystemOnly() {
		return "a user got the lease of system work"
	}
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	held := w.keys.held[generationID{tenant, g.ID}]
	for a := range m.slots {
		if has := held != nil && held[a].lease != nil; has != (m.age(audience(a), time.Now()) < time.Minute) {
			return fmt.Sprintf("lease for %v held: %v, granted %v in the model", audience(a), has, m.slots[a].granted)
		}
	}
	return ""
}
