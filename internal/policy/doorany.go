package policy

import (
	"context"
	"slices"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// allowed returns the families of the customer's policies with which the caller may do it: any,
// or f alone if it is given. If there is none it refuses, and records that.
func (s *Service) allowed(ctx context.Context, caller directory.Caller, f Family, do Action, object string) ([]Family, error) {
	may := slices.DeleteFunc(slices.Clone(families), func(other Family) bool {
		return f != "" && other != f || !s.c.Roles.Allow(caller.Roles, other, do)
	})
	if caller.Kind == directory.System || len(may) == 0 {
		return nil, s.check(ctx, caller, MultiWorkload, do, object)
	}
	return may, s.check(ctx, caller, may[0], do, object)
}

// enterAny is enter for a policy of whichever family the caller may do it with, or of f alone if it
// is given. Names are unique in a family only: one that several have is refused.
func (s *Service) enterAny(ctx context.Context, caller directory.Caller, f Family, do Action, identity string, detail map[string]string) (Policy, error) {
	may, err := s.allowed(ctx, caller, f, do, clip(identity))
	if err != nil {
		return Policy{}, err
	}
	var found []Policy
	var unknown error
	for _, f := range may {
		p, err := s.resolve(ctx, caller.Tenant, f, identity)
		switch {
		case err == nil:
			found = append(found, p)
		case !fault.Is(err, fault.NotFound):
			return Policy{}, err
		case unknown == nil:
			unknown = err
		}
	}
	switch len(found) {
	case 0:
		return Policy{}, unknown
	case 1:
		p, err := s.settlePurge(ctx, found[0])
		if err != nil {
			return Policy{}, err
		}
		return p, s.permit(ctx, caller, do, found[0].ID, detail)
	}
	return Policy{}, fault.New(fault.Invalid, "there is a policy %q in %d families", clip(identity), len(found)).
		WithHint("name it by its GUID: %s (%s) or %s (%s)", found[0].ID, found[0].Family, found[1].ID, found[1].Family)
}

// Find returns the policy that identity names, of whichever family the caller may read.
func (s *Service) Find(ctx context.Context, caller directory.Caller, identity string) (Policy, error) {
	return s.enterAny(ctx, caller, "", Read, identity, nil)
}

func limitDetail(perDay *int) map[string]string {
	if perDay == nil {
		return map[string]string{"perDay": "unlimited"}
	}
	return map[string]string{"perDay": strconv.Itoa(*perDay)}
}
