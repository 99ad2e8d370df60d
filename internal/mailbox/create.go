package mailbox

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// Limits of texts, in bytes.
const (
	maxName        = 256
	maxDisplayName = 256
)

// A Draft says what a new mailbox shall be.
type Draft struct {
	Name        string // required: its address, or the part of it before the @
	DisplayName string // Name if empty
	Kind        Kind   // required: any but User and MailUser, which come with their person
	Policy      string // names a mailbox policy, or is empty
}

// Create makes a mailbox that is not a person's, and assigns it a policy if one is named: a
// policy that cannot be assigned is found out before the mailbox is made. fault.Conflict if a
// person or another mailbox has the name.
func (s *Service) Create(ctx context.Context, caller directory.Caller, d Draft) (Mailbox, error) {
	if err := s.check(ctx, caller, create, d.Name); err != nil {
		return Mailbox{}, err
	}
	m, err := s.draft(ctx, caller.Tenant, d)
	if err != nil {
		return Mailbox{}, err
	}
	if d.Policy != "" {
		p, err := s.c.Policies.Get(ctx, caller, policy.Mailbox, d.Policy)
		if err != nil {
			return Mailbox{}, err
		}
		if err := p.Assignable(); err != nil {
			return Mailbox{}, err
		}
	}
	detail := map[string]string{"kind": string(m.Kind), "id": m.ID}
	err = s.perform(ctx, caller, create, m.Name, detail, func() error { return s.c.Store.AddMailbox(ctx, m) })
	if err != nil || d.Policy == "" {
		return m, err
	}
	if err := s.acts.AssignTo(ctx, caller, m.holder(), d.Policy); err != nil {
		return m, err
	}
	return s.c.Store.Mailbox(ctx, m.Tenant, m.Name)
}

// draft checks what was asked for.
func (s *Service) draft(ctx context.Context, tenant string, d Draft) (Mailbox, error) {
	if !slices.Contains(standalone, d.Kind) {
		return Mailbox{}, fault.New(fault.Invalid, "a mailbox of a person is made with the person").
			WithHint("ck person add alice@contoso.example; or say which kind of mailbox: -Shared, -Room, -Equipment, -Discovery, -PublicFolder")
	}
	domain, err := s.c.Domain(ctx, tenant)
	if err != nil {
		return Mailbox{}, err
	}
	name := fold(d.Name)
	if !strings.Contains(name, "@") {
		name += "@" + domain
	}
	if err := checkName(name, domain); err != nil {
		return Mailbox{}, err
	}
	if d.DisplayName == "" {
		d.DisplayName = name
	}
	if bad := strings.ContainsFunc(d.DisplayName, func(r rune) bool { return !unicode.IsPrint(r) }); bad || len(d.DisplayName) > maxDisplayName || !utf8.ValidString(d.DisplayName) {
		return Mailbox{}, fault.New(fault.Invalid, "the display name is too long or has characters that cannot be shown").
			WithHint("give up to %d bytes of letters, digits, punctuation and plain spaces", maxDisplayName)
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Mailbox{}, fault.Wrap(fault.Unavailable, err, "no random number for the mailbox's id")
	}
	return Mailbox{
		Tenant: tenant, ID: id.String(), Name: name, DisplayName: d.DisplayName, Kind: d.Kind, Container: id.String(),
		Created: s.c.Now().UTC().Truncate(time.Microsecond),
	}, nil
}

// checkName accepts what could be the name of a person of the tenant.
func checkName(name, domain string) error {
	local, at, _ := strings.Cut(name, "@")
	bad := strings.ContainsFunc(local, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_!#^~'+$&", r)
	})
	if bad || local == "" || at != domain || len(name) > maxName {
		return fault.New(fault.Invalid, "%.64q is not an address in %s", name, domain).WithHint("give one such as sales@%s", domain)
	}
	return nil
}

// SetElsewhere makes a person a mail user, whose mailbox is elsewhere: on premises, or not moved
// here yet (CK-234). With false the mailbox is here again. A policy that it has stays, and so
// does content.
func (s *Service) SetElsewhere(ctx context.Context, caller directory.Caller, identity string, elsewhere bool) error {
	m, err := s.enter(ctx, caller, change, identity)
	if err != nil {
		return err
	}
	if m.Kind != User && m.Kind != MailUser {
		return fault.New(fault.Invalid, "%s is no mailbox of a person", m.Name).WithHint("only a person can be a mail user")
	}
	if (m.Kind == MailUser) == elsewhere {
		return nil
	}
	detail := map[string]string{"kind": string(User)}
	if elsewhere {
		detail["kind"] = string(MailUser)
	}
	return s.perform(ctx, caller, change, m.Name, detail, func() error { return s.c.Store.SetElsewhere(ctx, m, elsewhere) })
}
