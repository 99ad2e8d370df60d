package directory

import (
	"context"
	"errors"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// Authorities that name no tenant: the name of the person decides (row KV-130).
const (
	Common        = "common"
	Organizations = "organizations"
)

// Authenticate checks a person's name and password. authority is a tenant id, a domain,
// "common" or "organizations". The outcome is recorded before it is returned.
//
// A wrong password, an unknown name and a name of another tenant are one error after equal
// work: fault.Unauthenticated, InvalidCredentials. Five failures in a row close a name for a
// while, known or not (fault.Throttled). A right password of a disabled account is
// fault.Forbidden with AccountDisabled, a right one-time password with PasswordMustChange.
func (s *Service) Authenticate(ctx context.Context, authority, upn, password string, from Origin) (Person, error) {
	a, err := s.signIn(ctx, attempt{authority: authority, upn: upn, password: password, from: from})
	return a.Person, err
}

// An attempt is one try to sign in with a password.
type attempt struct {
	authority, upn string
	password       string
	newPassword    string // takes the place of password if not empty
	client         string // app id, for the record
	from           Origin
}

// signIn checks an attempt, records the outcome, and returns the account with its new
// password in place if one was given.
func (s *Service) signIn(ctx context.Context, try attempt) (Account, error) {
	try.upn = strings.ToLower(strings.TrimSpace(try.upn))
	tenant, account, err := s.candidate(ctx, try.authority, try.upn)
	if err != nil {
		return Account{}, err
	}
	right, err := s.guess(ctx, tenant+" "+clip(try.upn), account.Password, try.password)
	if err != nil {
		return Account{}, err // the password was not looked at, so there is nothing to record
	}
	if tenant == "" {
		return Account{}, errCredentials() // a domain that nobody has: there is no log to record it in
	}
	a := act{
		caller: Caller{
			Tenant: tenant, ID: account.ID, Kind: User, Name: clip(try.upn), App: try.client,
			Address: try.from.Address, Request: try.from.Request,
		},
		tenant: tenant, action: "signin.password", object: "people/" + clip(try.upn), detail: map[string]string{},
	}
	if try.client != "" {
		a.detail["client"] = publicClients[try.client]
	}
	if err := standing(right, account, try); err != nil {
		a.detail["reason"] = fault.As(err).Reason
		return Account{}, s.deny(ctx, a, err)
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Account{}, err
	}
	if try.newPassword == "" {
		return account, nil
	}
	return s.renewPassword(ctx, a, account, try.newPassword)
}

// candidate returns the tenant in which upn is to be looked for and the account there. An
// unknown account is the zero Account, a domain that no tenant has is the tenant "".
func (s *Service) candidate(ctx context.Context, authority, upn string) (string, Account, error) {
	_, domain, named := splitUPN(upn)
	anyTenant := authority == Common || authority == Organizations
	if anyTenant {
		authority = domain
	}
	t, err := s.Tenant(ctx, authority)
	if anyTenant && fault.Is(err, fault.NotFound) {
		return "", Account{}, nil
	}
	if err != nil || !named {
		return t.ID, Account{}, err
	}
	account, err := s.store.PersonByUPN(ctx, t.ID, upn)
	if fault.Is(err, fault.NotFound) {
		return t.ID, Account{}, nil
	}
	return t.ID, account, err
}

// guess reports whether password matches the stored hash. The throttle is asked when the
// guess has its slot, so guesses that arrive together do not slip past it.
func (s *Service) guess(ctx context.Context, name, stored, password string) (right bool, err error) {
	err = s.hasher.slot(ctx, func() error {
		if err := closed(s.passwords.wait(name, s.now()), "too many wrong passwords for this name"); err != nil {
			return err
		}
		if right = len(password) <= MaxPassword && matches(stored, password); right {
			s.passwords.succeeded(name)
		} else {
			s.passwords.failed(name, s.now())
		}
		return nil
	})
	return right, err
}

// standing says why an attempt is refused. Anything but the one error for wrong names and
// passwords is told only to who knows the password.
func standing(right bool, account Account, try attempt) error {
	switch {
	case !right:
		return errCredentials()
	case account.Disabled:
		return fault.New(fault.Forbidden, "this account is disabled").WithReason(AccountDisabled).
			WithHint("ask an administrator of your organisation")
	case account.MustChangePassword && try.newPassword == "":
		return fault.New(fault.Forbidden, "this password was for one time: choose a new one").WithReason(PasswordMustChange).
			WithHint("sign in again with the same password and a new one of at least %d characters", MinPassword)
	case try.newPassword == "":
		return nil
	case try.newPassword == try.password:
		return fault.New(fault.Invalid, "the new password is the old one").WithReason(WeakPassword)
	}
	return checkPassword(try.newPassword)
}

// renewPassword replaces the password of an account that has just signed in. It ends every
// other sign-in of the person.
func (s *Service) renewPassword(ctx context.Context, a act, account Account, password string) (Account, error) {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Account{}, err
	}
	a.action = "person.password"
	if err := s.record(ctx, a, "allow"); err != nil {
		return Account{}, err
	}
	if err := s.store.SetPassword(ctx, account, hash, false); err != nil {
		return Account{}, errors.Join(err, s.record(ctx, a, "fail"))
	}
	account.Password, account.MustChangePassword = hash, false
	account.Epoch++
	return account, nil
}

func errCredentials() error {
	return fault.New(fault.Unauthenticated, "the name or the password is not right").WithReason(InvalidCredentials).
		WithHint("check both; names look like alice@contoso.example")
}
