package main

import (
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
	"github.com/customerkey/customerkey/internal/policy"
)

// settings are what the flags of ck serve decide.
type settings struct {
	domain        string        // without port
	port          int           //
	lease         time.Duration // how long a policy key is held without asking a root again
	recoveryLevel string        // what root keys must have at least (CK-168, X-12)
	fileKeys      fileKeySettings
	throttle      *throttle.Throttle
	noLicences    bool      // mailbox policies are assigned without asking for licences (CK-179)
	approveByRule bool      // requests to register for mandatory retention are approved at once
	eventFolder   string    // where records of requests to vaults go; nowhere if ""
	eventLines    io.Writer // where they go as lines; nowhere if nil
	tokens        tokenSettings
	depart        departSettings
	roles         policy.Roles      // who may do what with policies
	webhooks      courier.Allowance // what webhooks may reach beyond the internet at large
	hardware      hardwareSettings
	availability  availabilitySettings
	onboarded     onboardingSettings
	exchange      exchangeSettings
}

// host returns name.domain:port as URLs carry it; the port is left out where https implies it.
func (s settings) host(name string) string {
	host := s.domain
	if name != "" {
		host = name + "." + s.domain
	}
	if s.port == 443 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(s.port))
}

// url returns the base URL of a face.
func (s settings) url(name string) string { return "https://" + s.host(name) }

func (s settings) check() error {
	switch {
	case s.port < 1 || s.port > 65535:
		return fault.New(fault.Invalid, "%d is no port", s.port).WithHint("give one from 1 to 65535 with --port")
	case s.lease < time.Second || s.lease > time.Hour:
		return fault.New(fault.Invalid, "a lease of %v is out of bounds", s.lease).WithHint("give one from 1s to 1h with --lease")
	case s.recoveryLevel != "Recoverable" && s.recoveryLevel != "Recoverable+ProtectedSubscription":
		return fault.New(fault.Invalid, "%q is no recovery level", s.recoveryLevel).WithHint("give Recoverable or Recoverable+ProtectedSubscription")
	case s.domain == "" || strings.ContainsAny(s.domain, ":/@ "):
		return fault.New(fault.Invalid, "%q is no domain", s.domain).WithHint("give a name without scheme and port, such as localhost")
	}
	return errors.Join(s.fileKeys.check(), s.tokens.check(), s.depart.check(), s.hardware.check(), s.availability.check(), s.onboarded.check(), s.exchange.check())
}
