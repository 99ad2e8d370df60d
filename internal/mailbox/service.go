package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/policy"
)

// Config is what a Service needs.
type Config struct {
	Store    Store           // required
	Policies *policy.Service // required
	Audit    audit.Recorder  // required: changes and refusals are written here first

	// Domain returns the domain in which the names of a tenant's mailboxes end. Required.
	Domain func(ctx context.Context, tenant string) (string, error)

	IgnoreLicences bool             // nobody is asked for a licence (CK-179)
	Now            func() time.Time // time.Now if nil
}

// A Service is the mailboxes of all tenants. It is safe for concurrent use.
type Service struct {
	c    Config
	acts policy.Acts
}

// New returns a Service ready for use. It opens nothing and starts no goroutine.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Policies == nil || c.Audit == nil || c.Domain == nil {
		return nil, errors.New("mailbox: Store, Policies, Audit and Domain are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c, acts: c.Policies}, nil
}

// On returns the service with what it does to policies done on a instead: see
// policy.Service.WhatIf. What it does to mailboxes themselves stays.
func (s *Service) On(a policy.Acts) *Service { return &Service{c: s.c, acts: a} }

// Owner returns the id that owns the mailbox of that name, and is the id of its content: the
// person's, or the mailbox's own. It serves the wiring; so there is no caller and no record.
func (s *Service) Owner(ctx context.Context, tenant, name string) (string, error) {
	m, err := s.c.Store.Mailbox(ctx, tenant, fold(name))
	return m.ID, err
}
