package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// rotateForever replaces one sealing key after the other, without a pause, until what it returns
// is called.
func (n *node) rotateForever(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ctx.Err() == nil; i++ {
			name := []string{"vault", "service", "availability"}[i%3]
			switch err := n.rotator.Rotate(ctx, name); {
			case err == nil:
				fmt.Println("rotated:", name)
			case !fault.Is(err, fault.Conflict) && ctx.Err() == nil:
				fmt.Println("not rotated:", name, err)
			}
			for _, p := range n.rotator.Progress() {
				if p.Stage == seal.Stuck || p.Stage == seal.Failing {
					fmt.Printf("not moved: %+v\n", p)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() { cancel(); <-ended }
}

// TestSealOracle: while all three sealing keys are replaced again and again, no request of
// clients that do everything a vault can fails, and each answer is right: backups made under one
// sealing key restore under another (KV-75).
func TestSealOracle(t *testing.T) {
	t.Parallel()
	d := 3 * time.Second
	if text := os.Getenv("CK_SOAK"); text != "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	server := newPlayground(t, "-rotate")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	players := make([]*player, 4)
	for i := range players {
		players[i] = newPlayer(server.client(), key, fmt.Sprintf("player%d", i), 4)
	}
	seals := []string{"vault", "service", "availability"}
	begun := time.Now()
	enough := func() bool { // each key was replaced three times, however slow the machine is
		for _, name := range seals {
			if strings.Count(server.server.out.String(), "rotated: "+name) < 3 && time.Since(begun) < longWait {
				return false
			}
		}
		return time.Since(begun) > d
	}
	together(t, players, func(p *player) error {
		for !enough() {
			if err := p.step(t.Context()); err != nil {
				return err
			}
			if len(p.doubts) > 0 {
				return fmt.Errorf("a request got no answer: %v", p.doubts)
			}
		}
		return p.settle(t.Context(), map[string]int{})
	})
	out := server.server.out.String()
	for _, name := range seals {
		if n := strings.Count(out, "rotated: "+name); n < 3 {
			t.Errorf("the sealing key of the %s database was replaced %d times", name, n)
		}
	}
	if strings.Contains(out, "not rotated") || strings.Contains(out, "not moved") || strings.Contains(out, "sealing key") {
		t.Errorf("the server said:\n%s", out)
	}
	t.Logf("%d rotations; %v", strings.Count(out, "rotated: "), players[0].done)
}

// TestSealCrash kills the server as a power cut does while sealing keys are replaced without a
// pause and clients change keys. After each restart every acknowledged key is there and every
// version of it works, tokens are issued and verified, the logs go on.
func TestSealCrash(t *testing.T) {
	t.Parallel()
	rounds := crashRounds(t, 10)
	server := newPlayground(t, "-rotate")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	players := make([]*player, 3)
	for i := range players {
		players[i] = newPlayer(nil, key, fmt.Sprintf("player%d", i), 5)
	}
	rotations := 0
	for round := range rounds + 1 {
		if round > 0 {
			server.start()
		}
		together(t, players, func(p *player) error {
			p.client = server.client()
			return p.settle(t.Context(), map[string]int{})
		})
		if t.Failed() {
			t.Fatalf("after crash %d:\n%s", round, server.server.out)
		}
		if round == rounds {
			break
		}
		go func() {
			for deadline := time.Now().Add(time.Minute); !strings.Contains(server.server.out.String(), "rotated: ") && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(mrand.IntN(300)) * time.Millisecond)
			server.server.kill()
		}()
		together(t, players, func(p *player) error { return p.playUntilKilled(t.Context(), new(atomic.Int64)) })
		out := server.server.out.String()
		rotations += strings.Count(out, "rotated: ")
		if strings.Contains(out, "not moved") {
			t.Fatalf("before crash %d:\n%s", round, out)
		}
	}
	if rotations < rounds {
		t.Errorf("only %d rotations in %d rounds", rotations, rounds)
	}
	t.Logf("%d crashes, %d rotations", rounds, rotations)
}

// TestSealMoveCrash kills ck seal move at random moments. The sealing keys are held by the old
// holder or by the new one, are the same, and nothing of a holder that holds nothing is left.
func TestSealMoveCrash(t *testing.T) {
	t.Parallel()
	rounds := crashRounds(t, 15)
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ck := filepath.Join(dir, "ck")
	if err := os.Symlink(self, ck); err != nil {
		t.Fatal(err)
	}
	words := filepath.Join(dir, "words")
	if err := os.WriteFile(words, []byte("words that nobody guesses\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &command{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	config := datafolder.Config{Path: filepath.Join(dir, "data"), Seals: filepath.Join(dir, "seals"), Holders: c.holders(&holderFlags{passphrase: words})}
	open := func() (keys [3]seal.ID, kind string) {
		t.Helper()
		f, err := datafolder.Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return [3]seal.ID{f.Seals.Service.Current(), f.Seals.Vault.Current(), f.Seals.Availability.Current()}, string(f.Report().Holder.Kind)
	}
	first, kind := open()
	moved, kept := 0, 0
	whole := time.Duration(0) // how long a move takes here
	for round := range rounds {
		to := map[string]string{"file": "passphrase", "passphrase": "file"}[kind]
		cmd := exec.Command(ck, "seal", "move", "--to", to, "--data", config.Path, "--seals", config.Seals, "--seal-passphrase-file", words, "--from-passphrase-file", words)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			begun := time.Now()
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			whole = time.Since(begun)
		} else {
			time.Sleep(time.Duration(mrand.Int64N(int64(whole))))
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
		}
		keys, now := open()
		if keys != first {
			t.Fatalf("the sealing keys changed: %v, %v", first, keys)
		}
		files, err := filepath.Glob(filepath.Join(config.Seals, "*", "*.key"))
		if want := map[string]int{"file": 1, "passphrase": 0}[now]; err != nil || len(files) != want {
			t.Errorf("held by a %s, there are %v", now, files)
		}
		if now == kind {
			kept++
		} else {
			moved++
		}
		kind = now
	}
	t.Logf("%d moves killed: %d had moved, %d had not", rounds, moved, kept)
}
