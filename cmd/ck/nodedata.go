package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/store"
)

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
