package health

import (
	"cmp"
	"context"
	"sync"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Test looks at the root keys of the policies that q names now, and returns how they are then
// (CK-102). What it finds counts as every look does.
func (s *Service) Test(ctx context.Context, c directory.Caller, q Query) ([]Report, error) {
	object := cmp.Or(q.Identity, "policies of the family "+string(q.Family))
	if err := s.authorize(ctx, c, Test, object, nil); err != nil {
		return nil, err
	}
	before, err := s.Reports(ctx, c, q)
	if err != nil {
		return nil, err
	}
	if err := s.testAll(ctx, before); err != nil {
		return nil, err
	}
	return s.Reports(ctx, c, q)
}

// testAll looks at the roots of reports, as many at a time as there are slots.
func (s *Service) testAll(ctx context.Context, reports []Report) error {
	var work sync.WaitGroup
	var mu sync.Mutex
	var first error
	seen := map[hierarchy.RootRef]bool{}
	for _, r := range reports {
		for _, root := range r.Roots {
			if seen[root.Ref] {
				continue
			}
			seen[root.Ref] = true
			work.Go(func() {
				if err := s.testOne(ctx, root.Root); err != nil {
					mu.Lock()
					defer mu.Unlock()
					if first == nil {
						first = err
					}
				}
			})
		}
	}
	work.Wait()
	return first
}

func (s *Service) testOne(ctx context.Context, r Root) error {
	select {
	case s.tests <- struct{}{}:
		defer func() { <-s.tests }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.check(ctx, r, true)
}
