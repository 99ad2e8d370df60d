package availability

import (
	"context"
	"time"
)

// Store keeps availability keys, and what they were used for. Errors are faults. Every method is
// one transaction.
type Store interface {
	// AddKey adds k with the next number of its scope, and marks those before it as superseded at
	// k.Created. If the newest there is serves since (see Facts.Serves), it adds nothing and returns
	// that one.
	AddKey(ctx context.Context, k Key, since time.Time) (Key, error)
	// Key returns a key of a tenant or of the forest, destroyed ones too; fault.NotFound if there
	// is none of that id.
	Key(ctx context.Context, tenant, id string) (Key, error)
	// Newest returns the newest key of a scope; fault.NotFound.
	Newest(ctx context.Context, s Scope) (Facts, error)
	// KeysOf returns all keys that a policy has had for itself, by id.
	KeysOf(ctx context.Context, tenant, policy string) ([]Facts, error)
	// DestroyKey empties Sealed and sets Destroyed, unless it is set already.
	DestroyKey(ctx context.Context, tenant, id string, at time.Time) error

	// Old returns living newest keys of their scopes that were made before a time, oldest first,
	// those behind after; the zero Facts is before the first.
	Old(ctx context.Context, before time.Time, after Facts, limit int) ([]Facts, error)
	// Superseded returns living keys that are not the newest of their scopes, by tenant and id,
	// those after a place; "" and "" is before the first.
	Superseded(ctx context.Context, tenant, id string, limit int) ([]Facts, error)
	// AskRenewal notes that keys made before a time are to be replaced; an earlier time than one
	// noted already changes nothing.
	AskRenewal(ctx context.Context, before time.Time) error
	// RenewalAsked returns what AskRenewal noted; zero if there was none.
	RenewalAsked(ctx context.Context) (time.Time, error)

	// AddUse stores a record and counts it on day, or on the policy's last day if that is later.
	// If it is after a denial and the tenant's limit for that day is reached, it stores nothing
	// and returns LimitReached.
	AddUse(ctx context.Context, r Record, day int64) error
	Usage(ctx context.Context, tenant, policy string, day int64) (Usage, error)
	SetLimit(ctx context.Context, tenant, policy string, perDay *int) error
	Uses(ctx context.Context, tenant, policy, before string, limit int) ([]Record, error)
}
