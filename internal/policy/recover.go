package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
)

// recoverWork is the kind of the operation that opens a policy by its availability key.
const recoverWork = "recover"

// defaultSpan is how long a recovery lasts.
const defaultSpan = 24 * time.Hour

// Recoveries keeps recoveries. Every method is one transaction.
type Recoveries interface {
	hierarchy.Recoveries
	// Start keeps a recovery in place of an older one. The same request starts it once: a second
	// time changes nothing.
	Start(ctx context.Context, r hierarchy.Recovery) error
	// Going returns those that have not ended, at most limit, by tenant and policy behind after.
	Going(ctx context.Context, after hierarchy.Recovery, limit int) ([]hierarchy.Recovery, error)
	// See stores how much of a recovery is spent, unless somebody has since was; then seen is false.
	See(ctx context.Context, r hierarchy.Recovery, was time.Duration) (seen bool, err error)
	// End ends a recovery; ended is false if it had ended before.
	End(ctx context.Context, r hierarchy.Recovery) (ended bool, err error)
}

// RequestRecovery asks for the content of a policy to be opened to users by the availability
// key, because both roots are lost ("break glass", CK-74 to CK-76, X-4). It takes an officer and
// an operator. As long as a root works there is nothing to recover.
func (s *Service) RequestRecovery(ctx context.Context, caller directory.Caller, f Family, identity, reason string) (request.Request, error) {
	p, err := s.enter(ctx, caller, f, Recover, identity, map[string]string{"reason": clip(reason)})
	if err != nil {
		return request.Request{}, err
	}
	r, err := s.requestRecovery(ctx, caller, p, reason)
	if err != nil {
		return request.Request{}, s.failed(ctx, caller, Recover, p.ID, err)
	}
	return r, nil
}

func (s *Service) requestRecovery(ctx context.Context, caller directory.Caller, p Policy, reason string) (r request.Request, err error) {
	if err := s.mayRecover(p, reason); err != nil {
		return r, err
	}
	left, err := s.recovery(ctx, p)
	if err != nil {
		return r, err
	}
	if left > 0 {
		return r, fault.New(fault.Conflict, "the content of the policy %q is open by a recovery already", p.Name).WithReason("RecoveryActive").
			WithHint("ask again when it has ended; new root keys end the need for it")
	}
	if err := s.rootsLost(ctx, caller, p); err != nil {
		return r, err
	}
	return s.c.Requests.Ask(ctx, caller, request.Ask{
		Kind: RecoveryKind, Family: string(p.Family), Subject: p.ID, Reason: reason,
		Detail: []request.Fact{
			{Name: factPolicy, Value: p.Name}, {Name: factSpan, Value: s.span().String()}, {Name: "Effect", Value: recoveryEffect(p.Family)},
		},
	})
}

func recoveryEffect(f Family) string {
	if f == SharePoint {
		return "the availability key may be used once, to put two new root keys in place of the lost ones"
	}
	return "everyone reads what is under the policy by the availability key, without a root key"
}

// mayRecover refuses what cannot be recovered this way.
func (s *Service) mayRecover(p Policy, reason string) error {
	switch {
	case s.c.Requests == nil || s.c.Recoveries == nil:
		return fault.New(fault.Invalid, "this server recovers nothing")
	case reason == "":
		return fault.New(fault.Invalid, "a recovery needs a reason").WithHint("say with -Reason how the root keys were lost")
	}
	return nil
}

// rootsLost refuses as long as a root unwraps: then there is nothing to recover.
func (s *Service) rootsLost(ctx context.Context, caller directory.Caller, p Policy) error {
	g, err := s.c.Store.Generation(ctx, p.Tenant, p.Generation)
	if err != nil {
		return err
	}
	probes, err := s.c.Keys.Probe(ctx, caller, g)
	if err != nil {
		return err
	}
	for _, probe := range probes {
		if probe.Unwrap == nil {
			return fault.New(fault.Conflict, "a root key of the policy %q works, so nothing has to be recovered", p.Name).WithReason("RootWorks").
				WithHint("content can be read; replace the other root key")
		}
	}
	return nil
}

func (s *Service) span() time.Duration {
	if s.c.RecoverySpan == 0 {
		return defaultSpan
	}
	return s.c.RecoverySpan
}

// recovery returns how much longer a recovery of the policy lasts.
func (s *Service) recovery(ctx context.Context, p Policy) (time.Duration, error) {
	if s.c.Recoveries == nil {
		return 0, nil
	}
	r, err := s.c.Recoveries.Recovery(ctx, p.Tenant, p.ID)
	return r.Left(s.now()), err
}

