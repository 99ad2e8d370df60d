package request

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An Action is what a caller may want; it is also its name in the audit log.
type Action string

// The actions.
const (
	Read         Action = "request.read"
	AskFor       Action = "request.ask"
	Approve      Action = "request.approve"
	Deny         Action = "request.deny"
	Withdraw     Action = "request.withdraw"
	Finish       Action = "request.finish" // by the service itself: what became of it
	ReadOfficers Action = "officer.read"
	NameOfficer  Action = "officer.add"
	DropOfficer  Action = "officer.remove"
)

// recordFailWithin bounds how long writing down a failure may take once the caller has left.
const recordFailWithin = 5 * time.Second

// A visitor is a caller at the door, and what he is here.
type visitor struct {
	directory.Caller
	reader   bool     // holds a role that may read in his tenant
	asker    bool     // holds a role that may ask for something there
	operator bool     // of the service
	officer  []string // families of his tenant that he is an officer of
}

// visitor looks up what a caller is. Only people are officers and operators.
func (s *Service) visitor(ctx context.Context, c directory.Caller) (visitor, error) {
	v := visitor{Caller: c}
	if c.Tenant == "" {
		return v, errNobody()
	}
	if c.Kind == directory.System {
		return v, nil
	}
	v.reader, v.asker = c.Has(readers...), c.Has(s.askers...)
	if c.Kind != directory.User {
		return v, nil
	}
	v.operator = c.Has(directory.ServiceOperator)
	all, err := s.c.Store.Officers(ctx, c.Tenant)
	for _, o := range all {
		if o.Person.ID == c.ID {
			v.officer = append(v.officer, o.Family)
		}
	}
	return v, err
}

func errNobody() error {
	return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
}

// enter lets nobody in who has no part in any request; what is in there is not told to others.
func (s *Service) enter(ctx context.Context, c directory.Caller, do Action, object string) (visitor, error) {
	v, err := s.visitor(ctx, c)
	if err != nil {
		return v, err
	}
	if !v.reader && !v.asker && !v.operator && len(v.officer) == 0 {
		return v, s.refuse(ctx, c, do, object, "", fault.New(fault.Forbidden, "the caller has no part in requests").WithReason(ReasonNotYours).
			WithHint("administrators, officers and operators of the service have"))
	}
	return v, nil
}

// record writes a decision to the log of the tenant that it is about, and to the caller's own
// where that is another: both sides can account for what an operator did.
func (s *Service) record(ctx context.Context, c directory.Caller, do Action, object, tenant string, d audit.Decision, detail map[string]string) error {
	logs := []string{c.Tenant}
	if tenant != "" && tenant != c.Tenant {
		logs = []string{tenant, c.Tenant}
	}
	for _, log := range logs {
		err := s.c.Audit.Record(ctx, audit.Entry{
			Tenant: log, Caller: c, Action: string(do), Object: object, Decision: d, Detail: detail,
		})
		if err != nil && fault.CodeOf(err) == fault.Internal {
			err = fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refuse records that something is denied, and returns why.
func (s *Service) refuse(ctx context.Context, c directory.Caller, do Action, object, tenant string, why error) error {
	if err := s.record(ctx, c, do, object, tenant, audit.Deny, map[string]string{"reason": clip(fault.As(why).Message)}); err != nil {
		return err
	}
	return why
}

// failed records that what was allowed did not take effect, and returns why. A record that
// cannot be written changes nothing: nothing took effect.
func (s *Service) failed(ctx context.Context, c directory.Caller, do Action, object, tenant string, err error) error {
	reason := fault.As(err).Message
	if ctx.Err() != nil {
		reason = "the caller left"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFailWithin)
	defer cancel()
	_ = s.record(ctx, c, do, object, tenant, audit.Fail, map[string]string{"reason": clip(reason)})
	return err
}

// clip bounds what a caller's text may take up in a record.
func clip(text string) string {
	const most = 300
	if len(text) <= most {
		return strings.ToValidUTF8(text, "?")
	}
	for most := most; ; most-- {
		if utf8.RuneStart(text[most]) {
			return strings.ToValidUTF8(text[:most], "?") + "..."
		}
	}
}
