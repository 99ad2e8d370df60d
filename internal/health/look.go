package health

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// How many versions of one root key are tried in one look, and in a deep one: a vault answers a
// deep look at a tenth of a second for each in a quarter of the time that a look has.
const (
	maxVersions     = 8
	maxVersionsDeep = 100
)

// look asks a root's vault for all that is to be known about it. deep asks for what takes many
// calls, or changes rarely, too. The error is that of ctx.
func (s *Service) look(ctx context.Context, r Root, uses []Use, deep bool) (observation, error) {
	kids, active := needed(uses, r.Ref)
	name := short(r.Ref.URI)
	key, failed := s.c.Key(r.Ref) // fails where the vault hosts that may be called have changed
	kid := active
	if failed == nil {
		kid, failed = tryAll(ctx, key, s.turn(kids, r.Why.KeyID, deep))
	}
	o := observation{state: stateBy(failed), checks: []rootcheck.Verdict{rootcheck.Answer("unwrap", name, failed)}}
	if failed != nil {
		o.why = whyOf(failed, kid)
	}
	if o.state == Unavailable { // asking on would only take time
		o.checks = append(o.checks, rootcheck.Judge(rootcheck.Sight{Key: name})...)
		return o, ctx.Err()
	}
	o.checks = append(o.checks, s.lookFurther(ctx, key, r, active, deep)...)
	o.deep = deep
	if o.state == Healthy {
		o.state, o.why = stateOfOne(o.checks)
	}
	return o, ctx.Err()
}

// stateBy returns what trying its versions makes of a root.
func stateBy(failed error) State {
	switch {
	case failed == nil:
		return Healthy
	case fault.Is(failed, fault.Denied):
		return Revoked
	}
	return Unavailable
}

// turn returns the versions that this look tries: the one in use, the one that failed at the
// last look, so that a root does not seem well by not being asked, and of the others a stretch
// that begins anywhere, so that each has its turn on whichever node.
func (s *Service) turn(kids []string, ill string, deep bool) []string {
	most := maxVersions
	if deep {
		most = maxVersionsDeep
	}
	if len(kids) <= most {
		return kids
	}
	now := kids[:1:1]
	others := slices.DeleteFunc(slices.Clone(kids[1:]), func(k string) bool { return k == ill })
	if len(others) < len(kids)-1 {
		now = append(now, ill)
	}
	begin := min(int(s.c.Spread()*float64(len(others))), len(others)-1)
	others = append(others[begin:], others[:begin]...)
	return append(now, others[:most-len(now)]...)
}

// tryAll tries versions until one fails.
func tryAll(ctx context.Context, key Key, kids []string) (kid string, failed error) {
	for _, k := range kids {
		if err := key.Try(ctx, k); err != nil {
			return k, err
		}
	}
	return "", nil
}

// lookFurther judges what does not decide about reading.
func (s *Service) lookFurther(ctx context.Context, key Key, r Root, active string, deep bool) []rootcheck.Verdict {
	name := short(r.Ref.URI)
	sight := rootcheck.Sight{Key: name, Level: s.c.Level, Now: s.c.Now(), InUse: active}
	facts, err := key.Inspect(ctx)
	if err == nil {
		sight.Facts = &facts
	}
	checks := []rootcheck.Verdict{answered("get", name, err), answered("wrap", name, wrap(ctx, key))}
	var hidden []rootcheck.Verdict
	if deep {
		hidden = lookDeep(ctx, key, &sight)
	}
	for _, v := range rootcheck.Judge(sight) {
		if i := slices.IndexFunc(hidden, func(h rootcheck.Verdict) bool { return h.Check == v.Check }); i >= 0 {
			v = hidden[i]
		}
		checks = append(checks, v)
	}
	return checks
}

// answered is rootcheck.Answer for what is not needed for reading: silence there is no failure
// yet, for the vault has just unwrapped.
func answered(check, name string, err error) rootcheck.Verdict {
	v := rootcheck.Answer(check, name, err)
	if err != nil && !fault.Is(err, fault.Denied) {
		v.Outcome = rootcheck.Unknown
	}
	return v
}

// wrap has the newest version wrap a random key, as a refresh would.
func wrap(ctx context.Context, key Key) error {
	probe := envelope.NewKey()
	defer probe.Destroy()
	_, _, err := key.Wrap(ctx, probe)
	return err
}

// lookDeep looks at versions and rotation, and returns verdicts for what the vault does not let
// the service see.
func lookDeep(ctx context.Context, key Key, sight *rootcheck.Sight) (hidden []rootcheck.Verdict) {
	n, err := key.Versions(ctx, rootcheck.CountUpTo)
	switch {
	case err == nil:
		sight.Versions = &n
	case fault.Is(err, fault.Denied):
		hidden = append(hidden, rootcheck.Hidden(rootcheck.Versions, "KV-70", "list"))
	}
	life, err := key.Rotation(ctx)
	switch {
	case err == nil:
		sight.Rotation = &life
	case fault.Is(err, fault.Denied):
		hidden = append(hidden, rootcheck.Hidden(rootcheck.Rotation, "CK-208", "getrotationpolicy"))
	}
	return hidden
}

// stateOfOne returns the state of a root that unwraps.
func stateOfOne(checks []rootcheck.Verdict) (State, Why) {
	for _, v := range checks {
		if v.Outcome == rootcheck.Fail {
			return Degraded, Why{Reason: v.Row, Message: v.Message, Hint: v.Hint}
		}
	}
	return Healthy, Why{}
}
