package availability

import (
	"context"
	"time"
)

// Old returns living keys that were made before a time and are the newest of their scopes, oldest
// first, those behind after: those that a schedule would replace. It is for the service's own work.
func (s *Service) Old(ctx context.Context, before time.Time, after Facts, limit int) ([]Facts, error) {
	return s.c.Store.Old(ctx, before, after, limit)
}

// Superseded returns living keys that are not the newest of their scopes any more, those behind
// after; the zero Facts is before the first. It is for the service's own work.
func (s *Service) Superseded(ctx context.Context, after Facts, limit int) ([]Facts, error) {
	return s.c.Store.Superseded(ctx, after.Tenant, after.ID, limit)
}

// AskRenewal notes for ever that all keys made before now are to be replaced. Whether the caller
// may ask for it is checked and recorded above.
func (s *Service) AskRenewal(ctx context.Context) error { return s.c.Store.AskRenewal(ctx, s.now()) }

// RenewalAsked returns when AskRenewal was called last; zero if never.
func (s *Service) RenewalAsked(ctx context.Context) (time.Time, error) {
	return s.c.Store.RenewalAsked(ctx)
}
