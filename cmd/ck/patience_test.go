package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A first start whose vaults fail at first, as they seem to where a machine is busy, ends well.
func TestSetUpOutlivesVaultsThatFail(t *testing.T) {
	t.Parallel()
	n := mustOpenNode(t)
	var asked atomic.Int32
	vaults := n.faces.vault
	n.faces.vault = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 6 { // the service asks each of two vaults up to three times
			http.Error(w, "starved", http.StatusServiceUnavailable)
			return
		}
		vaults.ServeHTTP(w, r)
	})
	log := &strings.Builder{}
	n.log = slog.New(slog.NewTextHandler(log, nil))
	password, _, err := n.prepare(t.Context(), false)
	if err != nil || password == "" {
		t.Fatalf("%v, password to show: %t", err, password != "")
	}
	if !strings.Contains(log.String(), "setting up did not succeed, trying again") {
		t.Errorf("nothing was said of it: %q", log)
	}
	provider, err := n.directory.Tenant(t.Context(), providerDomain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.policies.EnsureServicePolicy(t.Context(), provider.ID, [2]hierarchy.RootRef{}); err != nil { // it is there, and no root is looked at
		t.Error(err)
	}
}

// What stays out of reach ends the start, after some half a minute; what waiting cannot mend ends it at once.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			err   error
			tries int
		}{
			{nil, 1}, {fault.New(fault.Denied, "taken back"), 1}, {errors.New("a bug"), 1}, {fault.New(fault.Unavailable, "away"), patientTries},
		} {
			tries, begin := 0, time.Now()
			err := patiently(t.Context(), slog.New(slog.DiscardHandler), "a step", func(context.Context) error { tries++; return tt.err })
			if !errors.Is(err, tt.err) || tries != tt.tries || time.Since(begin) > 40*time.Second {
				t.Errorf("%v: %v after %d tries and %v", tt.err, err, tries, time.Since(begin))
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		tries := 0
		err := patiently(ctx, slog.New(slog.DiscardHandler), "a step", func(context.Context) error {
			tries++
			leave()
			return fault.New(fault.Unavailable, "away")
		})
		if err == nil || tries != 1 {
			t.Errorf("once nobody waits any more: %v after %d tries", err, tries)
		}
	})
}
