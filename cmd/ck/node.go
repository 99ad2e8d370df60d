package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/certs"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
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
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/workload"
)

// settings are what the flags of ck serve decide.
type settings struct {
	domain        string        // without port
	port          int           //
	lease         time.Duration // how long a policy key is held without asking a root again
	recoveryLevel string        // what root keys must have at least (CK-168, X-12)
	fileKeys      fileKeySettings
	throttle      *throttle.Throttle
	noLicences    bool      // mailbox policies are assigned without asking for licences (CK-179)
	approveByRule bool      // requests to register for mandatory retention are approved at once
	eventFolder   string    // where records of requests to vaults go; nowhere if ""
	eventLines    io.Writer // where they go as lines; nowhere if nil
	tokens        tokenSettings
	depart        departSettings
	roles         policy.Roles      // who may do what with policies
	webhooks      courier.Allowance // what webhooks may reach beyond the internet at large
	hardware      hardwareSettings
	availability  availabilitySettings
	onboarded     onboardingSettings
	exchange      exchangeSettings
}

// host returns name.domain:port as URLs carry it; the port is left out where https implies it.
func (s settings) host(name string) string {
	host := s.domain
	if name != "" {
		host = name + "." + s.domain
	}
	if s.port == 443 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(s.port))
}

// url returns the base URL of a face.
func (s settings) url(name string) string { return "https://" + s.host(name) }

