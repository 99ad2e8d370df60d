package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Person is someone who signs in.
type Person struct {
	Tenant, ID         string // GUIDs
	UPN                string // user principal name, lower case: "alice@contoso.example"
	DisplayName        string //
	Roles              []Role //
	Disabled           bool   // gets no token
	MustChangePassword bool   // the password is for one time: the next sign-in must bring a new one
	Licences           []Licence
	Created            time.Time
}

// peopleRoles are the roles that a person can hold.
var peopleRoles = []Role{
	GlobalAdministrator, ComplianceAdministrator, ExchangeAdministrator, SharePointAdministrator, GlobalReader, MailboxImportExport, ServiceOperator,
}

// CreatePerson adds p to the tenant p.Tenant; id and time are set here. The name must end
// in the tenant's domain. mustChange makes password a one-time password. A Global
// Administrator of the tenant may, and a Service Operator in his own tenant; only the latter can
// give the role Service Operator. In another tenant an operator can add the first person and no
// more. fault.Conflict if the name is taken, or the tenant has people where it must not.
func (s *Service) CreatePerson(ctx context.Context, c Caller, p Person, password string, mustChange bool) (Person, error) {
	t, err := s.Tenant(ctx, p.Tenant)
	if err != nil {
		return Person{}, err
	}
	p.UPN = strings.ToLower(p.UPN)
	a := act{caller: c, tenant: t.ID, action: "person.create", object: "people/" + clip(p.UPN), detail: roleDetail(p.Roles)}
	a.first = c.Kind != System && c.Has(ServiceOperator) && c.Tenant != t.ID
	if err := s.allowed(ctx, a); err != nil {
		return Person{}, err // before anything about the tenant shows in an answer
	}
	if p.DisplayName == "" {
		p.DisplayName = p.UPN
	}
	if err := checkPerson(p, t); err != nil {
		return Person{}, err
	}
	if err := checkPassword(password); err != nil {
		return Person{}, err
	}
	p.Tenant, p.ID, p.Created, p.MustChangePassword = t.ID, uuid.NewString(), s.now(), mustChange
	p.Licences = slices.Compact(slices.Sorted(slices.Values(p.Licences)))
	if err := mayGrant(c, t.ID, p.Roles); err != nil {
		return Person{}, s.deny(ctx, a, err)
	}
	err = s.perform(ctx, a, func() error {
		hash, err := s.hasher.hash(ctx, password)
		if err != nil {
			return err
		}
		if a.first {
			return s.store.AddFirstPerson(ctx, Account{Person: p, Password: hash})
		}
		return s.store.AddPerson(ctx, Account{Person: p, Password: hash})
	})
	if err != nil {
		return Person{}, err
	}
	return p, nil
}

// Person returns the person of tenant with this object id or user principal name.
func (s *Service) Person(ctx context.Context, tenant, idOrUPN string) (Person, error) {
	a, err := s.account(ctx, tenant, idOrUPN)
	return a.Person, err
}

func (s *Service) account(ctx context.Context, tenant, idOrUPN string) (Account, error) {
	name := strings.ToLower(idOrUPN)
	if isGUID(name) {
		return s.store.Person(ctx, tenant, name)
	}
	if _, _, ok := splitUPN(name); !ok {
		return Account{}, fault.New(fault.NotFound, "no such person")
	}
	return s.store.PersonByUPN(ctx, tenant, name)
}

// SetPassword gives a person of tenant a new password and ends all sign-ins. Who may create
// people may; people change their own by signing in with both (see Approval).
func (s *Service) SetPassword(ctx context.Context, c Caller, tenant, idOrUPN, password string, mustChange bool) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	return s.change(ctx, c, tenant, idOrUPN, "person.password", func(a Account) error {
		hash, err := s.hasher.hash(ctx, password)
		if err != nil {
			return err
		}
		return s.store.SetPassword(ctx, a, hash, mustChange)
	})
}

// SetDisabled locks a person of tenant out, or lets them in again. Sign-ins end at once;
// access tokens already given live out their hour.
func (s *Service) SetDisabled(ctx context.Context, c Caller, tenant, idOrUPN string, disabled bool) error {
	action := "person.enable"
	if disabled {
		action = "person.disable"
	}
	return s.change(ctx, c, tenant, idOrUPN, action, func(a Account) error {
		return s.store.SetDisabled(ctx, a.Tenant, a.ID, disabled)
	})
}

// change performs a change of one person. Whether that person exists is told only to who
// may change them.
func (s *Service) change(ctx context.Context, c Caller, tenant, idOrUPN, action string, do func(Account) error) error {
	a := act{caller: c, tenant: strings.ToLower(tenant), action: action, object: "people/" + clip(idOrUPN)}
	return s.perform(ctx, a, func() error {
		account, err := s.account(ctx, a.tenant, idOrUPN)
		if err != nil {
			return err
		}
		if err := mayGrant(c, a.tenant, account.Roles); err != nil {
			return err // who could not give a role must not take over its holder either
		}
		return do(account)
	})
}

func checkPerson(p Person, t Tenant) error {
	local, domain, ok := splitUPN(p.UPN)
	if !ok || local == "" || domain != t.Domain {
		return fault.New(fault.Invalid, "%.64q is not a name in %s", p.UPN, t.Domain).
			WithHint("give one such as alice@%s", t.Domain)
	}
	for _, r := range p.Roles {
		if !slices.Contains(peopleRoles, r) {
			return fault.New(fault.Invalid, "%.64q is not a role that people can hold", string(r))
		}
	}
	for _, l := range p.Licences {
		if !slices.Contains(licences, l) {
			return errLicence(string(l))
		}
	}
	return checkName("the person", p.DisplayName)
}

// mayGrant keeps the role that reaches beyond one tenant in the hands of those who have it, and
// in the tenant where they have it.
func mayGrant(c Caller, tenant string, roles []Role) error {
	mayAll := c.Kind == System || c.Has(ServiceOperator) && c.Tenant == tenant
	if slices.Contains(roles, ServiceOperator) && !mayAll {
		return fault.New(fault.Forbidden, "only a %s can give or manage that role", ServiceOperator)
	}
	return nil
}

// splitUPN cuts a lower-case user principal name into its two sides. ok is false for
// anything that cannot be one.
func splitUPN(upn string) (local, domain string, ok bool) {
	local, domain, ok = strings.Cut(upn, "@")
	if !ok || len(upn) > 256 || local == "" || !domainForm.MatchString(domain) {
		return "", "", false
	}
	for _, r := range local {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_!#^~'+$&", r) {
			return "", "", false
		}
	}
	return local, domain, true
}

func roleDetail(roles []Role) map[string]string {
	if len(roles) == 0 {
		return nil
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return map[string]string{"roles": strings.Join(names, ", ")}
}

// clip makes text from outside fit for a record: short, no control characters.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if isControl(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > 128 {
		s = strings.ToValidUTF8(s[:128], "") + "…"
	}
	return s
}
