package mailbox

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// MaxPage is the most mailboxes that List returns at once: a full page of the admin endpoint (row
// CK-333), and one by which it sees that there are more.
const MaxPage = 1001

// Get returns the mailbox that identity names: its address in any case of letters, the part of
// it before the @, or its GUID. The error is fault.NotFound.
func (s *Service) Get(ctx context.Context, caller directory.Caller, identity string) (Mailbox, error) {
	return s.enter(ctx, caller, read, identity)
}

// List returns the mailboxes of the caller's tenant whose names come after the given one, in
// byte order of names, at most limit of them, up to [MaxPage]. Fewer mean the end.
func (s *Service) List(ctx context.Context, caller directory.Caller, after string, limit int) ([]Mailbox, error) {
	if err := s.check(ctx, caller, read, "mailboxes"); err != nil {
		return nil, err
	}
	return s.c.Store.Mailboxes(ctx, caller.Tenant, after, min(max(limit, 1), MaxPage))
}

// enter passes the door for an existing mailbox.
func (s *Service) enter(ctx context.Context, caller directory.Caller, do action, identity string) (Mailbox, error) {
	if err := s.check(ctx, caller, do, identity); err != nil {
		return Mailbox{}, err
	}
	m, err := s.resolve(ctx, caller.Tenant, identity)
	if fault.Is(err, fault.NotFound) {
		return Mailbox{}, fault.Wrap(fault.NotFound, err, "there is no mailbox %q", clip(identity)).
			WithHint("give its address, the part before the @, or its GUID; Get-Mailbox, Get-MailUser and Get-UnifiedGroup list them")
	}
	return m, err
}

func (s *Service) resolve(ctx context.Context, tenant, identity string) (Mailbox, error) {
	if len(identity) > maxName { // longer than any name, and than any GUID
		return Mailbox{}, fault.New(fault.NotFound, "no name is so long")
	}
	if id, err := uuid.Parse(identity); err == nil {
		return s.c.Store.MailboxByID(ctx, tenant, id.String())
	}
	name := fold(identity)
	if !strings.Contains(name, "@") {
		domain, err := s.c.Domain(ctx, tenant)
		if err != nil {
			return Mailbox{}, err
		}
		name += "@" + domain
	}
	return s.c.Store.Mailbox(ctx, tenant, name)
}

// fold returns the form in which names are kept.
func fold(name string) string { return strings.ToLower(name) }
