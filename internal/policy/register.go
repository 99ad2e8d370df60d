package policy

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// Register makes the policy for files of a geo and puts it in force (CK-236): new files are under
// it at once, and those that are there follow in the operation "converge", stored in the same
// transaction. A geo takes one (CK-176): it is fault.Conflict with ReasonRegistered for another.
// Root keys are checked as by [Service.Create]. There is no way back (CK-251).
func (s *Service) Register(ctx context.Context, caller directory.Caller, geo string, keys [2]RootKey) (GeoStatus, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return GeoStatus{}, fault.Wrap(fault.Unavailable, err, "no random number for the policy's id")
	}
	p := Policy{Tenant: caller.Tenant, ID: id.String(), Family: SharePoint, Enabled: true}
	if err := s.authorize(ctx, caller, SharePoint, Create, p.ID, rootDetail(geo, &keys[0], &keys[1])); err != nil {
		return GeoStatus{}, err
	}
	st, err := s.register(ctx, caller, p, geo, keys)
	if err != nil {
		return st, s.failed(ctx, caller, Create, p.ID, err)
	}
	s.c.Wake()
	return st, nil
}

func (s *Service) register(ctx context.Context, caller directory.Caller, p Policy, geo string, keys [2]RootKey) (GeoStatus, error) {
	geo, err := s.geo(ctx, p.Tenant, geo)
	if err != nil {
		return GeoStatus{}, err
	}
	st, err := s.geoStatus(ctx, p.Tenant, geo)
	if err != nil {
		return st, err
	}
	if st.State != Unregistered { // CK-178
		return st, errRegistered(geo)
	}
	if p.Roots, err = s.pin(ctx, p.Tenant, keys); err != nil {
		return st, err
	}
	p.Description = "Files of the geo " + geo
	if p.Name, err = s.nameFor(ctx, p.Tenant, geo); err != nil {
		return st, err
	}
	_, err = s.found(ctx, caller, p, &Assignment{Family: SharePoint, Geo: geo, Policy: p.ID})
	if fault.As(err).Reason == ReasonNameTaken { // somebody else was faster
		return st, errRegistered(geo)
	}
	if err != nil {
		return st, err
	}
	return s.geoStatus(ctx, p.Tenant, geo)
}

// nameFor names the policy of a geo after it. Of two that are made at once one gets the name.
func (s *Service) nameFor(ctx context.Context, tenant, geo string) (string, error) {
	all, err := s.c.Store.Policies(ctx, tenant, SharePoint, maxPolicies)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, p := range all {
		taken[p.Name] = true
	}
	name := geo
	for n := 2; taken[name]; n++ {
		name = geo + "-" + strconv.Itoa(n)
	}
	return name, nil
}

func errRegistered(geo string) error {
	return fault.New(fault.Conflict, "files of the geo %s are under a policy already", geo).WithReason(ReasonRegistered).
		WithHint("a geo takes one policy; change its root keys, one after the other, with Update-%s", SharePoint.Noun())
}

// ChangeRoots gives the policy for files of a geo another root key, primary or secondary, or
// both in one act; nil keeps the one that it has. Files are under a new policy key at once, those
// that are there follow. One change at a time: it is fault.Conflict unless all sites are under
// the keys of the last one (CK-146, CK-177, CK-178). It only starts the roll (CK-147).
func (s *Service) ChangeRoots(ctx context.Context, caller directory.Caller, geo string, keys [2]*RootKey) (GeoStatus, error) {
	if err := s.authorize(ctx, caller, SharePoint, Replace, clip(geo), rootDetail(geo, keys[0], keys[1])); err != nil {
		return GeoStatus{}, err
	}
	st, err := s.changeRoots(ctx, caller, geo, keys)
	if err != nil {
		return st, s.failed(ctx, caller, Replace, clip(geo), err)
	}
	s.c.Wake()
	return st, nil
}

func (s *Service) changeRoots(ctx context.Context, caller directory.Caller, geo string, keys [2]*RootKey) (GeoStatus, error) {
	geo, err := s.geo(ctx, caller.Tenant, geo)
	if err != nil {
		return GeoStatus{}, err
	}
	st, err := s.geoStatus(ctx, caller.Tenant, geo)
	if err != nil {
		return st, err
	}
	if err := mayChange(st); err != nil {
		return st, err
	}
	p := st.Status.Policy
	if err := p.open(Replace); err != nil {
		return st, err
	}
	want := [2]RootKey{{URI: p.Roots[0].URI}, {URI: p.Roots[1].URI}}
	for i, k := range keys {
		if k != nil {
			want[i] = *k
		}
	}
	was := p.Roots
	if p.Roots, err = s.pin(ctx, p.Tenant, want); err != nil {
		return st, err
	}
	if p.Roots == was {
		return st, fault.New(fault.Invalid, "the policy has these versions of its root keys already").
			WithHint("give another version, key or vault")
	}
	if _, err := s.renew(ctx, caller, p); err != nil {
		return st, err
	}
	return s.geoStatus(ctx, p.Tenant, geo)
}

// mayChange refuses a change of roots before the last one is done.
func mayChange(st GeoStatus) error {
	switch st.State {
	case Registered:
		return nil
	case Unregistered:
		return errUnregistered(st)
	case Recovering:
		return fault.New(fault.Conflict, "files of the geo %s are being recovered", st.Geo).WithReason(ReasonBusy).
			WithHint("give both new root keys with Restore-%s", SharePoint.Noun())
	}
	return fault.New(fault.Conflict, "%d %% of the sites of the geo %s are under the keys of the last change", st.Percent, st.Geo).WithReason(ReasonBusy).
		WithHint("one change at a time: wait until Get-%s says Registered", SharePoint.Noun())
}

// rootDetail says which roots a change is about, for the record.
func rootDetail(geo string, keys ...*RootKey) map[string]string {
	d := map[string]string{"geo": clip(geo)}
	for i, k := range keys {
		if k == nil {
			continue
		}
		text := k.URI
		if text == "" {
			text = fmt.Sprintf("%s/%s/%s", k.Vault, k.Name, k.Version)
		}
		d[[]string{"key1", "key2"}[i]] = clip(text)
	}
	return d
}

// followUp is the operation that moves what is there under a policy that comes into force as it
// is made; nil where nothing can be there yet.
func (s *Service) followUp(p Policy) (*operation.Operation, error) {
	if p.Family != SharePoint {
		return nil, nil
	}
	op, err := operation.Fresh(p.Tenant, converge, p.ID, s.now())
	return &op, err
}
