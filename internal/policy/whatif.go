package policy

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/elapsed"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Acts are the changes of policies that can be foreseen. The Service makes them, and so does what
// [Service.WhatIf] hands out, of which nothing stays.
type Acts interface {
	Create(ctx context.Context, caller directory.Caller, d Draft) (Policy, error)
	Update(ctx context.Context, caller directory.Caller, f Family, identity string, c Change) (Policy, error)
	Refresh(ctx context.Context, caller directory.Caller, f Family, identity string) (Policy, error)
	Replace(ctx context.Context, caller directory.Caller, f Family, identity string, uris []string) (Policy, error)
	Assign(ctx context.Context, caller directory.Caller, identity string) error
	SetDefault(ctx context.Context, caller directory.Caller, identity string) error
	AssignTo(ctx context.Context, caller directory.Caller, to Holder, identity string) error
	Reassign(ctx context.Context, caller directory.Caller, from, to string) (int64, error)
	Register(ctx context.Context, caller directory.Caller, geo string, keys [2]RootKey) (GeoStatus, error)
	ChangeRoots(ctx context.Context, caller directory.Caller, geo string, keys [2]*RootKey) (GeoStatus, error)
	RestoreGeo(ctx context.Context, caller directory.Caller, geo string, keys [2]RootKey) (GeoStatus, error)
}

// A Report is what acts would come to, as things stand now.
type Report struct {
	Moving Toll       // stored content that would move to other keys, what was on its way before included
	Moves  []Shift    // the same by where from and where to
	New    []Standing // what would come into force, or go out of it (Policy ""): new content goes by it
	Kept   []string   // versions of root keys that are needed, and stay so
	Taken  []string   // those that would be needed from now on
	Freed  []string   // those that nothing would need once everything has moved; until then they are needed
}

// A Shift is container keys of a workload that would move.
type Shift struct {
	Workload, Geo string
	From, To      string // policies, by name; the same for another generation of one
	Keys          int64
}

// WhatIf lets acts happen on a view of the tenant's rows of which nothing stays, and reports what
// they would come to. They are the same acts, by the same code and on the real rows, in a
// transaction that is undone: what they refuse there they would refuse here, with the same fault.
// Two things they cannot know: whether a vault that answers about its keys would also wrap with
// them, for no vault wraps; and what others change meanwhile. Refusals are recorded as always;
// what is allowed is not, for it does not happen.
func (s *Service) WhatIf(ctx context.Context, caller directory.Caller, act func(Acts) error) (Report, error) {
	return s.foresee(ctx, caller.Tenant, nil, func(on *Service) error { return act(on) })
}

// foresee is WhatIf for acts that are not in [Acts]; leaves is that of the Prospect after it.
func (s *Service) foresee(ctx context.Context, tenant string, leaves func(Prospect, Usage) bool, act func(*Service) error) (Report, error) {
	before, err := s.c.Store.Prospect(ctx, tenant)
	if err != nil {
		return Report{}, err
	}
	view := &view{Store: s.c.Store, after: before, edited: map[string]Policy{}}
	c := s.c
	c.Store, c.Keys, c.Audit, c.Wake = view, &unmade{s.c.Keys, s}, audit.OnView(s.c.Audit), func() {}
	if err := act(&Service{c: c, view: true, watch: elapsed.New(nil), lost: new(lookAgain)}); err != nil {
		return Report{}, err
	}
	view.after.Leaves = leaves
	return s.report(ctx, tenant, before, view)
}

func (s *Service) report(ctx context.Context, tenant string, before Prospect, v *view) (Report, error) {
	held, err := s.c.Store.Held(ctx, tenant, v.given)
	if err != nil {
		return Report{}, err
	}
	names, err := s.names(ctx, tenant, v)
	if err != nil {
		return Report{}, err
	}
	after := v.after
	moving := func(u Usage) bool {
		home := after.home(s.c.Rule, u)
		return home != "" && home != u.Generation
	}
	r := Report{Moving: held.toll(after.Usage, moving), New: differing(before.InForce, after.InForce)}
	for i, at := range r.New {
		r.New[i].Policy = names[at.Policy]
	}
	r.Moves = s.shifts(after, names, moving)
	r.Kept, r.Taken, r.Freed = fates(before, after, s.c.Rule)
	return r, nil
}

// shifts adds up what moves by where from and where to.
func (s *Service) shifts(p Prospect, names map[string]string, moving func(Usage) bool) (list []Shift) {
	keys := map[Shift]int64{}
	for _, u := range p.Usage {
		if moving(u) {
			to := p.belongs(s.c.Rule, u)
			keys[Shift{Workload: u.Workload, Geo: u.Geo, From: names[u.Policy], To: names[to]}] += u.Keys
		}
	}
	for _, shift := range slices.SortedFunc(maps.Keys(keys), compareShifts) {
		shift.Keys = keys[shift]
		list = append(list, shift)
	}
	return list
}

