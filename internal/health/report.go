package health

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// A Report is how a policy is, and each root key that its generations need.
type Report struct {
	PolicyName
	State   State
	Since   time.Time // zero while Unknown
	Message string    // what is wrong; "" if nothing is
	Roots   []RootReport
}

// A RootReport is how a root key of a policy is.
type RootReport struct {
	Root
	Key     string // "contoso-east/root1"
	InUse   string // id of the version that new content is under; "" if only older content needs the key
	Current bool   // a root of the policy as it is now; else content that has not moved yet needs it
}

// A Query says which policies are meant. The zero Query means all that the caller may read.
type Query struct {
	Family   policy.Family // "": all of them
	Identity string        // name in any case, GUID, or id of a generation; "": all
}

// Reports tells how the policies of the caller's tenant are, by family and name. It is
// fault.NotFound if the query names a policy that is not there.
func (s *Service) Reports(ctx context.Context, c directory.Caller, q Query) ([]Report, error) {
	if err := s.authorize(ctx, c, Read, "policies", nil); err != nil {
		return nil, err
	}
	p, err := s.c.Store.Picture(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	var all []Report
	for _, u := range p.Uses {
		if !s.mayRead(c, u.Family) || !q.names(u) {
			continue
		}
		if !slices.ContainsFunc(all, func(r Report) bool { return r.ID == u.Policy }) {
			all = append(all, s.report(p, u))
		}
	}
	if len(all) == 0 && q.Identity != "" {
		return nil, fault.New(fault.NotFound, "there is no policy %q", clip(q.Identity)).
			WithHint("Get-CKKeyHealth without -Identity lists those that there are")
	}
	return all, nil
}

// names reports whether a use is of a policy that the query means.
func (q Query) names(u Use) bool {
	if q.Family != "" && q.Family != u.Family {
		return false
	}
	if q.Identity == "" || policy.FoldName(q.Identity) == policy.FoldName(u.Name) {
		return true
	}
	id, err := uuid.Parse(q.Identity)
	return err == nil && (id.String() == u.Policy || id.String() == u.Generation)
}

// report describes the policy that a use is of.
func (s *Service) report(p Picture, first Use) Report {
	was := p.policy(first.Policy)
	state, why := s.judge(p.Uses, first.Policy, p.at)
	r := Report{PolicyName: PolicyName{first.Policy, first.Name, first.Family}, State: state, Since: was.Since, Message: why.Message}
	if was.State != state { // not looked at since: it cannot have been so for longer than its roots
		r.Since = time.Time{}
	}
	seen := map[hierarchy.RootRef]bool{}
	for _, u := range p.Uses {
		if u.Policy != first.Policy {
			continue
		}
		for i, ref := range u.Roots {
			if seen[ref] {
				continue
			}
			seen[ref] = true
			one := p.at(ref)
			report := RootReport{Root: one, Key: short(ref.URI), Current: u.Active}
			if u.Active {
				report.InUse = u.KeyIDs[i]
			}
			if was.State != state && one.Since.After(r.Since) {
				r.Since = one.Since
			}
			r.Roots = append(r.Roots, report)
		}
	}
	return r
}

// History returns the last changes of the caller's tenant that concern policies which the caller
// may read, the newest first, at most limit.
func (s *Service) History(ctx context.Context, c directory.Caller, q Query, limit int) ([]Change, error) {
	reports, err := s.Reports(ctx, c, q)
	if err != nil {
		return nil, err
	}
	all, err := s.c.Store.Newest(ctx, c.Tenant, MaxChanges)
	if err != nil {
		return nil, err
	}
	for i := range all { // a root key may serve policies that are not for the caller to know
		all[i].Policies = slices.DeleteFunc(all[i].Policies, func(n PolicyName) bool {
			return !slices.ContainsFunc(reports, func(r Report) bool { return r.ID == n.ID })
		})
	}
	kept := slices.DeleteFunc(all, func(ch Change) bool { return len(ch.Policies) == 0 })
	return kept[:min(len(kept), max(limit, 0))], nil
}
