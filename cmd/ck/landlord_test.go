package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armfeatures"
)

// A landlord manages vaults that nobody else touches and the registration of their subscription,
// through official clients, and knows at each moment how each of them must be: for vaults what a
// player is for keys.
type landlord struct {
	server       *playground
	subscription string
	self, tenant string                 // object id of the app that all belongs to, and its tenant
	management   azcore.TokenCredential // its tokens, which outlive the server
	data         azcore.TokenCredential

	http     *http.Client
	vaults   *armkeyvault.VaultsClient
	roles    *armauthorization.RoleAssignmentsClient
	features *armfeatures.Client

	holdings map[string]holding
	leaving  map[string]bool // purged on a full disk: a sweep may still have to free the name
	doubts   map[string]doubtOf[holding]
	done     map[string]int // successes by deed
	full     bool           // the disk is: what needs space is refused
	refused  map[string]int // so often, by deed
}

// A holding is a vault as it must be, or the registration, which is there or not.
type holding struct {
	exists, deleted bool
	tag             string
	guests          []string // object ids whom the access policy lets in besides its owner
	roles           []string // assignments over it: id and principal
	keys            []string // ids
}

// registration is the holding that is no vault.
const registration = "registration"

// newLandlord returns the one of the i-th land, with so many vaults to be.
func newLandlord(server *playground, i, vaults int) *landlord {
	l := &landlord{
		subscription: server.toldFirst(fmt.Sprintf("land%d", i)), self: server.toldFirst("object"), tenant: server.toldFirst("tenant"),
		management: fixedToken(server.toldFirst("management")), data: fixedToken(server.toldFirst("token")),
		holdings: map[string]holding{registration: {}}, doubts: map[string]doubtOf[holding]{}, done: map[string]int{}, refused: map[string]int{},
	}
	for n := range vaults {
		l.holdings[fmt.Sprintf("land%d-vault%d", i, n)] = holding{}
	}
	l.visit(server)
	return l
}

func (l *landlord) acknowledged() map[string]int { return l.done }

func (h holding) live() bool { return h.exists && !h.deleted }

func (h holding) same(o holding) bool {
	return h.exists == o.exists && h.deleted == o.deleted && h.tag == o.tag && slices.Equal(h.guests, o.guests) &&
		slices.Equal(h.roles, o.roles) && slices.Equal(h.keys, o.keys)
}

func (h holding) is(want holding) func(holding) bool {
	return func(after holding) bool { return after.same(want) }
}

func (h holding) String() string {
	switch {
	case !h.exists:
		return "not there"
	case h.deleted:
		return fmt.Sprintf("deleted, with tag %s, guests %v, roles %v, keys %v", h.tag, h.guests, h.roles, h.keys)
	}
	return fmt.Sprintf("there, with tag %s, guests %v, roles %v, keys %v", h.tag, h.guests, h.roles, h.keys)
}

// plus and without return a sorted list with one more, or one less.
func plus(list []string, one string) []string {
	more := append(slices.Clone(list), one)
	slices.Sort(more)
	return more
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}

// playUntilKilled goes on until a request gets no answer, and counts those that do.
func (l *landlord) playUntilKilled(ctx context.Context, answers *atomic.Int64) error {
	for len(l.doubts) == 0 {
		if err := l.step(ctx); err != nil {
			return err
		}
		answers.Add(1)
	}
	return nil
}

// step does one deed at random and compares the answer. The error says what is wrong with it; no
// answer at all is no error but a doubt.
func (l *landlord) step(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(l.holdings))
	name := names[rand.IntN(len(names))]
	if _, open := l.doubts[name]; open {
		return nil
	}
	h := l.holdings[name]
	d := l.anyDeed(name, h)
	after, err := d.call(ctx)
	refusal, answered := refusalOf(err)
	switch {
	case err != nil && !answered:
		l.doubts[name] = doubtOf[holding]{d.name, d.after}
		return nil
	case l.full && refusal == unavailable:
		l.refused[d.name]++ // then nothing was done, which the oracle holds it to
		return helpful(err)
	case l.leaving[name] && refusal == "409 VaultAlreadyExists":
		return nil
	case refusal != d.want:
		return fmt.Errorf("%s %s, which is %s: %q (%v), want %q", d.name, name, h, refusal, err, d.want)
	case err == nil:
		l.done[d.name]++
		l.holdings[name] = after
		l.leaving[name] = !after.exists && (l.leaving[name] || l.full && d.name == "purge vault")
	}
	return nil
}

// helpful checks that a refusal says what to do, and when to try again.
func helpful(refusal error) error {
	e, ok := errors.AsType[*azcore.ResponseError](refusal)
	if !ok || e.RawResponse.Header.Get("Retry-After") == "" || !strings.Contains(e.Error(), "ry again") {
		return fmt.Errorf("a refusal that helps nobody: %w", refusal)
	}
	return nil
}
