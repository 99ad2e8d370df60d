package workload

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// MaxSample is how many items of a workload a sample opens at most.
const MaxSample = 1000

// sampleBytes is how much of an item's content a sample reads. Its metadata, header, length and
// last segment are checked besides.
const sampleBytes = 1 << 20

// sampleContent is what the audit log calls a sampled proof.
const sampleContent policy.Action = "content.sample"

// A Proof says what opening some items of a workload has shown.
type Proof struct {
	Extent                // all that lies under the policy's keys
	Opened, Failed int    // of the items picked
	First          string // why the first of those failed, in words that name no item
}

// Sample opens up to most items of each workload, picked by chance from those under a policy's keys,
// and counts (row CK-316). Every byte it reads is authenticated, and thrown away. It is for those who
// may test the policy, and is recorded before. A person has asked for it, so it is no work of the
// service itself: where both roots deny it fails as people do, and leaves the availability key alone
// (CK-49, CK-50). What is replaced or deleted meanwhile counts as neither opened nor failed. The error
// is fault.Invalid unless most is between 1 and [MaxSample].
func (s *Service) Sample(ctx context.Context, caller directory.Caller, p policy.Policy, most int) ([]Proof, error) {
	if most < 1 || most > MaxSample {
		return nil, fault.New(fault.Invalid, "a sample of %d items is none", most).WithHint("give 1 to %d", MaxSample)
	}
	if err := s.maySample(ctx, caller, p, most); err != nil {
		return nil, err
	}
	all, err := s.store.UnderPolicy(ctx, p.Tenant, p.ID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Extent) int { return cmp.Compare(a.Workload, b.Workload) })
	proofs := make([]Proof, len(all))
	for i, e := range all {
		proofs[i].Extent = e
		if err := s.sample(ctx, caller, p, most, &proofs[i]); err != nil {
			return nil, err
		}
	}
	return proofs, nil
}

// maySample is the door: it decides, and records.
func (s *Service) maySample(ctx context.Context, caller directory.Caller, p policy.Policy, most int) error {
	switch {
	case caller.Tenant == "":
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	case p.Tenant != caller.Tenant:
		return fault.New(fault.NotFound, "there is no such policy")
	case caller.Kind != directory.System && s.roles.Allow(caller.Roles, p.Family, policy.Read):
		return s.recordDeed(ctx, caller, sampleContent, p.ID, audit.Allow, map[string]string{"items": strconv.Itoa(most)})
	}
	if err := s.recordDeed(ctx, caller, sampleContent, p.ID, audit.Deny, nil); err != nil {
		return err
	}
	var names []string
	for _, r := range s.roles.For(p.Family, policy.Read) {
		names = append(names, string(r))
	}
	return fault.New(fault.Forbidden, "the caller has no role that may do this").WithHint("it takes one of the roles %s", strings.Join(names, ", "))
}

// sample opens items of one workload.
func (s *Service) sample(ctx context.Context, caller directory.Caller, p policy.Policy, most int, proof *Proof) error {
	places, err := s.store.SampleItems(ctx, p.Tenant, p.ID, proof.Workload, most)
	if err != nil {
		return err
	}
	for _, at := range places {
		there, err := s.prove(ctx, caller, p.Tenant, at)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !there:
		case err == nil:
			proof.Opened++
		default:
			proof.Failed++
			if proof.First != "" && !fault.Is(err, fault.Corrupt) { // not about this item: the roots, the storage
				continue
			}
			if proof.First == "" {
				proof.First = whyNot(err)
			}
			if err := s.recordDeed(ctx, caller, sampleContent, at.Container+"/"+at.Item, audit.Fail, map[string]string{"reason": fault.As(err).Message}); err != nil {
				return err
			}
		}
	}
	return nil
}

// whyNot says why an item does not open: of damage, nothing that names it.
func whyNot(err error) string {
	if fault.Is(err, fault.Corrupt) {
		return "it is damaged: the log says which, and what is wrong"
	}
	return fault.As(err).Message
}

// prove opens an item. there is false if it is gone, or was replaced while it was opened.
func (s *Service) prove(ctx context.Context, caller directory.Caller, tenant string, at Place) (there bool, err error) {
	c, err := s.store.ContainerOf(ctx, tenant, at.Container)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	row, err := s.store.Item(ctx, tenant, at.Container, at.Item)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err == nil {
		err = s.read(ctx, caller, c, row)
	}
	if !fault.Is(err, fault.Corrupt) {
		return true, err
	}
	now, again := s.store.Item(ctx, tenant, at.Container, at.Item)
	moved := fault.Is(again, fault.NotFound) || again == nil && now.Blob != row.Blob
	return !moved, err
}

// read opens an item and reads the beginning of it.
func (s *Service) read(ctx context.Context, caller directory.Caller, c Container, row Row) error {
	content, err := s.open(ctx, caller, c, row)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.CopyN(io.Discard, content, min(sampleBytes, content.Item.Size))
	return err
}
