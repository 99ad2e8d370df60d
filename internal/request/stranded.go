package request

import (
	"context"
	"slices"
)

// Stranded returns those of a tenant's requests of a family that wait for an officer and that no
// officer could approve any more if somebody, by object id, were none. One that nobody could approve
// anyway is not among them; one that needs an officer or an operator is: the operator is left.
// It serves whoever changes officers: nobody's rights are looked at.
func (s *Service) Stranded(ctx context.Context, tenant, family, person string) (list []Request, err error) {
	officers, err := s.officersOf(ctx, tenant, family)
	if err != nil {
		return nil, err
	}
	could := func(r Request, but string) bool {
		return slices.ContainsFunc(officers, func(o Officership) bool {
			given := slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.By.is(o.Person) })
			return o.Person.ID != but && !given && !o.Person.is(r.AskedBy)
		})
	}
	for after := ""; ; {
		page, err := s.c.Store.Requests(ctx, tenant, after, false, onePage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			after = r.ID
			waits := r.Unreadable == nil && r.Family == family && slices.Contains(r.Missing(), Officer) && s.now().Before(r.Expires)
			if waits && could(r, "") && !could(r, person) {
				list = append(list, r)
			}
		}
		if len(page) < onePage {
			return list, nil
		}
	}
}
