package workload

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// Reencryption is the kind of the operation that encrypts stored content anew.
const Reencryption = "reencrypt"

// A Scope says what is to be encrypted anew: what a policy covers, or one container. Exactly
// one of them is given.
type Scope struct {
	Policy    *policy.Policy // as package policy returned it to this caller
	Container Ref            // without an item
}

// Reencrypt starts to encrypt stored content anew: each container gets a new version of its
// key, each item in it a new item key, and its content is sealed again; when nothing is under
// the old versions of the container's key any more they are destroyed. It is what moves stored
// content of a workload that takes new data only under the policy in force, and what is to be
// done when keys below the roots may have been seen.
//
// The policy's scope is every container with a key under the policy, or whose new content
// belongs under it. The work goes on in the background, one such operation in a tenant after
// the other; readers and writers go on meanwhile. Administrators of a family that covers the
// content may start it; it is recorded before. Errors: fault.Forbidden, NotFound for a container
// that is not there, Unavailable.
func (s *Service) Reencrypt(ctx context.Context, caller directory.Caller, scope Scope) (operation.Operation, error) {
	families, object, err := s.reach(scope)
	if err != nil {
		return operation.Operation{}, err
	}
	if err := s.admit(ctx, caller, families, object); err != nil {
		return operation.Operation{}, err
	}
	at, subject, err := s.aim(ctx, caller, scope)
	if err != nil {
		return operation.Operation{}, err
	}
	if err := s.recordDeed(ctx, caller, policy.Reencrypt, object, audit.Allow, nil); err != nil {
		return operation.Operation{}, err
	}
	op, err := s.start(ctx, operation.Operation{Tenant: caller.Tenant, Kind: Reencryption, Subject: subject, Checkpoint: at.encode()})
	if err != nil {
		_ = s.recordDeed(context.WithoutCancel(ctx), caller, policy.Reencrypt, object, audit.Fail, nil) // a courtesy: err matters more
	}
	return op, err
}

// reach returns the families that may cover a scope, and its name in the log.
func (s *Service) reach(scope Scope) ([]policy.Family, string, error) {
	if s.start == nil || s.rule == nil {
		return nil, "", fault.New(fault.Internal, "this service does not run long work")
	}
	if scope.Policy != nil {
		return []policy.Family{scope.Policy.Family}, scope.Policy.ID, nil
	}
	w, err := Find(scope.Container.Workload)
	if err != nil {
		return nil, "", err
	}
	if err := checkContainerName(w, scope.Container.Container); err != nil {
		return nil, "", err
	}
	ref := Ref{Workload: w.Name, Container: canonical(w, scope.Container.Container)}
	return s.rule(w.Name).Families(), ref.String(), nil
}

// admit refuses, and records that, unless a role of the caller administers one of the families.
func (s *Service) admit(ctx context.Context, caller directory.Caller, families []policy.Family, object string) error {
	if caller.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	allowed := func(f policy.Family) bool { return s.roles.Allow(caller.Roles, f, policy.Reencrypt) }
	if caller.Kind != directory.System && slices.ContainsFunc(families, allowed) {
		return nil
	}
	if err := s.recordDeed(ctx, caller, policy.Reencrypt, object, audit.Deny, nil); err != nil {
		return err
	}
	var names []string
	for _, f := range families {
		names = append(names, string(f))
	}
	return fault.New(fault.Forbidden, "the caller has no role that may do this").
		WithHint("it takes an administrator of the family %s", strings.Join(names, " or "))
}

// aim returns the first checkpoint of the work, and its subject: the id of the policy or of
// the container.
func (s *Service) aim(ctx context.Context, caller directory.Caller, scope Scope) (at progress, subject string, err error) {
	if p := scope.Policy; p != nil {
		if p.Tenant != caller.Tenant {
			return at, "", fault.New(fault.NotFound, "there is no such policy")
		}
		return progress{Policy: p.ID}, p.ID, nil
	}
	w, err := Find(scope.Container.Workload)
	if err != nil {
		return at, "", err
	}
	name := canonical(w, scope.Container.Container)
	c, err := s.store.Container(ctx, caller.Tenant, w.Name, name)
	if fault.Is(err, fault.NotFound) {
		err = errNoContainer(Container{Workload: w.Name, Name: name})
	}
	return progress{Only: c.ID}, c.ID, err
}

// recordDeed writes an entry about what an administrator, or the service itself, does to the
// keys of stored content.
func (s *Service) recordDeed(ctx context.Context, caller directory.Caller, do policy.Action, object string, d audit.Decision, detail map[string]string) error {
	return s.audit.Record(ctx, audit.Entry{
		Tenant: caller.Tenant, Caller: caller, Action: string(do), Object: object, Decision: d, Detail: detail,
	})
}

// progress is the checkpoint of a Reencryption, as JSON in the operation. Done and Total of
// the operation are the weights of items: their sizes in bytes, and leastWeight for smaller
// ones.
type progress struct {
	Policy  string `json:"policy,omitempty"`  // what is encrypted anew: all that this policy covers,
	Only    string `json:"only,omitempty"`    // or this container
	Counted bool   `json:"counted,omitempty"` // the totals are known
	After   string `json:"after,omitempty"`   // the last container that is finished
	Version int    `json:"version,omitempty"` // of the key of the container in work, made for this; 0: not yet
	Item    string `json:"item,omitempty"`    // the last item in it that is finished

	Containers      int64  `json:"containers,omitempty"` // finished so far
	Items           int64  `json:"items"`                // encrypted anew so far
	Bytes           int64  `json:"bytes"`
	TotalContainers int64  `json:"totalContainers,omitempty"` // there were at the start
	TotalItems      int64  `json:"totalItems"`
	TotalBytes      int64  `json:"totalBytes"`
	Destroyed       int64  `json:"destroyed"`       // versions of container keys
	Damaged         int64  `json:"damaged"`         // items that do not open and were left
	First           string `json:"first,omitempty"` // what the first of those said
}

// encode returns the checkpoint as it is stored.
func (p progress) encode() string {
	text, _ := json.Marshal(p) // numbers and text always marshal
	return string(text)
}

// A Renewal says how far a Reencryption is.
type Renewal struct {
	Policy, Container           string // id of what is encrypted anew: all that a policy covers, or one container
	Counted                     bool   // the totals are known
	Containers, TotalContainers int64  // finished, and there were when it began
	Items, TotalItems           int64  // encrypted anew, and there were when it began
	Bytes, TotalBytes           int64  // of content
	Destroyed                   int64  // versions of container keys
	Damaged                     int64  // items that do not open and were left as they are
}

// RenewalOf reads how far a Reencryption is; ok is false for another kind of operation.
func RenewalOf(op operation.Operation) (r Renewal, ok bool) {
	var p progress
	if op.Kind != Reencryption || json.Unmarshal([]byte(op.Checkpoint), &p) != nil {
		return Renewal{}, false
	}
	return Renewal{p.Policy, p.Only, p.Counted, p.Containers, p.TotalContainers, p.Items, p.TotalItems, p.Bytes, p.TotalBytes, p.Destroyed, p.Damaged}, true
}

// Weigh counts what is in the container that a Reencryption of one is about, by the container's
// id. It serves whoever could start it: nobody's rights are looked at.
func (s *Service) Weigh(ctx context.Context, tenant, container string) (Tally, error) {
	return s.store.Tally(ctx, tenant, container, leastWeight)
}
