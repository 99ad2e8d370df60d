package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestVaultOnAFullDisk lets a real disk run full under a vault that clients do everything with, and
// under one who makes and purges vaults, shares them and registers his subscription.
// What needs space is refused and not done, which the oracle checks key by key; with space again
// all works on without a restart, and nothing is lost after a power cut on the full disk.
func TestVaultOnAFullDisk(t *testing.T) {
	t.Parallel()
	server, disk := newPlaygroundOnDisk(t, 48<<20)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	players := make([]*player, 3)
	for i := range players {
		players[i] = newPlayer(server.client(), key, fmt.Sprintf("player%d", i), 4)
	}
	owner := newLandlord(server, 0, 3)
	play := func(step func(*player) error, manage func(*landlord) error) {
		t.Helper()
		var group sync.WaitGroup
		group.Go(func() { together(t, []*landlord{owner}, manage) })
		together(t, players, step)
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	inPeace := func() {
		t.Helper()
		play(func(p *player) error {
			p.full = false
			return p.steps(t.Context(), 20)
		}, func(l *landlord) error {
			l.full = false
			return l.steps(t.Context(), 40)
		})
	}
	// Some writes still find room in files that are there: each goes on until it has met the end.
	onTheFullDisk := func() {
		t.Helper()
		play(func(p *player) error {
			p.full, p.refused = true, 0
			for n := 0; p.refused < 10; n++ {
				if n == 5000 {
					return errors.New("nothing is refused on a full disk")
				}
				if err := p.step(t.Context()); err != nil {
					return err
				}
			}
			return nil
		}, func(l *landlord) error { return l.meetTheEnd(t.Context()) })
	}
	settle := func() {
		t.Helper()
		play(func(p *player) error { return p.settle(t.Context(), map[string]int{}) },
			func(l *landlord) error { return l.settle(t.Context(), map[string]int{}) })
	}
	inPeace()
	disk.fill(t)
	onTheFullDisk()
	disk.empty(t)
	settle()
	inPeace()

	disk.fill(t)
	onTheFullDisk()
	server.server.kill()
	disk.empty(t)
	server.start()
	for _, p := range players {
		p.client = server.client()
	}
	owner.visit(server)
	settle()
	inPeace()
}

// TestVaultInAReadOnlyFolder takes the right to write away from the data folder of a vault that
// clients do everything with. What the server has open it may go on with; it does not start there
// again and says why; and with the right given back everything acknowledged is there.
func TestVaultInAReadOnlyFolder(t *testing.T) {
	t.Parallel()
	server := newPlaygroundOfNobody(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p := newPlayer(server.client(), key, "player", 8)
	must(t, p.steps(t.Context(), 40))
	owner := newLandlord(server, 0, 3)
	must(t, owner.steps(t.Context(), 30))
	data := filepath.Join(server.dir, "data")
	freeze(t, data)
	p.full, owner.full = true, true // what needs a new file may be refused, and is not done then
	must(t, p.steps(t.Context(), 40))
	must(t, owner.steps(t.Context(), 40))
	must(t, p.settle(t.Context(), map[string]int{}))
	must(t, owner.settle(t.Context(), map[string]int{}))
	server.server.kill()
	err = server.server.start(server.command[0], server.dir, os.Environ(), slices.Concat(server.command[1:], server.flags))
	if err == nil || !strings.Contains(err.Error(), "the data folder "+data+" cannot be written") {
		t.Fatalf("it starts where it cannot write: %v", err)
	}
	thaw(t, data)
	server.start()
	p.client, p.full, owner.full = server.client(), false, false
	owner.visit(server)
	must(t, p.settle(t.Context(), map[string]int{}))
	must(t, owner.settle(t.Context(), map[string]int{}))
	must(t, p.steps(t.Context(), 20))
	must(t, owner.steps(t.Context(), 20))
}

// newPlaygroundOfNobody returns a playground that runs as somebody who is not root: root may write
// anywhere.
func newPlaygroundOfNobody(t *testing.T) *playground {
	t.Helper()
	p := newPlayground(t)
	if os.Geteuid() != 0 {
		return p
	}
	must(t, p.server.end(os.Interrupt))
	must(t, filepath.WalkDir(p.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	}))
	bin := t.TempDir()
	must(t, os.Rename(copyBinary(t, bin), filepath.Join(bin, "ck-playground")))
	become, err := exec.LookPath("setpriv")
	must(t, err)
	id := strconv.Itoa(nobody)
	p.command = []string{become, "--reuid=" + id, "--regid=" + id, "--clear-groups", filepath.Join(bin, "ck-playground")}
	p.start()
	return p
}

// newPlaygroundOnDisk returns a playground whose data folder is on a disk of that size.
func newPlaygroundOnDisk(t *testing.T, size int) (*playground, *disk) {
	t.Helper()
	d := mountDisk(t, size)
	p := newPlayground(t)
	must(t, p.server.end(os.Interrupt))
	must(t, os.CopyFS(d.outside(), os.DirFS(filepath.Join(p.dir, "data"))))
	enter, err := exec.LookPath("nsenter")
	must(t, err)
	p.command = []string{enter, "-m", "-t", strconv.Itoa(d.holder), "--wd=" + p.dir, p.binary()}
	for i, flag := range p.flags {
		if flag == filepath.Join(p.dir, "data") {
			p.flags[i] = d.path
		}
	}
	p.start()
	return p, d
}

// steps does so many deeds.
func (p *player) steps(ctx context.Context, n int) error {
	for range n {
		if err := p.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// steps does so many deeds.
func (l *landlord) steps(ctx context.Context, n int) error {
	for range n {
		if err := l.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// meetTheEnd does deeds on a full disk until each kind that changes something was refused there.
func (l *landlord) meetTheEnd(ctx context.Context) error {
	l.full = true
	clear(l.refused)
	met := func(deed string) bool { return l.refused[deed] > 0 }
	for n := 0; ; n++ {
		switch every := []string{"put vault", "delete vault", "purge vault", "assign role", "admit", "register"}; {
		case !slices.ContainsFunc(every, func(deed string) bool { return !met(deed) }):
			return nil
		case n == 5000:
			return fmt.Errorf("on a full disk only these are refused: %v", l.refused)
		}
		if err := l.step(ctx); err != nil {
			return err
		}
	}
}
