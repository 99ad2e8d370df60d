package main

import (
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// wired are the settings that the services were made with.
type wired struct {
	availability availability.Config
	requests     request.Config
	health       health.Config
	policies     policy.Config
	onboarding   onboarding.Config
	mailboxes    mailbox.Config
	items        workload.Config
}

// foreseen returns the same services over views of the databases, for one command under -WhatIf:
// what they change stays nowhere, what they refuse is recorded, what they allow is not. No webhook
// is greeted, no key is dropped from memory, and nobody is woken.
func (n *node) foreseen() (s service.Services, err error) {
	db, spare := n.serviceDB.Undone(), n.availabilityDB.Undone()
	recorder, asleep, c := audit.OnView(n.serviceLog), func() {}, n.wired
	s.Tenant = n.tenantNamed

	c.requests.Store, c.requests.Audit, c.requests.Wake = store.NewRequest(db), recorder, asleep
	if s.Requests, err = request.New(c.requests); err != nil {
		return s, err
	}
	c.health.Store, c.health.Audit, c.health.Wake, c.health.Opened, c.health.Unasked = store.NewHealth(db), recorder, asleep, nil, true
	if s.Health, err = health.New(c.health); err != nil {
		return s, err
	}
	if c.policies, err = foreseenPolicies(c, db, spare, s.Requests, recorder, audit.OnView(n.availabilityLog)); err != nil {
		return s, err
	}
	if s.Policies, err = policy.New(c.policies); err != nil {
		return s, err
	}
	c.onboarding.Store, c.onboarding.Audit, c.onboarding.Requests = store.NewOnboarding(db), recorder, s.Requests
	if s.Onboarding, err = onboarding.New(c.onboarding); err != nil {
		return s, err
	}
	c.mailboxes.Store, c.mailboxes.Audit, c.mailboxes.Policies = store.NewMailbox(db), recorder, s.Policies
	if s.Mailboxes, err = mailbox.New(c.mailboxes); err != nil {
		return s, err
	}
	runner, err := operation.New(operation.Config{Store: store.NewOperation(db)}) // which never runs
	if err != nil {
		return s, err
	}
	c.items.Store, c.items.Audit, c.items.Policies, c.items.Start = store.NewWorkload(db), recorder, s.Policies, runner.Start
	s.Items, err = workload.New(c.items)
	return s, err
}

// foreseenPolicies is how package policy works on views of both databases.
func foreseenPolicies(c wired, db, spare *store.DB, requests *request.Service, recorder, spareRecorder audit.Recorder) (policy.Config, error) {
	p := c.policies
	c.availability.Store, c.availability.Audit = store.NewAvailability(spare), spareRecorder
	available, err := availability.New(c.availability)
	if err != nil {
		return p, err
	}
	p.Store, p.Operations, p.Availability, p.Audit, p.Requests = store.NewPolicy(db), store.NewOperation(db), available, recorder, requests
	p.Keys, p.Recoveries, p.Wake = kept{p.Keys}, store.NewRecovery(db), func() {}
	purging := *p.Purging
	purging.Store, purging.Request, purging.Shredder = store.NewPurge(db), store.NewRequest(db).Request, available
	p.Purging = &purging
	return p, nil
}

// kept is a keyring whose held keys stay.
type kept struct{ policy.Keys }

// Drop implements policy.Keys.
func (kept) Drop(string, string) {}
