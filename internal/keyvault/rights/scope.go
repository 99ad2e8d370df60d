package rights

import "github.com/customerkey/customerkey/internal/keyvault/naming"

// A Scope is where an action of management takes place and where a role holds: a
// subscription, a resource group of it, a vault of that, or a single key of that. Parts that
// are empty make it wider; none but the last ones may be. Names compare in any case.
type Scope struct {
	Subscription, Group, Vault, Key string
}

// String is the scope as the resource manager writes it.
func (s Scope) String() string {
	id := "/subscriptions/" + s.Subscription
	if s.Group != "" {
		id += "/resourceGroups/" + s.Group
	}
	if s.Vault != "" {
		id += "/providers/Microsoft.KeyVault/vaults/" + s.Vault
	}
	if s.Key != "" {
		id += "/keys/" + s.Key
	}
	return id
}

// Covers reports whether o is s or lies inside it.
func (s Scope) Covers(o Scope) bool {
	within := func(outer, inner string) bool { return outer == "" || naming.Same(outer, inner) }
	return naming.Same(s.Subscription, o.Subscription) && within(s.Group, o.Group) && within(s.Vault, o.Vault) && within(s.Key, o.Key)
}

// folded is the scope in the form in which scopes are compared.
func (s Scope) folded() Scope {
	return Scope{naming.Fold(s.Subscription), naming.Fold(s.Group), naming.Fold(s.Vault), naming.Fold(s.Key)}
}
