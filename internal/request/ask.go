package request

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// An Ask says what somebody asks for, in his own tenant.
type Ask struct {
	Kind    Kind
	Family  string // required where an officer approves
	Subject string // what it is about, up to 256 bytes; one request of a kind and subject is open at a time
	Reason  string // up to 1024 characters
	Contact string // up to 256 characters
	Detail  []Fact // what a dry run listed: up to 256 KiB
}

// Limits of texts, in characters, and of the subject and all facts, in bytes.
const (
	maxSubject = 256
	maxReason  = 1024
	maxContact = 256
	maxDetail  = 256 << 10
)

// Ask stores a request. It refuses one that nobody could approve. A kind that needs nobody's
// approval is approved when Ask returns, and its operation stored.
func (s *Service) Ask(ctx context.Context, c directory.Caller, a Ask) (Request, error) {
	rule, ok := s.kinds[a.Kind]
	if !ok {
		return Request{}, fault.New(fault.Internal, "no rule for requests of the kind %q", a.Kind)
	}
	object := string(a.Kind) + "/" + clip(a.Subject)
	if err := s.mayAsk(ctx, c, rule, object); err != nil {
		return Request{}, err
	}
	r, e, err := s.drawUp(ctx, c, rule, a)
	if err != nil {
		return Request{}, s.refuse(ctx, c, AskFor, object, "", err)
	}
	detail := map[string]string{
		"kind": string(r.Kind), "subject": clip(r.Subject), "reason": clip(r.Reason), "needs": string(r.Needs), "digest": r.Digest(),
	}
	if err := s.record(ctx, c, AskFor, r.ID, "", audit.Allow, detail); err != nil {
		return Request{}, err
	}
	if err := s.c.Store.Apply(ctx, e); err != nil {
		return Request{}, s.failed(ctx, c, AskFor, r.ID, "", err)
	}
	if e.Operation != nil {
		s.c.Wake()
	}
	r.Revision = 1
	return r, nil
}

// mayAsk decides by role. Where an officer approves, a person has to ask: behind a program
// could stand the officer himself.
func (s *Service) mayAsk(ctx context.Context, c directory.Caller, rule Rule, object string) error {
	switch {
	case c.Tenant == "":
		return errNobody()
	case c.Kind == directory.System || !c.Has(rule.Askers...):
		names := make([]string, len(rule.Askers))
		for i, r := range rule.Askers {
			names[i] = string(r)
		}
		return s.refuse(ctx, c, AskFor, object, "", fault.New(fault.Forbidden, "the caller has no role that may ask for this").
			WithHint("it takes one of the roles %s", strings.Join(names, ", ")))
	case rule.Needs.officer() && c.Kind != directory.User:
		return s.refuse(ctx, c, AskFor, object, "", fault.New(fault.Forbidden, "a program cannot ask for what an officer approves").WithReason(ReasonNotYours).
			WithHint("sign in as a person"))
	}
	return nil
}

// drawUp makes the request and the edit that stores it.
func (s *Service) drawUp(ctx context.Context, c directory.Caller, rule Rule, a Ask) (Request, Edit, error) {
	if err := checkAsk(a); err != nil {
		return Request{}, Edit{}, err
	}
	if err := s.approvable(ctx, c, rule, a.Family); err != nil {
		return Request{}, Edit{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Request{}, Edit{}, fault.Wrap(fault.Unavailable, err, "no random number for the request's id")
	}
	now, patience := s.now(), rule.Lasts
	if patience == 0 {
		patience = lasts
	}
	r := Request{
		Tenant: c.Tenant, ID: id.String(), Kind: a.Kind, Family: a.Family, Subject: a.Subject, Reason: a.Reason, Contact: a.Contact,
		Detail: slices.Clone(a.Detail), Needs: rule.Needs, Wait: rule.Wait.Truncate(time.Microsecond), AskedBy: personOf(c), Asked: now,
		State: Waiting, Expires: now.Add(patience), Updated: now,
	}
	var e Edit
	if r.Needs == NeedsRule {
		r.Approvals = []Approval{{Side: ByRule, By: Person{Tenant: c.Tenant, ID: "system", Name: "rule"}, At: now, Digest: r.Digest()}}
		if e.Operation, err = s.ready(&r); err != nil {
			return r, e, err
		}
	}
	e.Request = r
	return r, e, nil
}

// approvable refuses what waits for officers where there are none but the caller.
func (s *Service) approvable(ctx context.Context, c directory.Caller, rule Rule, family string) error {
	if !rule.Needs.officer() {
		return nil
	}
	if !s.isFamily(family) {
		return errNoFamily(family, s.c.Families)
	}
	all, err := s.c.Store.Officers(ctx, c.Tenant)
	if err != nil || rule.Needs == NeedsEither {
		return err
	}
	if !slices.ContainsFunc(all, func(o Officership) bool { return o.Family == family && o.Person.ID != c.ID }) {
		return fault.New(fault.Conflict, "the organization has no officer for %s who could approve this", family).WithReason(ReasonNoOfficer).
			WithHint("a Global Administrator names one: Add-CKOfficer -Family %s -Identity NAME; nobody approves his own request", family)
	}
	return nil
}

func errNoFamily(family string, all []string) error {
	return fault.New(fault.Invalid, "%.64q is no family of policies", family).WithHint("give one of %s", strings.Join(all, ", "))
}

// ready turns a request that has all it needs into an approved one, and returns the operation
// that does it.
func (s *Service) ready(r *Request) (*operation.Operation, error) {
	rule, ok := s.kinds[r.Kind]
	if !ok {
		return nil, fault.New(fault.Conflict, "this server does not do what the request asks for").
			WithHint("its settings have changed since; take the request back with Remove-CKRequest")
	}
	at := s.at(*r)
	op, err := operation.Fresh(r.Tenant, rule.Operation, r.ID, s.now())
	if err != nil {
		return nil, err
	}
	r.State, r.NotBefore, r.Operation = Approved, at.Add(r.Wait), op.ID
	if r.Wait > 0 {
		op.LeaseUntil = r.NotBefore
		s.watch.See(r.ID, 0)
	}
	return &op, nil
}

// checkAsk refuses texts that are too long or could not be shown.
func checkAsk(a Ask) error {
	total := 0
	for _, f := range a.Detail {
		total += len(f.Name) + len(f.Value)
		if !printable(f.Name) || !printable(f.Value) {
			return fault.New(fault.Invalid, "the details of the request have characters that cannot be shown")
		}
	}
	switch {
	case a.Subject == "" || len(a.Subject) > maxSubject || !printable(a.Subject):
		return fault.New(fault.Invalid, "the request does not say what it is about")
	case total > maxDetail:
		return fault.New(fault.TooLarge, "the details of the request have more than %d bytes", maxDetail)
	}
	if err := checkText("reason", a.Reason, maxReason); err != nil {
		return err
	}
	return checkText("contact", a.Contact, maxContact)
}

func checkText(what, text string, most int) error {
	switch {
	case utf8.RuneCountInString(text) > most:
		return fault.New(fault.Invalid, "the %s is longer than %d characters", what, most).WithHint("shorten it")
	case !printable(text):
		return fault.New(fault.Invalid, "the %s has characters that cannot be shown", what).
			WithHint("use letters, digits, punctuation and plain spaces")
	}
	return nil
}

// printable keeps what approvers read from playing tricks on their terminals.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
