package main

import (
	"context"
	"net/http"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/workload"
)

// openKeys wires the way from the root keys and the availability keys to the keys of containers.
func (n *node) openKeys(context.Context) (err error) {
	n.roots, err = rootkey.New(rootkey.Config{
		Suffixes:   []string{n.host("vault")},
		Credential: n.serviceCredential,
		Request:    hierarchy.RequestID, // one id through both logs
		Transport:  &local{domain: n.domain, handler: n.faces, network: http.DefaultTransport},
	})
	if err != nil {
		return err
	}
	n.wired.availability = availability.Config{
		Store: store.NewAvailability(n.availabilityDB), Seal: n.folder.Seals.Availability, Audit: n.availabilityLog,
	}
	if n.available, err = availability.New(n.wired.availability); err != nil {
		return err
	}
	n.keys, err = hierarchy.New(hierarchy.Config{
		Store:        store.NewHierarchy(n.serviceDB),
		Root:         func(r hierarchy.RootRef) (hierarchy.Root, error) { return n.roots.Key(r.Tenant, r.App, r.URI) },
		Availability: n.available,
		Audit:        n.serviceLog,
		Lease:        n.lease,
		Mixed:        hierarchy.Mixed(n.availability.mixed),
		Hedge:        n.hedging(),
		Saw:          func(ctx context.Context, seen hierarchy.Sight) { n.health.Saw(ctx, seen) },
		Purged:       n.ledger,
		Recoveries:   store.NewRecovery(n.serviceDB),
	})
	return err
}

// openHealth wires the watch over root keys and the alerts about them.
func (n *node) openHealth(context.Context) (err error) {
	n.wired.health = health.Config{
		Store: store.NewHealth(n.serviceDB), Audit: n.serviceLog, Seal: n.folder.Seals.Service, Level: n.recoveryLevel, Roles: n.roles, Log: n.log,
		Way: n.way, Wake: func() { n.alerts.Wake() }, Opened: n.goOn,
		Key: func(r hierarchy.RootRef) (health.Key, error) { return n.roots.Key(r.Tenant, r.App, r.URI) },
	}
	if n.health, err = health.New(n.wired.health); err != nil {
		return err
	}
	n.alerts = n.health.NewDeliverer(n.log)
	return nil
}

func (n *node) openPolicies(context.Context) error {
	purging, err := n.purging()
	if err != nil {
		return err
	}
	n.wired.policies = policy.Config{
		Store: store.NewPolicy(n.serviceDB), Keys: n.keys, Roots: policy.RootsOf(n.roots), Availability: n.available, Audit: n.serviceLog,
		Roles: n.roles, Rule: coverage, RecoveryLevel: n.recoveryLevel, Vault: n.vaultFacts, Geos: n.geos, Enabled: n.enabled,
		Operations: store.NewOperation(n.serviceDB), Safe: []string{workload.Reencryption},
		SharePointAvailability: availability.Kind(n.availability.sharePoint), AvailabilityRoll: n.availability.roll, AvailabilityKeep: n.availability.keep,
		Requests: n.requests, Purging: purging, Recoveries: store.NewRecovery(n.serviceDB),
		RecoverySpan: n.depart.recoverySpan, OffboardSharePoint: n.depart.sharePointLeave,
		Wake: func() { n.operations.Wake() },
	}
	n.policies, err = policy.New(n.wired.policies)
	return err
}

func (n *node) openMailboxes(context.Context) (err error) {
	n.wired.mailboxes = mailbox.Config{
		Store: store.NewMailbox(n.serviceDB), Policies: n.policies, Audit: n.serviceLog, Domain: n.tenantDomain, IgnoreLicences: n.noLicences,
	}
	n.mailboxes, err = mailbox.New(n.wired.mailboxes)
	return err
}

// openItems wires what is sealed: the items of all workloads.
func (n *node) openItems(context.Context) error {
	blobs, err := blob.OpenFolder(n.folder.File("blobs"))
	if err != nil {
		return err
	}
	n.wired.items = workload.Config{
		Store: store.NewWorkload(n.serviceDB), Blobs: store.NewBlobs(blobs), Keys: n.keys, Policies: n.policies, Audit: n.serviceLog,
		People: n.mailboxes.Owner, Rule: coverage, Roles: n.roles,
		Start: func(ctx context.Context, op operation.Operation) (operation.Operation, error) {
			return n.operations.Start(ctx, op)
		},
	}
	n.items, err = workload.New(n.wired.items)
	return err
}

// openOperations wires the long work of all services. It comes after them.
func (n *node) openOperations(context.Context) (err error) {
	handlers := merged(n.policies.Handlers(), n.requests.Handlers(), n.items.Handlers(), n.onboarding.Handlers(n.requests.Handler))
	n.operations, err = operation.New(operation.Config{Store: store.NewOperation(n.serviceDB), Handlers: gatedHandlers(handlers, n.gate), Log: n.log})
	return err
}
