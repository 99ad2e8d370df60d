package keyvault

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/seal"
)

// An Outbox is the part of a Store that keeps events, and the webhooks that they are sent to.
type Outbox interface {
	// Events lists a vault's in the order of Seq, those after one.
	Events(ctx context.Context, tenant, vault string, after int64, limit int) ([]Event, error)
	// OlderEvents counts a vault's events after one that are older than a time, and returns the
	// Seq of the last of them.
	OlderEvents(ctx context.Context, tenant, vault string, after int64, old time.Time) (count, last int64, err error)
	// PruneEvents removes events older than that which every hook of their vault has passed.
	PruneEvents(ctx context.Context, old time.Time) error

	// PutHook makes a hook that has Reached the last event of its tenant, or replaces what a spec
	// says of the one that is there, which is then due; Attempts begin anew. It returns what
	// stayed: Created, Delivered and Dropped. fault.NotFound if the vault that is meant is not live.
	PutHook(ctx context.Context, h HookRow) (Hook, error)
	Hook(ctx context.Context, tenant, vault, name string) (HookRow, error)
	Hooks(ctx context.Context, tenant, vault string) ([]HookRow, error) // by name
	DeleteHook(ctx context.Context, tenant, vault, name string) (gone bool, err error)
	// ClaimHooks returns hooks of all tenants whose Due has come, the longest due first, and sets
	// it to until. A Due that lies more than a few hours ahead was set by a clock that was wrong.
	ClaimHooks(ctx context.Context, now, until time.Time, limit int) ([]HookRow, error)
	// SettleHook replaces HookProgress, Delivered and Dropped if Due is still was, and Updated as
	// in h; else ErrChanged. With no Due, the hook is due at once if events wait, else it rests.
	SettleHook(ctx context.Context, h HookRow, was time.Time) error
}

// A HookRow is a Hook as it is stored, with its secrets sealed: Endpoint and Secret are zero.
type HookRow struct {
	Hook
	Base   string // URL without the query
	Sealed []byte // see hookContent
}

// hookContent is what is sealed of a hook, as JSON:
//
//	seal.Seal(Bind("webhook 1", tenant, vault, name), {"url": "…", "secret": base64 of 32 bytes})
type hookContent struct {
	URL    string `json:"url"`
	Secret []byte `json:"secret"`
}

// hookBinding is what a hook's secrets are sealed with, names in any case.
func hookBinding(tenant, vault, name string) []byte {
	return envelope.Bind("webhook 1", tenant, naming.Fold(vault), naming.Fold(name))
}

// HookShelf returns the hooks in rows, whose parts are tenant, vault and name, for being re-sealed.
func HookShelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("webhooks", rows, func(p []string) []byte { return hookBinding(p[0], p[1], p[2]) })
}

func (s *Service) sealHook(h Hook) ([]byte, error) {
	secret := h.Secret.Expose()
	defer clear(secret)
	plain, err := json.Marshal(hookContent{h.Endpoint.Expose(), secret})
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.sealing.Seal(hookBinding(h.Tenant, h.Vault, h.Name), plain)
}

func (s *Service) openHook(row HookRow) (Hook, error) {
	h := row.Hook
	plain, err := s.sealing.Open(hookBinding(h.Tenant, h.Vault, h.Name), row.Sealed)
	if err != nil {
		return h, err
	}
	defer clear(plain)
	var c hookContent
	if err := json.Unmarshal(plain, &c); err != nil {
		return h, fault.Wrap(fault.Corrupt, err, "the webhook '%s' cannot be read", h.Name)
	}
	defer clear(c.Secret)
	if h.Endpoint, err = courier.NewEndpoint(c.URL); err != nil {
		return h, fault.Wrap(fault.Corrupt, err, "the webhook '%s' cannot be read", h.Name)
	}
	h.Secret, err = envelope.KeyFromBytes(c.Secret)
	return h, err
}

// ClaimHooks returns webhooks that have something to be sent, at most so many, and keeps others
// from getting them for a while. Whoever has one settles it, or it comes again when the time is
// over: no event is lost with a process.
func (s *Service) ClaimHooks(ctx context.Context, most int, hold time.Duration) ([]Hook, error) {
	defer s.sealing.Enter()() // hooks are read and opened
	now := s.now()
	rows, err := s.store.ClaimHooks(ctx, now, now.Add(hold), most)
	var hooks []Hook
	for _, row := range rows {
		h, opening := s.openHook(row)
		if opening != nil { // it waits for its claim to end, and comes again; others go on
			err = opening
			continue
		}
		hooks = append(hooks, h)
	}
	return hooks, err
}

// Waiting returns the next events of a hook's vault, at most so many.
func (s *Service) Waiting(ctx context.Context, h Hook, most int) ([]Event, error) {
	list, err := s.store.Events(ctx, h.Tenant, h.Vault, h.Reached, most)
	if h.Ends != 0 { // another vault may have the name by now
		list = slices.DeleteFunc(list, func(e Event) bool { return e.Seq > h.Ends })
	}
	return list, err
}

// SettleHook keeps how far a claimed hook has come, and returns it as it is now. With p.Due it
// is left alone until then, or still claimed; without, the claim is over. ErrChanged says that
// the claim was lost, or the hook changed or gone: nothing was kept.
func (s *Service) SettleHook(ctx context.Context, h Hook, p HookProgress, delivered int64) (Hook, error) {
	was := h.Due
	h.HookProgress = p
	h.Delivered += delivered
	return h, s.store.SettleHook(ctx, HookRow{Hook: h}, was)
}

// DropEvents gives up on events for a claimed hook: the next one, or with old all that are
// older than that. It is recorded first, in the log of the hook's tenant. It returns the hook
// as it is now.
func (s *Service) DropEvents(ctx context.Context, h Hook, p HookProgress, old time.Time, why string) (Hook, error) {
	count, last := int64(1), p.Reached
	if !old.IsZero() {
		var err error
		if count, last, err = s.store.OlderEvents(ctx, h.Tenant, h.Vault, p.Reached, old); err != nil || count == 0 {
			return h, err
		}
	}
	e := audit.Entry{
		Tenant: h.Tenant, Caller: directory.SystemCaller(h.Tenant, "webhooks", uuid.NewString()), Action: string(DropEvents),
		Object: "vaults/" + h.Vault + "/eventSubscriptions/" + h.Name, Decision: audit.Fail,
		Detail: map[string]string{"events": strconv.FormatInt(count, 10), "last": strconv.FormatInt(last, 10), "reason": why},
	}
	if err := s.record(ctx, e); err != nil {
		return h, err
	}
	was := h.Due
	h.HookProgress = p
	h.Reached = last
	h.Dropped += count
	return h, s.store.SettleHook(ctx, HookRow{Hook: h}, was)
}
