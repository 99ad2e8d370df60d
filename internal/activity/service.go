package activity

import (
	"context"
	"errors"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Log is where commands are recorded and read back; [audit.Log] is one.
type Log interface {
	audit.Recorder
	Find(ctx context.Context, tenant string, after int64, limit int, actions ...string) (audit.Stretch, error)
	Head(ctx context.Context, tenant string) (audit.Head, error)
}

// Config is what a Service needs.
type Config struct {
	Log    Log    // required
	Server string // host that commands are sent to, shown as OriginatingServer
}

// A Service writes commands to the log and finds them there.
type Service struct{ c Config }

// New returns a Service ready for use. It starts nothing.
func New(c Config) (*Service, error) {
	if c.Log == nil {
		return nil, errors.New("activity: Log is required")
	}
	return &Service{c: c}, nil
}

// Actions, and names of details, of the entries that the package comment describes.
const (
	runAction  = "cmdlet.run"
	endAction  = "cmdlet.end"
	readAction = "activity.read"

	parameterMark = "-"    // before the name of a parameter
	wasMark       = "was " // before the name of a property that changed
	nowMark       = "now "

	targetDetail = "target"
	rolesDetail  = "roles"
	serverDetail = "server"
	objectDetail = "object"
	reasonDetail = "reason"
	codeDetail   = "code"
)

// Readers may read the records of their organization: who may read its audit log.
var Readers = []directory.Role{directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.GlobalReader}

// mayRead refuses callers without one of the roles, and records that.
func (s *Service) mayRead(ctx context.Context, caller directory.Caller) error {
	if caller.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	if caller.Has(Readers...) {
		return nil
	}
	err := s.record(ctx, audit.Entry{
		Tenant: caller.Tenant, Caller: caller, Action: readAction, Object: "audit/service", Decision: audit.Deny,
		Detail: map[string]string{reasonDetail: "the caller lacks the role"},
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Forbidden, "reading what administrators did takes a role that the caller does not have").
		WithHint("ask an administrator for %s, %s or %s", Readers[0], Readers[1], Readers[2])
}

// record writes an entry. What it cannot write must not be done.
func (s *Service) record(ctx context.Context, e audit.Entry) error {
	err := s.c.Log.Record(ctx, e)
	if err != nil && fault.CodeOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "the command cannot be recorded, so nothing was done").WithHint("try again")
	}
	return err
}
