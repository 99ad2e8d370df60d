package policy_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// generationOf returns the generation that the first version of a container's key is under.
func (c *tenant) generationOf(container string) string {
	c.t.Helper()
	keys, err := c.rows.ContainerKeys(c.t.Context(), c.id, policy.Place{Container: container}, 1)
	if err != nil || len(keys) != 1 || keys[0].Container != container {
		c.t.Fatalf("the key of %s: %+v, %v", container, keys, err)
	}
	return keys[0].Generation
}

// The times that Microsoft promises, and ours (section 4.8): CK-265 a day until new keys are in
// force, CK-266 two days for a refresh, CK-267 three days for another policy, CK-268 a week for
// the first encryption, CK-269 four hours for files. Here new content is under new keys with
// the command, and what is stored a few seconds later: as long as the last look waits.
func TestPromisedTimes(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("exchange", "alice")
		c.mustSeal("sharepoint", "site")
		moved := func(what string, change func()) {
			t.Helper()
			begin := time.Now()
			change()
			c.mustSeal("exchange", what)
			if took, st := time.Since(begin), c.mustStatus("P"); took > time.Second || c.generationOf("exchange/"+what) != st.Policy.Generation {
				t.Errorf("%s: new content is under %s after %v", what, c.generationOf("exchange/"+what), took)
			}
			w.work()
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("%s: stored content had moved after %v", what, took)
			}
			if st := c.mustStatus("P"); st.Percent != 100 || st.Operation.State != operation.Done || c.generationOf("exchange/alice") != st.Policy.Generation {
				t.Errorf("%s: %v %%, %s", what, st.Percent, st.Operation.State)
			}
		}
		c.mustCreate("P")
		moved("CK-265, CK-268 first assignment", func() { c.mustAssign("P") })
		w.vaults.change(c.keys[0], func(k *vaultKey) { // CK-240, CK-244: a version that was valid from yesterday on
			k.versions++
			k.facts.NotBefore = time.Now().Add(-24 * time.Hour)
		})
		moved("CK-241, CK-266 refresh", func() { c.mustRefresh("P") })
		if st := c.mustStatus("P"); st.Generations[1].KeyIDs[0] != kid(c.keys[0], 2) {
			t.Errorf("CK-244: the version with a date in the past was not taken: %v", st.Generations[1].KeyIDs)
		}
		begin := time.Now()
		c.mustRegister("")
		w.work()
		if st := c.mustGeo(""); st.State != policy.Registered || time.Since(begin) > 10*time.Second {
			t.Errorf("CK-269: %s after %v", st.State, time.Since(begin))
		}
	})
}

// How long it takes from the start of a refresh until new content is under the new generation,
// with two vaults in memory and the log on disk.
func BenchmarkRefreshTakesEffect(b *testing.B) {
	w := newWorld(b, nil)
	c := w.tenant()
	c.mustCreate("P")
	c.mustAssign("P")
	for b.Loop() {
		p := c.mustRefresh("P")
		c.mustSeal("exchange", "alice")
		if got := c.generationOf("exchange/alice"); got != p.Generation {
			b.Fatalf("under %s, want %s", got, p.Generation)
		}
	}
}
