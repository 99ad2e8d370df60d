package audit

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
)

// A Decision is what was decided about a request, or what came of it.
type Decision string

const (
	Allow Decision = "allow" // about to take effect: written before it does
	Deny  Decision = "deny"  // refused
	Fail  Decision = "fail"  // was allowed, and then did not take effect
)

// An Entry is one record of a tenant's log.
type Entry struct {
	Tenant   string            // whose log; a GUID
	Time     time.Time         // set by the log
	Caller   directory.Caller  // who asked; Roles and Groups are not kept
	Action   string            // dotted, object first: "key.unwrap", "policy.assign", "lease.grant"
	Object   string            // what it is about: a key id, a policy id, "exchange/alice@contoso.example"
	Decision Decision          //
	Detail   map[string]string // the rest, in words; never key bytes, never content
}

// A Recorder takes entries. When Record returns nil the entry is durable and part of the
// tenant's signed tree; when it returns an error the caller must not act (rule: record first).
type Recorder interface {
	Record(ctx context.Context, e Entry) error
}

// A Submitter is a Recorder that can be given work to do meanwhile: Submit hands e in, and
// durable then waits and returns what Record would. Until it has, nothing of what the entry
// announces may take effect outside of the caller.
type Submitter interface {
	Recorder
	Submit(ctx context.Context, e Entry) (durable func() error)
}
