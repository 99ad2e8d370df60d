package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// TestVaultOracle lets many clients do everything at once, each answer checked: on keys of
// their own against a model, on keys that all fight for against what may happen at all.
// CK_SOAK=60s plays that long with 64 clients; without it 8 clients play 2 seconds.
func TestVaultOracle(t *testing.T) {
	t.Parallel()
	clients, d := 8, 2*time.Second
	if text := os.Getenv("CK_SOAK"); text != "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		clients = 64
	}
	server := newPlayground(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	players := make([]*player, clients)
	for i := range players {
		players[i] = newPlayer(server.client(), key, fmt.Sprintf("player%d", i), 3)
	}
	var answers, fights atomic.Int64
	together(t, players, func(p *player) error {
		for ctx.Err() == nil {
			step := p.step
			if mrand.IntN(4) == 0 {
				step = p.fight
				fights.Add(1)
			}
			if err := step(t.Context()); err != nil {
				return err
			}
			if len(p.doubts) > 0 {
				return fmt.Errorf("a request got no answer: %v", p.doubts)
			}
			answers.Add(1)
		}
		return p.settle(t.Context(), map[string]int{})
	})
	t.Logf("%d clients, %v: %d answers, %d of them on contended keys", clients, d, answers.Load(), fights.Load())
}

// fight does something to one of three keys that everybody fights for: two deletes race, a
// recover races a purge.
func (p *player) fight(ctx context.Context) error {
	name := fmt.Sprintf("contended-%d", mrand.IntN(3))
	deeds := []struct {
		name    string
		refused []string
		call    func() error
	}{
		{"create", []string{nameIsHeld}, func() error {
			_, err := p.client.CreateKey(ctx, name, azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}, nil)
			return err
		}},
		{"rotate", []string{notFound, nameIsHeld}, func() error { _, err := p.client.RotateKey(ctx, name, nil); return err }},
		{"delete", []string{notFound}, func() error { _, err := p.client.DeleteKey(ctx, name, nil); return err }},
		{"recover", []string{notFound}, func() error { _, err := p.client.RecoverDeletedKey(ctx, name, nil); return err }},
		{"purge", []string{notFound}, func() error { _, err := p.client.PurgeDeletedKey(ctx, name, nil); return err }},
		{"disable", []string{notFound, nameIsHeld}, func() error {
			_, err := p.client.UpdateKey(ctx, name, "", azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(mrand.IntN(2) == 0)}}, nil)
			return err
		}},
		{"use", []string{notFound, forbidden}, func() error { return p.useNewest(ctx, name) }},
	}
	d := deeds[mrand.IntN(len(deeds))]
	err := d.call()
	refusal, answered := refusalOf(err)
	if err != nil && (!answered || !slices.Contains(d.refused, refusal)) {
		return fmt.Errorf("%s of a contended key: %v", d.name, err)
	}
	return nil
}

// useNewest uses a version that it has just read; it may be gone by then.
func (p *player) useNewest(ctx context.Context, name string) error {
	res, err := p.client.GetKey(ctx, name, "", nil)
	if err != nil {
		return err
	}
	v, err := versionOf(res.KeyBundle)
	if err != nil {
		return err
	}
	return p.useVersion(ctx, name, v)
}
