package policy

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// ReasonReachable is the reason of a purge that is refused because the service may still use a
// root.
const ReasonReachable = "CK-173"

// liveOf returns the generations of a policy that are not destroyed, oldest first.
func (s *Service) liveOf(ctx context.Context, p Policy) ([]hierarchy.Generation, error) {
	live, err := s.c.Store.LiveGenerations(ctx, p.Tenant)
	return slices.DeleteFunc(live, func(g hierarchy.Generation) bool { return g.Policy != p.ID }), err
}

// cutOff refuses unless every root of the policy refuses the service: that the keepers of both
// vaults have taken the permission away is how they agree (CK-173, CK-255, X-17).
func (s *Service) cutOff(ctx context.Context, caller directory.Caller, p Policy, force bool) error {
	live, err := s.liveOf(ctx, p)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, g := range slices.Backward(live) {
		if asked[g.Roots[0].Ref.URI] && asked[g.Roots[1].Ref.URI] {
			continue
		}
		probes, err := s.c.Keys.Probe(ctx, caller, g)
		if err != nil {
			return err
		}
		for _, probe := range probes {
			asked[probe.Ref.URI] = true
			for _, answer := range []error{probe.Unwrap, probe.Wrap} {
				if err := s.refuses(probe.Ref.URI, answer, force); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// gone are the reasons for which a root cannot be asked any more, rather than being asked and
// refusing: then only -Force goes on.
var gone = []string{"VaultNotFound", "KeyNotFound", "SubscriptionDisabled", "HostNotFound"}

// refuses returns nil if what a root answered proves that the service may not use it. A key that
// is disabled, expired, or behind a firewall is closed for now, which is no proof: the
// permission may still be there.
func (s *Service) refuses(uri string, answer error, force bool) error {
	short := root{uri: uri}
	if canonical, vault, err := s.c.Roots.Parse(uri); err == nil {
		short = root{canonical, vault}
	}
	f := fault.As(answer)
	switch {
	case answer == nil || f.Reason == hierarchy.ReasonWrongKey:
		return fault.New(fault.Conflict, "the service can still use root key %s", short.short()).WithReason(ReasonReachable).
			WithHint("have the keepers of both vaults remove its permissions first: Remove-AzKeyVaultAccessPolicy")
	case f.Reason == "AccessDenied":
		return nil
	case slices.Contains(gone, f.Reason) && force:
		return nil
	case slices.Contains(gone, f.Reason):
		return fault.Wrap(fault.Conflict, answer, "root key %s is gone, so it cannot be seen whether the service was shut out", short.short()).
			WithReason(ReasonReachable).WithHint("if its vault was deleted on purpose, say so with -Force")
	case f.Code == fault.Denied:
		return fault.Wrap(fault.Conflict, answer, "root key %s is closed, but the service may still have the permission to use it", short.short()).
			WithReason(ReasonReachable).WithHint("have the keepers of both vaults remove its permissions first: Remove-AzKeyVaultAccessPolicy")
	}
	return fault.Wrap(fault.Unavailable, answer, "root key %s cannot be asked now", short.short()).WithReason(f.Reason).
		WithHint("try again when its vault can be reached: a purge needs to see that the service was shut out")
}