// fates sorts the versions of root keys that are needed now, or as soon as the edits are made, by
// whether they are once everything has moved.
func fates(before, after Prospect, rule func(string) Rule) (kept, taken, freed []string) {
	now, then := before.needs(), after.needsThen(rule)
	for kid := range then {
		if now[kid] {
			kept = append(kept, kid)
		} else {
			taken = append(taken, kid)
		}
	}
	maps.Copy(now, after.needs())
	for kid := range now {
		if !then[kid] {
			freed = append(freed, kid)
		}
	}
	for _, list := range [][]string{kept, taken, freed} {
		slices.Sort(list)
	}
	return kept, taken, freed
}

func compareShifts(a, b Shift) int {
	return cmp.Or(strings.Compare(a.Workload, b.Workload), strings.Compare(a.Geo, b.Geo), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
}

// names returns the names of the tenant's policies by id, those that would be made included.
func (s *Service) names(ctx context.Context, tenant string, v *view) (map[string]string, error) {
	all, err := s.everyPolicy(ctx, tenant)
	names := map[string]string{}
	for _, p := range all {
		names[p.ID] = p.Name
	}
	for id, p := range v.edited {
		names[id] = p.Name
	}
	return names, err
}

// differing returns what comes into force, and what goes out of it without anything in its place.
func differing(before, after []Standing) (list []Standing) {
	for _, at := range after {
		if inForce(before, at.Family, at.Geo).Policy != at.Policy {
			list = append(list, at)
		}
	}
	for _, at := range before {
		if inForce(after, at.Family, at.Geo).Policy == "" {
			list = append(list, Standing{Family: at.Family, Geo: at.Geo})
		}
	}
	return list
}

// A view is a store on which edits leave no trace. It is for one goroutine.
type view struct {
	Store
	edits  []Edit
	edited map[string]Policy // by id
	given  Edit              // the last that gave containers policies of their own
	after  Prospect
}

// Policy implements Store: as the edits have left it.
func (v *view) Policy(ctx context.Context, tenant, id string) (Policy, error) {
	if p, ok := v.edited[id]; ok && p.Tenant == tenant {
		return p, nil
	}
	return v.Store.Policy(ctx, tenant, id)
}

// PolicyNamed implements Store: as the edits have left it.
func (v *view) PolicyNamed(ctx context.Context, tenant string, f Family, key string) (Policy, error) {
	for _, p := range v.edited {
		if p.Tenant == tenant && p.Family == f && FoldName(p.Name) == key {
			return p, nil
		}
	}
	p, err := v.Store.PolicyNamed(ctx, tenant, f, key)
	if _, renamed := v.edited[p.ID]; renamed && err == nil {
		return Policy{}, notThere()
	}
	return p, err
}

// Apply implements Store: all edits so far are made, looked at, and undone.
func (v *view) Apply(ctx context.Context, e Edit) error {
	if e.Policy != nil {
		p := *e.Policy // the caller goes on with its own
		e.Policy = &p
	}
	after, err := v.Foresee(ctx, e.Tenant, append(v.edits, e))
	if err != nil {
		return err
	}
	v.edits, v.after = append(v.edits, e), after
	if e.Reassignment != nil || e.Assignment != nil && e.Assignment.Container != "" {
		v.given = e
	}
	if e.Policy != nil {
		p := *e.Policy
		p.Revision++
		v.edited[p.ID] = p
	}
	return nil
}

// RaiseProgress implements Store.
func (v *view) RaiseProgress(context.Context, string, string, int) error { return nil }

// unmade makes generations that no key belongs to: their rows say which versions of the roots they
// would be under.
type unmade struct {
	Keys
	s *Service
}

// NewGeneration implements Keys. It asks the vaults which versions of their keys are the newest.
func (k *unmade) NewGeneration(ctx context.Context, _ directory.Caller, tenant, policy string, number int, refs [2]hierarchy.RootRef, availabilityKey string) (hierarchy.Generation, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return hierarchy.Generation{}, fault.Wrap(fault.Unavailable, err, "no random number for the generation's id")
	}
	g := hierarchy.Generation{
		Tenant: tenant, ID: id.String(), Policy: policy, Number: number, State: hierarchy.Active, AvailabilityKey: availabilityKey,
		AvailabilityWrapped: []byte{}, Commitment: []byte{}, Created: k.s.now(),
	}
	for i, ref := range refs {
		facts, err := k.s.c.Roots.Inspect(ctx, ref.Tenant, ref.App, ref.URI)
		if err != nil {
			return g, err
		}
		g.Roots[i] = hierarchy.RootCopy{Ref: ref, KeyID: facts.KeyID, Wrapped: []byte{}}
	}
	return g, nil
}

// NewHedged implements Keys.
func (k *unmade) NewHedged(ctx context.Context, caller directory.Caller, tenant, policy string, number int, refs [2]hierarchy.RootRef, availabilityKey string) (hierarchy.Generation, error) {
	return k.NewGeneration(ctx, caller, tenant, policy, number, refs, availabilityKey)
}

// Restore implements Keys: the same generation, under the newest versions of other roots.
func (k *unmade) Restore(ctx context.Context, caller directory.Caller, g hierarchy.Generation, refs [2]hierarchy.RootRef) (hierarchy.Generation, error) {
	made, err := k.NewGeneration(ctx, caller, g.Tenant, g.Policy, g.Number, refs, g.AvailabilityKey)
	g.Roots = made.Roots
	return g, err
}

// Drop implements Keys: what is held stays.
func (k *unmade) Drop(string, string) {}
