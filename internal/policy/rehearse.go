package policy

import (
	"context"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Rehearse is trying out what happens to content when root keys go.
const Rehearse Action = "policy.rehearse"

// A Scenario is what is rehearsed.
type Scenario string

// Scenarios.
const (
	RevokeRoot Scenario = "RevokeRoot" // one root is closed to the service, whichever
	RevokeBoth Scenario = "RevokeBoth"
	LoseRoot   Scenario = "LoseRoot" // one root is deleted, whichever
	LoseBoth   Scenario = "LoseBoth"
	PurgeAll   Scenario = "Purge" // both are gone, and the service destroys its part
)

// Scenarios are all of them.
var Scenarios = []Scenario{RevokeRoot, RevokeBoth, LoseRoot, LoseBoth, PurgeAll}

// An Outcome is what a rehearsal has shown for what lies under one generation of the policy.
type Outcome struct {
	Scenario   Scenario
	Policy     string // name
	Generation int
	Under      Toll // what lies under it

	Users       bool          // people can go on reading and writing
	Until       time.Duration // if not: how long keys that are held still open content, at most
	Service     bool          // the service's own work can go on: moving content to other keys
	ByAvailable bool          // by the availability key
	Destroyed   bool          // for good
	Recovery    []string      // what can be done about it, the first first
}

// Rehearse plays what would happen to the content of the policy that identity names if its root
// keys were taken back, lost, or if it were purged. For each generation that is not destroyed the
// real Keyring, under the rules of the policy's family, opens a twin on a stage: its own policy key,
// roots that refuse as the scenario says, an availability key in the state of the real one. The vaults
// are not asked, the real keys are not touched, and nothing changes but that the log says that it was
// rehearsed.
func (s *Service) Rehearse(ctx context.Context, caller directory.Caller, identity string, sc Scenario) (outcomes []Outcome, err error) {
	if !slices.Contains(Scenarios, sc) {
		return nil, fault.New(fault.Invalid, "there is no scenario %q", clip(string(sc))).WithHint("there are %v", Scenarios)
	}
	p, err := s.enterAny(ctx, caller, "", Rehearse, identity, map[string]string{"scenario": string(sc)})
	if err != nil {
		return nil, err
	}
	view, err := s.c.Store.Prospect(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	held, err := s.c.Store.Held(ctx, p.Tenant, Edit{})
	if err != nil {
		return nil, err
	}
	for _, g := range view.Live {
		if g.Policy != p.ID {
			continue
		}
		o := Outcome{Scenario: sc, Policy: p.Name, Generation: g.Number}
		o.Under = held.toll(view.Usage, func(u Usage) bool { return u.Generation == g.ID })
		if err := s.play(ctx, caller, g, &o); err != nil {
			return nil, err
		}
		o.Recovery = s.wayOut(p, o)
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// play lets each way in which the scenario can happen happen. What holds for all of them is what
// can be relied on.
func (s *Service) play(ctx context.Context, caller directory.Caller, g hierarchy.Generation, o *Outcome) error {
	o.Users, o.Service, o.Destroyed = true, true, o.Scenario == PurgeAll
	for _, refused := range refusalsOf(o.Scenario) {
		play := hierarchy.Play{Refused: refused}
		if err := s.spareOf(ctx, caller, g, o.Scenario, &play); err != nil {
			return err
		}
		users, service, err := s.c.Keys.Opens(ctx, g, play)
		if err != nil {
			return err
		}
		o.Users, o.Service = o.Users && users, o.Service && service
	}
	if !o.Users {
		o.Until = s.c.Keys.Life(g.Unwrapping)
		o.ByAvailable = o.Service
	}
	return nil
}

// refusalsOf returns what the two roots answer, in each way in which the scenario can happen.
func refusalsOf(sc Scenario) [][2]error {
	closed := fault.New(fault.Denied, "closed to the service").WithReason("AccessDenied")
	gone := fault.New(fault.Denied, "deleted").WithReason("KeyNotFound")
	switch sc {
	case RevokeRoot:
		return [][2]error{{closed, nil}, {nil, closed}}
	case RevokeBoth:
		return [][2]error{{closed, closed}}
	case LoseRoot:
		return [][2]error{{gone, nil}, {nil, gone}}
	}
	return [][2]error{{gone, gone}}
}

// spareOf plays the availability key of a generation in the state of the real one.
func (s *Service) spareOf(ctx context.Context, caller directory.Caller, g hierarchy.Generation, sc Scenario, play *hierarchy.Play) error {
	facts, err := s.c.Availability.Facts(ctx, caller, g.Tenant, g.AvailabilityKey)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && !facts.Destroyed.IsZero() || sc == PurgeAll:
		play.Spare = fault.New(fault.NotFound, "the availability key is destroyed")
	case err != nil:
		return err
	}
	usage, err := s.c.Availability.Usage(ctx, g.Tenant, g.Policy)
	play.Limited = usage.PerDay != nil && usage.DenialsToday >= int64(*usage.PerDay)
	return err
}

// wayOut says what can be done about an outcome.
func (s *Service) wayOut(p Policy, o Outcome) (ways []string) {
	if o.Destroyed {
		return []string{"none: a purge cannot be undone"}
	}
	switch o.Scenario {
	case RevokeRoot, RevokeBoth:
		ways = append(ways, "give the service the use of the root key again: what is refused opens at once")
	default:
		ways = append(ways, "recover the deleted key, as long as its vault keeps it: 90 days unless the vault says otherwise", "restore the key from a backup")
	}
	switch {
	case o.Users:
		ways = append(ways, "meanwhile everything goes on by the other root key; put another in place of the lost one")
	case o.Service && p.Family == Mailbox:
		ways = append(ways, "move the mailboxes to a policy with other root keys: Move-CKMailboxPolicy")
	case o.Service:
		ways = append(ways, "assign a policy with other root keys: the service moves content to it by the availability key")
	}
	if !o.Users && s.c.Recoveries != nil {
		ways = append(ways, "have content opened by the availability key for a while, if it still exists: Request-CKRecovery")
	}
	return ways
}