// factSpan is the fact of a request that says for how long it opens the content.
const factSpan = "Span"

// recover carries a request out. The recovery begins when it is stored, and an operation that
// is carried out again does not begin it anew.
func (s *Service) recover(ctx context.Context, _ *operation.Run, r request.Request) (string, error) {
	caller := directory.SystemCaller(r.Tenant, recoverWork, r.ID)
	p, err := s.c.Store.Policy(ctx, r.Tenant, r.Subject)
	if fault.Is(err, fault.NotFound) {
		return "", fault.Wrap(fault.Invalid, err, "there is no such policy any more")
	}
	if err != nil {
		return "", err
	}
	if p.State == Purged || p.State == PendingDeletion {
		return "", fault.New(fault.Invalid, "the policy %q is being purged, or was", p.Name)
	}
	span, err := time.ParseDuration(r.Fact(factSpan))
	if err != nil || span <= 0 {
		return "", fault.New(fault.Corrupt, "the request does not say for how long")
	}
	span = min(span, s.span()) // the setting may be another by now: never longer than was approved
	if p.Family == SharePoint {
		return s.recoverGeo(ctx, caller, p, span)
	}
	rec := s.newRecovery(p, r.ID, span)
	if err := s.record(ctx, caller, Recover, p.ID, audit.Allow, map[string]string{"request": r.ID, "until": rec.Until.Format(time.RFC3339)}); err != nil {
		return "", err
	}
	if err := s.c.Recoveries.Start(ctx, rec); err != nil {
		return "", s.failed(ctx, caller, Recover, p.ID, err)
	}
	s.watch.Since(rec.Request, 0)             // begins to count
	if err := s.dropAll(ctx, p); err != nil { // what was refused a moment ago is asked again
		return "", err
	}
	return fmt.Sprintf("content can be read without the root keys until %s, or until Stop-CKRecovery", rec.Until.Format(time.RFC3339)), nil
}

// newRecovery is one of a policy that begins now.
func (s *Service) newRecovery(p Policy, request string, span time.Duration) hierarchy.Recovery {
	now := s.now()
	return hierarchy.Recovery{
		Tenant: p.Tenant, Policy: p.ID, Request: request, RootsOnly: p.Family == SharePoint, Started: now, Until: now.Add(span), Span: span, Seen: now,
	}
}

// recoverGeo puts the geo of a SharePoint policy into recovery (CK-76).
func (s *Service) recoverGeo(ctx context.Context, caller directory.Caller, p Policy, span time.Duration) (string, error) {
	geo, err := s.geoOf(ctx, p)
	if err != nil {
		return "", err
	}
	if err := s.BeginRecovery(ctx, caller, p.Tenant, geo, span); err != nil {
		return "", err
	}
	return fmt.Sprintf("the geo %s takes two new root keys with Restore-SPODataEncryptionPolicy for %s", geo, span), nil
}

// geoOf returns the geo that a SharePoint policy covers.
func (s *Service) geoOf(ctx context.Context, p Policy) (string, error) {
	standing, err := s.c.Store.InForce(ctx, p.Tenant)
	if err != nil {
		return "", err
	}
	for _, at := range standing {
		if at.Policy == p.ID {
			return at.Geo, nil
		}
	}
	return "", fault.New(fault.Invalid, "the policy %q covers no geo", p.Name)
}

// StopRecovery ends a recovery before its time. Without one it is fault.Conflict.
func (s *Service) StopRecovery(ctx context.Context, caller directory.Caller, f Family, identity string) error {
	p, err := s.enter(ctx, caller, f, Recover, identity, map[string]string{"end": "true"})
	if err != nil {
		return err
	}
	if err := s.stopRecovery(ctx, p); err != nil {
		return s.failed(ctx, caller, Recover, p.ID, err)
	}
	return nil
}

func (s *Service) stopRecovery(ctx context.Context, p Policy) error {
	over, err := s.endOfRecovery(ctx, p, "asked") // also of one that a wrong clock keeps shut for now
	if err != nil {
		return err
	}
	if over == nil {
		return fault.New(fault.Conflict, "no recovery of the policy %q goes on", p.Name)
	}
	if p.Family == SharePoint {
		geo, err := s.geoOf(ctx, p)
		if err != nil {
			return err
		}
		return s.EndRecovery(ctx, directory.SystemCaller(p.Tenant, recoverWork, p.ID), p.Tenant, geo)
	}
	if _, err := s.c.Recoveries.End(ctx, *over); err != nil {
		return err
	}
	return s.dropAll(ctx, p)
}
