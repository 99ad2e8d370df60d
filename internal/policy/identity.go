package policy

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// resolve returns the policy of a family that identity names: its name in any case of
// letters, its GUID, or the id of one of its generations, past or present (CK-81, CK-126).
// Unknown is fault.NotFound, never all of them.
func (s *Service) resolve(ctx context.Context, tenant string, f Family, identity string) (Policy, error) {
	if identity == "" {
		return Policy{}, fault.New(fault.Invalid, "no policy was named").WithHint("give its name or GUID")
	}
	p, err := s.lookUp(ctx, tenant, f, identity)
	if err == nil && p.Family != f {
		err = notThere()
	}
	if fault.Is(err, fault.NotFound) {
		return Policy{}, s.unknown(ctx, tenant, f, identity)
	}
	return p, err
}

func (s *Service) lookUp(ctx context.Context, tenant string, f Family, identity string) (Policy, error) {
	id, err := uuid.Parse(identity)
	if err != nil {
		return s.c.Store.PolicyNamed(ctx, tenant, f, FoldName(identity))
	}
	p, err := s.c.Store.Policy(ctx, tenant, id.String())
	if !fault.Is(err, fault.NotFound) {
		return p, err
	}
	g, err := s.c.Store.Generation(ctx, tenant, id.String())
	if err != nil {
		return Policy{}, err
	}
	return s.c.Store.Policy(ctx, tenant, g.Policy)
}

func notThere() error { return fault.New(fault.NotFound, "there is no such policy") }

// unknown says that there is no such policy, and which of the tenant's own may be meant.
func (s *Service) unknown(ctx context.Context, tenant string, f Family, identity string) error {
	all, err := s.c.Store.Policies(ctx, tenant, f, maxPolicies)
	if err != nil {
		return err
	}
	e := fault.New(fault.NotFound, "there is no policy %q", clip(identity))
	for _, p := range all {
		if p.Description != "" && strings.EqualFold(p.Description, identity) {
			return e.WithHint("that is the description of the policy %q: use its name", p.Name)
		}
	}
	if near := nearest(identity, all); len(near) > 0 {
		return e.WithHint("perhaps one of these is meant: %s", strings.Join(near, ", "))
	}
	if len(all) == 0 {
		return e.WithHint("there are no %s policies yet: make one with New-%s", f, f.Noun())
	}
	return e.WithHint("Get-%s lists them", f.Noun())
}

// nearest returns up to three names that are a few letters from identity or begin with it.
func nearest(identity string, all []Policy) []string {
	if len(identity) > 4*maxName {
		return nil
	}
	type candidate struct {
		name string
		far  int
	}
	var near []candidate
	want := []rune(FoldName(identity))
	for _, p := range all {
		name := []rune(FoldName(p.Name))
		far := distance(want, name)
		if strings.HasPrefix(string(name), string(want)) {
			far = 0
		}
		if far <= 1+len(want)/4 {
			near = append(near, candidate{p.Name, far})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.far, b.far) })
	var names []string
	for _, c := range near[:min(len(near), 3)] {
		names = append(names, c.name)
	}
	return names
}

// distance returns how many letters must be put in, left out or replaced to get from a to b.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			replace := diagonal
			if x != y {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
