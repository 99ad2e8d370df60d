package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
)

// openSeals wires the rotation of sealing keys: here stands everything that is sealed under them.
// Requests pass n.gate in faces; background work passes it where it is started, or the seal's own.
func (n *node) openSeals(context.Context) (err error) {
	s := n.folder.Seals
	n.rotator, err = seal.NewRotator(seal.RotatorConfig{
		Areas: []seal.Area{
			{Name: "service", Seal: s.Service, Shelves: []seal.Shelf{
				directory.IssuerKeyShelf(store.SealedIssuerKeys(n.serviceDB)), health.Shelf(store.SealedSubscriptions(n.serviceDB)), n.folder.Secrets(s.Service),
			}},
			{Name: "vault", Seal: s.Vault, Shelves: []seal.Shelf{
				protect.Shelf(store.SealedHandles(n.vaultDB, protect.SoftwareName)), backup.Shelf(store.SealedBackupKeys(n.vaultDB)),
				keyvault.HookShelf(store.SealedHooks(n.vaultDB)), n.folder.Secrets(s.Vault),
			}},
			{Name: "availability", Seal: s.Availability, Shelves: []seal.Shelf{
				availability.Shelf(store.SealedAvailabilityKeys(n.availabilityDB)), n.folder.Secrets(s.Availability),
			}},
		},
		Keeper: n.folder, Gate: n.gate, Log: n.log,
		Record: func(ctx context.Context, area string, ids []seal.ID) error {
			c := directory.SystemCaller("", "seal rotation", uuid.NewString())
			return n.recordSeal(ctx, c, "seal.retire", area, audit.Allow, map[string]string{"keys": joinIDs(ids)})
		},
	})
	return err
}

func joinIDs(ids []seal.ID) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = string(id)
	}
	return strings.Join(text, " ")
}

// recordSeal writes what is done to a seal to the provider's log, and to that of the caller's
// tenant if it is another one, who can only be refused.
func (n *node) recordSeal(ctx context.Context, c directory.Caller, action, name string, d audit.Decision, detail map[string]string) error {
	tenant := c.Tenant
	if tenant == "" {
		provider, err := n.directory.Tenant(ctx, providerDomain)
		if err != nil {
			return err
		}
		tenant = provider.ID
	}
	return n.serviceLog.Record(ctx, audit.Entry{Tenant: tenant, Caller: c, Action: action, Object: "seals/" + name, Decision: d, Detail: detail})
}

// seals is what operators do to sealing keys at the API.
type seals struct{ *node }

// Seals implements api.Seals.
func (n seals) Seals(ctx context.Context, c directory.Caller) (api.SealReport, error) {
	if err := n.mayOperate(ctx, c, "seal.read", "*"); err != nil {
		return api.SealReport{}, err
	}
	r := n.folder.Report()
	out := api.SealReport{Folder: r.Folder, Kind: string(r.Holder.Kind), Holder: r.Holder.String(), Rotation: n.rotator.Progress()}
	for _, k := range r.Keys {
		out.Keys = append(out.Keys, api.SealKey(k))
	}
	return out, nil
}

// RotateSeal implements api.Seals.
func (n seals) RotateSeal(ctx context.Context, c directory.Caller, name string) error {
	if err := n.mayOperate(ctx, c, "seal.rotate", name); err != nil {
		return err
	}
	if err := n.recordSeal(ctx, c, "seal.rotate", name, audit.Allow, nil); err != nil {
		return err
	}
	err := n.rotator.Rotate(ctx, name)
	if err != nil {
		detail := map[string]string{"reason": fault.As(err).Message}
		if e := n.recordSeal(context.WithoutCancel(ctx), c, "seal.rotate", name, audit.Fail, detail); e != nil {
			n.log.ErrorContext(ctx, "recording that a sealing key was not renewed", "err", e)
		}
	}
	return err
}

// mayOperate refuses, and records, whoever is not an operator of the service.
func (n *node) mayOperate(ctx context.Context, c directory.Caller, action, name string) error {
	if c.Has(directory.ServiceOperator) {
		return nil
	}
	if c.Tenant != "" {
		if err := n.recordSeal(ctx, c, action, name, audit.Deny, map[string]string{"reason": "the caller lacks the role"}); err != nil {
			return err
		}
	}
	return fault.New(fault.Forbidden, "the sealing keys are the business of the role %s", directory.ServiceOperator).
		WithHint("sign in as an operator of the service")
}

// gated passes the gate with each request.
func gated(h http.Handler, gate *seal.Gate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer gate.Enter()()
		h.ServeHTTP(w, r)
	})
}

// gatedHandlers pass the gate for as long as they run.
func gatedHandlers(handlers map[string]operation.Handler, gate *seal.Gate) map[string]operation.Handler {
	gated := make(map[string]operation.Handler, len(handlers))
	for kind, handle := range handlers {
		gated[kind] = func(ctx context.Context, run *operation.Run) error {
			defer gate.Enter()()
			return handle(ctx, run)
		}
	}
	return gated
}
