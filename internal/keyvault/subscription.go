package keyvault

import "time"

// A Subscription is what vaults are paid with and owned through. It belongs to one tenant.
type Subscription struct {
	ID          string // a GUID
	Tenant      string
	DisplayName string
	Owner       string // object id of the person who manages its vaults
	Protected   bool   // registered for mandatory retention (KV-127)
	Created     time.Time
}

// A Group is a resource group: a name under which a subscription's vaults are sorted.
type Group struct {
	Tenant, Subscription, Name string
	Location                   string
	Tags                       map[string]string
	Created                    time.Time
}
