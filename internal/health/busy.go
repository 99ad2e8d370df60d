package health

import (
	"sync"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// busy knows which looks are under way in this process: one at a time for a root, and so many
// for a tenant that its dead vaults leave slots to others.
type busy struct {
	most int // for one tenant

	mu      sync.Mutex
	roots   map[hierarchy.RootRef]bool // true where the root has become due again meanwhile
	tenants map[string]int
}

// enter begins a look. It is refused where one is under way, which leave will tell of, or where
// the tenant has enough of them.
func (b *busy) enter(ref hierarchy.RootRef) (entered, underWay bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.roots[ref]; ok {
		b.roots[ref] = true
		return false, true
	}
	if b.tenants[ref.Tenant] >= b.most {
		return false, false
	}
	b.roots[ref] = false
	b.tenants[ref.Tenant]++
	return true, false
}

// again has a root looked at once more if a look is under way: it may have begun too early.
func (b *busy) again(ref hierarchy.RootRef) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.roots[ref]; ok {
		b.roots[ref] = true
	}
}

// leave ends a look, and reports whether another one was wanted meanwhile.
func (b *busy) leave(ref hierarchy.RootRef) (again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	again = b.roots[ref]
	delete(b.roots, ref)
	if b.tenants[ref.Tenant]--; b.tenants[ref.Tenant] == 0 {
		delete(b.tenants, ref.Tenant)
	}
	return again
}