// A node is everything that one server runs: both sides of the wall, wired here and nowhere
// else. Read open from top to bottom for how the parts fit.
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
		n.openEvents, n.openDatabases, n.openLogs, n.openDirectory, n.openLedger, n.openVaults, n.openRequests, n.openService, n.openSeals, n.openFaces,
	} {
		if err := open(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (n *node) openDatabases(ctx context.Context) (err error) {
	if n.serviceDB, err = store.OpenSQLite(ctx, n.folder.File("service.db"), store.ServiceAreas()...); err != nil {
		return err
	}
	if n.vaultDB, err = store.OpenSQLite(ctx, n.folder.File("vault.db"), store.VaultAreas()...); err != nil {
		return err
	}
	n.availabilityDB, err = store.OpenSQLite(ctx, n.folder.File("availability.db"), store.AvailabilityAreas()...)
	return err
}

// openLogs opens one log for each database: an entry and the change that it announces lie on
// the same side of the wall, and each log has a signing key of its own.
func (n *node) openLogs(context.Context) (err error) {
	seals := n.folder.Seals
	open := func(name string, db *store.DB, seal func() ([]byte, error)) (*audit.Log, error) {
		seed, err := seal()
		if err != nil {
			return nil, err
		}
		return audit.New(audit.Config{Store: store.NewAudit(db), Key: ed25519.NewKeyFromSeed(seed), Name: name})
	}
	if n.serviceLog, err = open("service", n.serviceDB, func() ([]byte, error) { return n.folder.Secret("log-service", seals.Service, newSeed) }); err != nil {
		return err
	}
	if n.vaultLog, err = open("vault", n.vaultDB, func() ([]byte, error) { return n.folder.Secret("log-vault", seals.Vault, newSeed) }); err != nil {
		return err
	}
	n.availabilityLog, err = open("availability", n.availabilityDB, func() ([]byte, error) {
		return n.folder.Secret("log-availability", seals.Availability, newSeed)
	})
	return err
}

func newSeed() ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return seed, nil
}

func (n *node) openDirectory(context.Context) (err error) {
	codes, err := n.userCodes()
	if err != nil {
		return err
	}
	n.directory, err = directory.New(directory.Config{
		Store:  store.NewDirectory(n.serviceDB),
		Seal:   n.folder.Seals.Service,
		Codes:  codes,
		Record: n.recordSignIn,
		Issuer: n.url("sts") + "/",
		Login:  n.url("login"),
		Audiences: []string{
			n.url("api"), n.url("graph"), n.url("management"), n.url("outlook"), n.url("vault"),
			"https://vault.azure.net", "https://management.azure.com", "https://management.core.windows.net", "https://outlook.office365.com",
		},
		KeyLife: n.tokens.keyLife,
		Poll:    time.Second,
	})
	return err
}

// userCodes returns the key under which the codes of waiting sign-ins are hashed. It is not
// derived from the seal: codes that wait while that is renewed must still be found.
func (n *node) userCodes() (envelope.Key, error) {
	secret, err := n.folder.Secret("user-codes", n.folder.Seals.Service, func() ([]byte, error) { return envelope.NewKey().Expose(), nil })
	if err != nil {
		return envelope.Key{}, err
	}
	defer clear(secret)
	return envelope.KeyFromBytes(secret)
}

// recordSignIn puts what the directory decides into the tenant's log. The directory cannot
// import package audit, which knows callers and so imports the directory.
func (n *node) recordSignIn(ctx context.Context, tenant string, c directory.Caller, action, object, decision string, detail map[string]string) error {
	return n.serviceLog.Record(ctx, audit.Entry{
		Tenant: tenant, Caller: c, Action: action, Object: object, Decision: audit.Decision(decision), Detail: detail,
	})
}

// openVaults wires the customer's side. It takes nothing of the service but the directory's
// public keys (openFaces).
func (n *node) openVaults(ctx context.Context) error {
	protector, err := protect.NewSoftware(protect.SoftwareConfig{Seal: n.folder.Seals.Vault})
	if err != nil {
		return err
	}
	kept := store.NewKeyVault(n.vaultDB)
	backups, err := backup.New(backup.Config{Store: kept, Seal: n.folder.Seals.Vault})
	if err != nil {
		return err
	}
	n.way, err = courier.New(courier.Config{Domain: n.host(""), Allow: n.webhooks})
	if err != nil {
		return err
	}
	hooks := webhook.New(n.way)
	hardware, err := n.openHardware(ctx, kept)
	if err != nil {
		return err
	}
	n.vaults, err = keyvault.New(keyvault.Config{
		Store: kept, Protector: protector, Hardware: hardware, Platform: cmp.Or(n.hardware.platform, defaultPlatform), Backups: backups, Audit: n.vaultLog, Throttle: n.throttle, Told: n.vaultChanged,
		InUse: func(ctx context.Context, tenant string, vaults []string) (bool, error) {
			return n.policies.UsesVaults(ctx, tenant, vaults)
		},
		ApproveByRule: n.approveByRule, Courier: hooks, Seal: n.folder.Seals.Vault,
	})
	if err != nil {
		return err
	}
	n.deliverer = webhook.NewDeliverer(n.vaults, hooks, n.log)
	return nil
}

// openService wires the service's side: from the way to the root keys up to items.
func (n *node) openService(context.Context) error {
	roots, err := rootkey.New(rootkey.Config{
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
	available, err := availability.New(n.wired.availability)
	if err != nil {
		return err
	}
	n.keys, err = hierarchy.New(hierarchy.Config{
		Store:        store.NewHierarchy(n.serviceDB),
		Root:         func(r hierarchy.RootRef) (hierarchy.Root, error) { return roots.Key(r.Tenant, r.App, r.URI) },
		Availability: available,
		Audit:        n.serviceLog,
		Lease:        n.lease,
		Mixed:        hierarchy.Mixed(n.availability.mixed),
		Hedge:        n.hedging(),
		Saw:          func(ctx context.Context, seen hierarchy.Sight) { n.health.Saw(ctx, seen) },
		Purged:       n.ledger,
		Recoveries:   store.NewRecovery(n.serviceDB),
	})
	if err != nil {
		return err
	}
	n.wired.health = health.Config{
		Store: store.NewHealth(n.serviceDB), Audit: n.serviceLog, Seal: n.folder.Seals.Service, Level: n.recoveryLevel, Roles: n.roles, Log: n.log,
		Way: n.way, Wake: func() { n.alerts.Wake() }, Opened: n.goOn,
		Key: func(r hierarchy.RootRef) (health.Key, error) { return roots.Key(r.Tenant, r.App, r.URI) },
	}
	if n.health, err = health.New(n.wired.health); err != nil {
		return err
	}
	n.alerts = n.health.NewDeliverer(n.log)
	purging, err := n.purging(available)
	if err != nil {
		return err
	}
	n.wired.policies = policy.Config{
		Store: store.NewPolicy(n.serviceDB), Keys: n.keys, Roots: policy.RootsOf(roots), Availability: available, Audit: n.serviceLog,
		Roles: n.roles, Rule: coverage, RecoveryLevel: n.recoveryLevel, Vault: n.vaultFacts, Geos: n.geos, Enabled: n.enabled,
		Operations: store.NewOperation(n.serviceDB), Safe: []string{workload.Reencryption},
		SharePointAvailability: availability.Kind(n.availability.sharePoint), AvailabilityRoll: n.availability.roll, AvailabilityKeep: n.availability.keep,
		Requests: n.requests, Purging: purging, Recoveries: store.NewRecovery(n.serviceDB),
		RecoverySpan: n.depart.recoverySpan, OffboardSharePoint: n.depart.sharePointLeave,
		Wake: func() { n.operations.Wake() },
	}
	if n.policies, err = policy.New(n.wired.policies); err != nil {
		return err
	}
	if err := n.openOnboarding(roots); err != nil {
		return err
	}
	n.wired.mailboxes = mailbox.Config{
		Store: store.NewMailbox(n.serviceDB), Policies: n.policies, Audit: n.serviceLog, Domain: n.tenantDomain, IgnoreLicences: n.noLicences,
	}
	if n.mailboxes, err = mailbox.New(n.wired.mailboxes); err != nil {
		return err
	}
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
	if n.items, err = workload.New(n.wired.items); err != nil {
		return err
	}
	handlers := merged(n.policies.Handlers(), n.requests.Handlers(), n.items.Handlers(), n.onboarding.Handlers(n.requests.Handler))
	n.operations, err = operation.New(operation.Config{Store: store.NewOperation(n.serviceDB), Handlers: gatedHandlers(handlers, n.gate), Log: n.log})
	return err
}

// coverage tells policies which data they cover, from the one table of workloads.
func coverage(name string) policy.Rule {
	w, err := workload.Find(name)
	if err != nil {
		return policy.Rule{}
	}
	family := policy.MultiWorkload
	switch {
	case w.Mailboxes:
		family = policy.Mailbox
	case w.Sites:
		family = policy.SharePoint
	}
	return policy.Rule{Family: family, NewDataOnly: w.NewDataOnly}
}

// vaultFacts tells policies where a tenant's vault is, if it is one of this server's.
func (n *node) vaultFacts(ctx context.Context, tenant, vault string) (policy.VaultFacts, error) {
	place, err := n.vaults.Locate(ctx, vault)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && place.Tenant != tenant:
		return policy.VaultFacts{}, nil
	case err != nil:
		return policy.VaultFacts{}, err
	}
	return policy.VaultFacts{Subscription: strings.ToLower(place.Subscription), Location: place.Location}, nil
}

// geos returns the names of a tenant's geos, that for new sites first.
func (n *node) geos(ctx context.Context, tenant string) (names []string, err error) {
	all, err := n.items.Geos(ctx, tenant)
	for _, g := range all {
		names = append(names, g.Name)
	}
	return names, err
}

// tenantDomain returns the domain of a tenant.
func (n *node) tenantDomain(ctx context.Context, tenant string) (string, error) {
	t, err := n.directory.Tenant(ctx, tenant)
	return t.Domain, err
}

// run does the background work until ctx ends: long operations, events for webhooks, the sweeps that destroy
// what is past its time, and what is due to keys by then.
func (n *node) run(ctx context.Context) error {
	ran := make(chan error, 1)
	go func() { ran <- n.operations.Run(ctx) }()
	rotated := make(chan struct{})
	go func() { defer close(rotated); n.rotator.Run(ctx) }()
	defer func() { <-rotated }()
	delivered := make(chan struct{})
	go func() { defer close(delivered); n.deliverer.Run(ctx) }()
	defer func() { <-delivered }()
	watched := make(chan struct{})
	go func() { defer close(watched); n.health.Run(ctx) }()
	defer func() { <-watched }()
	alerted := make(chan struct{})
	go func() { defer close(alerted); n.alerts.Run(ctx) }()
	defer func() { <-alerted }()
	tended := make(chan struct{})
	go func() { defer close(tended); n.tendTimes(ctx) }()
	defer func() { <-tended }()
	told := make(chan struct{})
	go func() { defer close(told); n.tellNotices(ctx) }()
	defer func() { <-told }()
	for {
		n.sweep(ctx)
		select {
		case <-ctx.Done():
			return <-ran
		case <-time.After(n.pause(ctx)):
		}
	}
}

// pause is how long until something is due to a key, a minute at most. What is overdue has
// failed just now, and waits for its minute too.
func (n *node) pause(ctx context.Context) time.Duration {
	due, err := n.vaults.NextDue(ctx)
	if wait := time.Until(due); err == nil && !due.IsZero() && wait > 0 && wait < time.Minute {
		return wait
	}
	return time.Minute
}

func (n *node) sweep(ctx context.Context) {
	defer n.gate.Enter()()
	if _, err := n.vaults.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("destroying keys past their retention", "err", err)
	}
	if err := n.sweepTokenKeys(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("changing the keys that sign tokens", "err", err)
	}
	if _, err := n.vaults.Tend(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("rotating keys and telling of their expiry", "err", err)
	}
	if err := n.requests.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("ending requests that nobody approved in time", "err", err)
	}
	n.tendAvailability(ctx)
	if _, err := n.items.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("removing blobs that nothing needs", "err", err)
	}
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
