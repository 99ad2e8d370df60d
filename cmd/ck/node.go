package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/certs"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/webhook"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// A node is everything that one server runs: both sides of the wall, wired here and nowhere
// else. Read openNode's list from left to right for how the parts fit.
type node struct {
	settings
	log    *slog.Logger
	folder *datafolder.Folder
	faces  *faces
	certs  *certs.Authority
	events *eventlog.Log // nil if nobody wants records

	noticed chan keyvault.Event // those that are to have records
	strange int                 // availability keys that nobody knows, at the last look

	serviceDB, vaultDB, availabilityDB    *store.DB
	serviceLog, vaultLog, availabilityLog *audit.Log

	elsewhere map[string]string // ids of tenants at the outside issuer, by ours; only where clients sign in there

	directory  *directory.Service
	token      hsm.Token // nil if no module is set up
	vaults     *keyvault.Service
	way        *courier.Client
	deliverer  *webhook.Deliverer
	roots      *rootkey.Client
	available  *availability.Service
	keys       *hierarchy.Keyring
	requests   *request.Service
	onboarding *onboarding.Service
	ledger     *purge.Ledger
	policies   *policy.Service
	mailboxes  *mailbox.Service
	health     *health.Service
	alerts     *health.Deliverer
	operations *operation.Runner
	items      *workload.Service
	wired      wired

	gate    *seal.Gate
	rotator *seal.Rotator
}

// openNode opens the databases in folder and wires the services. It starts no goroutine
// beside those of the databases; run does.
func openNode(ctx context.Context, s settings, folder *datafolder.Folder, log *slog.Logger) (n *node, err error) {
	n = &node{settings: s, folder: folder, log: log, noticed: make(chan keyvault.Event, maxNotices)}
	n.faces = &faces{domain: s.domain}
	n.gate = &n.faces.gate
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close(context.WithoutCancel(ctx)))
		}
	}()
	for _, open := range []func(context.Context) error{
		n.openEvents, n.openDatabases, n.openLogs, n.openDirectory, n.openLedger, n.openVaults,
		n.openRequests, n.openKeys, n.openHealth, n.openPolicies, n.openOnboarding, n.openMailboxes, n.openItems, n.openOperations,
		n.openSeals, n.openFaces,
	} {
		if err := open(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}

// close ends the node in the order opposite to openNode. Closing entries of leases are written
// while the log still takes them.
func (n *node) close(ctx context.Context) error {
	var errs []error
	if n.keys != nil {
		if err := n.keys.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("closing leases: %w", err))
		}
	}
	errs = append(errs, n.closeEvents(ctx))
	if n.token != nil {
		errs = append(errs, n.token.Close())
	}
	for _, db := range []*store.DB{n.serviceDB, n.availabilityDB, n.vaultDB} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
