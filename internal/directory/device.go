package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of device codes (RFC 8628).
const (
	deviceLife = 15 * time.Minute
	maxDevices = 10_000 // waiting at once, over all tenants
	userLetter = 8      // letters of a user code: 34 bits, guarded by a throttle
)

// A DeviceCode is what StartDevice gives to the program that wants to sign a person in.
type DeviceCode struct {
	Code     string // secret; the program redeems it
	UserCode string // "BCDF-GHJK"; the person types it
	Expires  time.Time
	Interval time.Duration // the program should not ask more often
}

// StartDevice begins the sign-in of a person through another screen. authority is a tenant
// id, a domain, "common" or "organizations"; client one of the known programs; scope names
// the resource. An address, or a network of IPv6, that starts 200 of them without finishing one
// has to wait: nobody can use up the places of all others.
func (s *Service) StartDevice(ctx context.Context, authority, client, scope string, from Origin) (DeviceCode, error) {
	client = strings.ToLower(client)
	if publicClients[client] == "" {
		return DeviceCode{}, errClient(client)
	}
	if _, err := s.audience(scope); err != nil {
		return DeviceCode{}, err
	}
	authority, err := s.authority(ctx, authority)
	if err != nil {
		return DeviceCode{}, err
	}
	now := s.now()
	if err := closed(s.starts.wait(network(from.Address), now), "too many sign-ins were started and not finished"); err != nil {
		return DeviceCode{}, err
	}
	s.starts.failed(network(from.Address), now)
	code, user := randomText(32), pick(consonants, userLetter)
	d := Device{
		Hash: digest(code), UserHash: s.userHash(user), Authority: authority, Client: client, Scope: scope,
		State: DevicePending, Created: now, Expires: now.Add(deviceLife),
	}
	if err := s.store.AddDevice(ctx, d, now.Add(-deviceLife), maxDevices); err != nil {
		return DeviceCode{}, err
	}
	return DeviceCode{Code: code, UserCode: user[:4] + "-" + user[4:], Expires: d.Expires, Interval: s.poll}, nil
}

// authority returns the id of the tenant that authority names, or one of the words that
// stand for any.
func (s *Service) authority(ctx context.Context, authority string) (string, error) {
	if authority == Common || authority == Organizations {
		return authority, nil
	}
	t, err := s.Tenant(ctx, authority)
	return t.ID, err
}

// An Approval is what a person enters to let a device in.
type Approval struct {
	UserCode      string
	UPN, Password string
	NewPassword   string // needed with a one-time password, else optional
	From          Origin
}

// ApproveDevice signs a person in and lets the device with that user code in as them. The
// errors are those of Authenticate, and UnknownCode for codes that are not waiting (wrong,
// expired, approved already: one answer). Ten wrong codes close an address, or a network of IPv6,
// for a while.
func (s *Service) ApproveDevice(ctx context.Context, p Approval) (Person, error) {
	d, err := s.waiting(ctx, p.UserCode, p.From.Address)
	if err != nil {
		return Person{}, err
	}
	account, err := s.signIn(ctx, attempt{
		authority: d.Authority, upn: p.UPN, password: p.Password, newPassword: p.NewPassword, client: d.Client, from: p.From,
	})
	if err != nil {
		return Person{}, err
	}
	if err := s.store.ApproveDevice(ctx, d.Hash, account); fault.Is(err, fault.Conflict) {
		return Person{}, errUserCode()
	} else if err != nil {
		return Person{}, err
	}
	return account.Person, nil
}

// WaitingClient returns the name of the program that waits under a user code, for the page
// that asks a person to approve it. Errors are those of ApproveDevice.
func (s *Service) WaitingClient(ctx context.Context, userCode, address string) (string, error) {
	d, err := s.waiting(ctx, userCode, address)
	return publicClients[d.Client], err
}

