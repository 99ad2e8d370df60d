package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// TestVaultCrash kills the vault as a power cut does at random moments of create, import,
// rotate, update, delete, recover, purge and restore of keys under load (KV-174), and of what
// landlords do with vaults. After each restart every key, vault and registration is as its last
// acknowledged change left it, or as the change under way would have, never between, and every
// version of a key works.
func TestVaultCrash(t *testing.T) {
	t.Parallel()
	crashVault(t, newPlayground(t), nil)
}

// crashVault does what TestVaultCrash says, and returns what is there at the end.
// Keys are in hardware if repair is given, which is called after each crash.
func crashVault(t *testing.T, server *playground, repair func()) []*player {
	t.Helper()
	rounds := crashRounds(t, 10)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	players := make([]*player, 4)
	for i := range players {
		players[i] = newPlayer(nil, key, fmt.Sprintf("player%d", i), 6)
		players[i].hsm = repair != nil
	}
	var cast []doer
	for _, p := range players {
		cast = append(cast, p)
	}
	for i := range 2 {
		cast = append(cast, newLandlord(server, i, 3))
	}
	interrupted := map[string]int{}
	records := 0
	for round := range rounds + 1 {
		if round > 0 && repair != nil {
			repair()
		}
		if round > 0 {
			server.start()
			was := records
			if records = countRecords(t, vaultLogOf(server.dir)); records < was { // each file is whole again, and keeps what it had
				t.Errorf("after crash %d the key vault log has %d records, before it had %d", round, records, was)
			}
		}
		together(t, cast, func(a doer) error {
			a.visit(server)
			return a.settle(t.Context(), interrupted)
		})
		if t.Failed() {
			t.Fatalf("after crash %d:\n%s", round, server.server.out)
		}
		if round == rounds {
			break
		}
		var answers atomic.Int64
		least, then := int64(4+mrand.IntN(60)), time.Duration(mrand.IntN(20))*time.Millisecond
		go func() {
			for end := time.Now().Add(time.Minute); answers.Load() < least && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(then)
			server.server.kill()
		}()
		together(t, cast, func(a doer) error { return a.playUntilKilled(t.Context(), &answers) })
		if t.Failed() {
			t.Fatalf("before crash %d:\n%s", round, server.server.out)
		}
	}
	done := map[string]int{}
	for _, a := range cast {
		for name, n := range a.acknowledged() {
			done[name] += n
		}
	}
	if records == 0 {
		t.Error("the key vault log has no records")
	}
	t.Logf("%d crashes; %d records; acknowledged %v; interrupted, and done or not done %v", rounds, records, done, interrupted)
	return players
}

// A doer does deeds and knows what must have become of them.
type doer interface {
	visit(*playground) // anew after each start
	playUntilKilled(ctx context.Context, answers *atomic.Int64) error
	settle(ctx context.Context, interrupted map[string]int) error
	acknowledged() map[string]int // successes by deed
}

func (p *player) visit(server *playground)     { p.client = server.client() }
func (p *player) acknowledged() map[string]int { return p.done }

// together runs do for all players at once and reports what fails.
func together[P any](t *testing.T, players []P, do func(P) error) {
	t.Helper()
	var group sync.WaitGroup
	for _, p := range players {
		group.Go(func() {
			if err := do(p); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// playUntilKilled goes on until a request gets no answer, and counts those that do.
func (p *player) playUntilKilled(ctx context.Context, answers *atomic.Int64) error {
	for len(p.doubts) == 0 {
		if err := p.step(ctx); err != nil {
			return err
		}
		answers.Add(1)
	}
	return nil
}

var interruptedMu sync.Mutex

// settle reads every key, resolves doubts, and uses each version.
func (p *player) settle(ctx context.Context, interrupted map[string]int) error {
	for name, before := range p.keys {
		actual, err := p.read(ctx, name)
		if err != nil {
			return fmt.Errorf("reading %s, which was %s: %w", name, before, err)
		}
		d, open := p.doubts[name]
		delete(p.doubts, name)
		switch {
		case actual.same(before) && open:
			tally(interrupted, d.deed+" not done")
		case actual.same(before):
		case open && d.after(actual):
			tally(interrupted, d.deed+" done")
		default:
			return fmt.Errorf("%s is %s, was %s; under way: %q", name, actual, before, d.deed)
		}
		if actual.deleted {
			actual.deleted = false // reading its versions has recovered it
		}
		p.keys[name] = actual
		for _, v := range actual.versions {
			err := p.useVersion(ctx, name, v)
			for again := 0; p.hsm && again < 10; again++ {
				if !spurious(err) {
					break
				}
				err = p.useVersion(ctx, name, v)
			}
			if v.enabled && err != nil {
				return fmt.Errorf("using %s/%s: %w", name, v.id, err)
			}
		}
	}
	return nil
}

func tally(counts map[string]int, name string) {
	interruptedMu.Lock()
	defer interruptedMu.Unlock()
	counts[name]++
}

// read returns a key as the vault has it. A deleted key is recovered to see its versions.
func (p *player) read(ctx context.Context, name string) (k keyModel, err error) {
	if _, err := p.client.GetKey(ctx, name, "", nil); is404(err) {
		if _, err := p.client.GetDeletedKey(ctx, name, nil); is404(err) {
			return keyModel{}, nil
		} else if err != nil {
			return k, err
		}
		k.deleted = true
		if _, err := p.client.RecoverDeletedKey(ctx, name, nil); err != nil {
			return k, err
		}
	} else if err != nil {
		return k, err
	}
	for pages := p.client.NewListKeyPropertiesVersionsPager(name, nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return k, err
		}
		for _, item := range page.Value {
			res, err := p.client.GetKey(ctx, name, item.KID.Version(), nil)
			if err != nil {
				return k, err
			}
			v, err := versionOf(res.KeyBundle)
			if err != nil {
				return k, err
			}
			k.versions = append(k.versions, v)
		}
	}
	return k, nil
}

func is404(err error) bool {
	e, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && e.StatusCode == 404
}
