package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"
)

const (
	idleVaults       = 1000
	mostIdleResident = 150 << 20
)

// TestIdleVaultsTakeLittle starts a server that has 1,000 vaults, asks each of them once, and
// reads how much memory its process then has.
func TestIdleVaultsTakeLittle(t *testing.T) {
	if raced {
		t.Skip("the race detector takes memory of its own")
	}
	p := newPlayground(t, "-vaults", fmt.Sprint(idleVaults))
	pid := p.server.cmd.Process.Pid
	start, _, err := resident(pid)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this system has no /proc to read a process's memory from")
	}
	transport := p.transport()
	transport.MaxIdleConns = 1 // each vault is another host
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for i := range idleVaults {
		req, err := http.NewRequestWithContext(t.Context(), "GET", p.vault(fmt.Sprintf("idle-%04d", i))+"/keys?api-version=7.4", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.told("token"))
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", res.Status, answer)
		}
	}
	now, high, err := resident(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("resident: %d MiB when ready, %d MiB after %d vaults were asked, %d MiB at most", start>>20, now>>20, idleVaults, high>>20)
	if now > mostIdleResident && !raced {
		t.Errorf("%d bytes resident, at most %d are allowed", now, mostIdleResident)
	}
}
