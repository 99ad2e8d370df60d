package hierarchy

import (
	"context"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
)

// A Root is one customer's root key, reached as one service principal. Its errors are
// faults: fault.Denied if the owner refuses, anything else counts as a vault that cannot
// answer. Implementations bound the time of a call by themselves or by ctx.
type Root interface {
	URI() string // versionless
	// Wrap wraps key with the version that the root is pinned to, or the newest, and returns that
	// version's id.
	Wrap(ctx context.Context, key envelope.Key) (kid string, wrapped []byte, err error)
	// Unwrap unwraps what Wrap made under version kid.
	Unwrap(ctx context.Context, kid string, wrapped []byte) (envelope.Key, error)
}

// Availability wraps and unwraps with availability keys, which never leave it. Unwrap counts the
// use, and refuses it beyond the tenant's limit: fault.Conflict with availability.ReasonLimit.
type Availability interface {
	Wrap(ctx context.Context, caller directory.Caller, tenant, id string, key envelope.Key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, caller directory.Caller, u availability.Use, wrapped, aad []byte) (envelope.Key, error)
}

// A RootRef says who asks for which root key.
type RootRef struct {
	Tenant string // whose service principal asks: the tenant that the vault belongs to
	App    string // app id of the service principal, CK-221
	URI    string // key URI; where it has a version, that one wraps, else the newest
}

// Key returns the URI without a version.
func (r RootRef) Key() string {
	vault, path, ok := strings.Cut(r.URI, "/keys/")
	if !ok {
		return r.URI
	}
	name, _, _ := strings.Cut(path, "/")
	return vault + "/keys/" + name
}

// Alg is the algorithm of every wrap by a root (CK-19).
const Alg = "RSA-OAEP-256"

// A RootCopy is a policy key wrapped by one root.
type RootCopy struct {
	Ref     RootRef
	KeyID   string // id of the root's version that wrapped it (CK-19, KV-45)
	Alg     string
	Wrapped []byte // empty once the generation is destroyed
}

// A GenerationState is where a generation is in its life: active, then draining, then destroyed.
type GenerationState string

const (
	Active    GenerationState = "active"    // new keys go under it; at most one per policy
	Draining  GenerationState = "draining"  // a newer one exists; container keys under it still open
	Destroyed GenerationState = "destroyed" // its wrapped copies are gone: nothing opens under it
	Closed    GenerationState = "closed"    // about to be purged: nothing comes under it, and it does not drain
)

// An Unwrapping says how a policy key is unwrapped. It is stored with the generation, and the
// key is bound to it: who asks for the key cannot choose.
type Unwrapping string

const (
	// InTurn asks one root, then the other, then perhaps the availability key (CK-44 to CK-50).
	InTurn Unwrapping = ""
	// Hedged asks both roots, the second a little later; the first answer counts. The key is
	// then held for hours, and the availability key never helps by itself (CK-66 to CK-73).
	Hedged Unwrapping = "hedged"
)

// A Generation is one policy key of a policy: its three wrapped copies, and a commitment
// by which the clear key is recognised (RSA wraps carry no associated data). Refreshing,
// rolling or replacing roots makes a new one (CK-126, CK-243).
type Generation struct {
	Tenant, ID, Policy  string // GUIDs
	Number              int    // 1 for the policy's first
	State               GenerationState
	Unwrapping          Unwrapping
	Roots               [2]RootCopy
	AvailabilityKey     string // id of the key that made AvailabilityWrapped
	AvailabilityWrapped []byte
	Commitment          []byte // envelope.CommitSize bytes
	Created, Destroyed  time.Time
}

// A ContainerKey is one version of a container's key, wrapped under a generation. The clear
// key of a version never changes; moving it to another generation wraps it anew.
type ContainerKey struct {
	Tenant, Container  string // Container: the container's id
	Version            int    // 1 for the first
	Workload           string
	Geo                string // of the container; "" if it has none
	Policy, Generation string // under which it is wrapped now
	Wrapped            []byte
	Created            time.Time
}

// A Container says whose key is meant.
type Container struct {
	Tenant, ID string
	Workload   string // stored with the key, so that a policy's progress can be shown per workload
	Geo        string // stored with it too: where a family goes by geo, it decides which policy covers the content
	Floor      int    // nothing new comes under versions below it; 0 if there is no such bound
}

// A Target is the generation that new content of a container belongs under.
type Target struct {
	Policy, Generation string
	NewDataOnly        bool // content under another policy stays there; new content starts a new version
}

// Reasons of fault.Conflict.
const (
	ReasonGenerationMoved     = "GenerationMoved"     // the generation is not active any more: ask for the target again
	ReasonGenerationDestroyed = "GenerationDestroyed" // its policy key is gone
	ReasonKeyExists           = "KeyExists"           // the version of the container key is there already
	ReasonKeyMoved            = "KeyMoved"            // the container key is not where the caller thought
)

// ReasonWrongKey is the reason of fault.Unavailable for a root that gives back another key than it
// wrapped: it refuses nobody, and helps nobody.
const ReasonWrongKey = "WrongKey"

// Store keeps generations and container keys. Errors are faults: NotFound for what is not
// there, Unavailable when the database fails.
type Store interface {
	Generation(ctx context.Context, tenant, id string) (Generation, error)
	// ContainerKey returns a version of the container's key, the newest for version 0.
	ContainerKey(ctx context.Context, tenant, container string, version int) (ContainerKey, error)
	// AddContainerKey adds a version. It is fault.Conflict with ReasonKeyExists if the version
	// is there, with ReasonGenerationMoved if the generation is not active.
	AddContainerKey(ctx context.Context, k ContainerKey) error
	// MoveContainerKey replaces Wrapped, Generation and Policy of a version that still is under
	// generation from (else fault.Conflict, ReasonKeyMoved), if the generation of k is active
	// (else fault.Conflict, ReasonGenerationMoved).
	MoveContainerKey(ctx context.Context, k ContainerKey, from string) error
}