// waiting finds a pending device by its user code. Letters may be in any case, with or
// without the dash.
func (s *Service) waiting(ctx context.Context, userCode, address string) (Device, error) {
	now := s.now()
	if err := closed(s.codes.wait(network(address), now), "too many wrong codes"); err != nil {
		return Device{}, err
	}
	code := strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(userCode))
	if len(code) != userLetter {
		return Device{}, errUserCode() // a slip of the finger: no code looks like that
	}
	d, err := s.store.DeviceByUserCode(ctx, s.userHash(code))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Device{}, err
	}
	if err != nil || d.State != DevicePending || !now.Before(d.Expires) {
		s.codes.failed(network(address), now)
		return Device{}, errUserCode()
	}
	return d, nil
}

// RedeemDevice gives the tokens of an approved device code, once. Before that it refuses
// with AuthorizationPending, with SlowDown if asked more often than the interval, and with
// ExpiredCode or UnknownCode. scope may be empty for the one that the device started with.
func (s *Service) RedeemDevice(ctx context.Context, authority, client, code, scope string, from Origin) (Tokens, error) {
	authority, err := s.authority(ctx, authority)
	if err != nil {
		return Tokens{}, err
	}
	d, err := s.device(ctx, authority, client, code)
	if err != nil {
		return Tokens{}, err
	}
	if d.State == DevicePending {
		return Tokens{}, s.pending(ctx, d)
	}
	if scope == "" {
		scope = d.Scope
	}
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	account, err := s.store.Person(ctx, d.Tenant, d.Person)
	if err != nil {
		return Tokens{}, err
	}
	a := tokenAct("token.device", account, d.Client, audience, from)
	if account.Disabled || account.Epoch != d.Epoch {
		return Tokens{}, s.deny(ctx, a, errDeviceCode())
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	grant, token, text := s.newGrant(account, d.Client, d.Scope)
	if err := s.store.RedeemDevice(ctx, d.Hash, grant, token); fault.Is(err, fault.Conflict) {
		return Tokens{}, errors.Join(errDeviceCode(), s.record(ctx, a, "fail")) // another was faster
	} else if err != nil {
		return Tokens{}, errors.Join(err, s.record(ctx, a, "fail"))
	}
	s.starts.succeeded(network(from.Address))
	tokens, err := s.personTokens(ctx, issue{account.Person, d.Client, byNothing, audience, scope, ""})
	tokens.Refresh = text
	return tokens, err
}

// device finds a code that may still be redeemed, by the client and at the authority that
// it was made for.
func (s *Service) device(ctx context.Context, authority, client, code string) (Device, error) {
	d, err := s.store.Device(ctx, digest(code))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Device{}, err
	}
	anyTenant := authority == Common || authority == Organizations
	switch {
	case err != nil, d.Client != strings.ToLower(client), d.State == DeviceRedeemed,
		!anyTenant && authority != d.Authority && authority != d.Tenant:
		return Device{}, errDeviceCode()
	case !s.now().Before(d.Expires):
		return Device{}, fault.New(fault.Invalid, "the code has expired").WithReason(ExpiredCode).WithHint("sign in again")
	}
	return d, nil
}

// pending answers a device whose code nobody has approved. One that asks a little early,
// by a fifth of the interval, is forgiven: networks are uneven.
func (s *Service) pending(ctx context.Context, d Device) error {
	now := s.now()
	if since := now.Sub(d.Polled); since >= 0 && since < s.poll*4/5 {
		return fault.New(fault.Throttled, "asked again too soon").WithReason(SlowDown).WithHint("wait %s between two questions", s.poll)
	}
	if err := s.store.SetPolled(ctx, d.Hash, now); err != nil {
		return err
	}
	return fault.New(fault.Forbidden, "nobody has approved the sign-in yet").WithReason(AuthorizationPending).
		WithHint("open the address, enter the code and sign in")
}

// userHash is how user codes are stored. They are short, so the hash is keyed: the table
// alone does not tell them.
func (s *Service) userHash(code string) []byte {
	key := s.userCodes.Derive("user code 1").Expose()
	defer clear(key)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(code))
	return mac.Sum(nil)
}

func errUserCode() error {
	return fault.New(fault.NotFound, "no sign-in is waiting under this code").WithReason(UnknownCode).
		WithHint("check the code; it is good for 15 minutes and for one sign-in")
}

func errDeviceCode() error {
	return fault.New(fault.Invalid, "the device code is not known or was used").WithReason(UnknownCode).WithHint("sign in again")
}
