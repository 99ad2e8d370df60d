package main

import (
	"flag"
	"io"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
)

// serveFlags are the flags of ck serve: the settings, and what is said once and read at the start.
type serveFlags struct {
	settings
	data, seals, listen string
	held                *holderFlags
	sample, verbose     bool

	licences, approve string // words that the settings stand for
	limits, roleMap   string // perhaps files
	hooks             string
	lines             bool
}

func (f *serveFlags) flags(set *flag.FlagSet) {
	set.StringVar(&f.data, "data", "", "data folder `DIR` (default: customerkey in the user's data folder)")
	set.StringVar(&f.seals, "seals", "", "folder `DIR` of sealing keys (default: in the user's configuration folder, apart from the data)")
	f.held = addHolderFlags(set, "seal", "what holds the sealing keys of a new data folder: file, passphrase, vault or pkcs11 (`KIND`; default file)")
	set.StringVar(&f.listen, "listen", "127.0.0.1,::1", "`ADDRESSES` to listen on, separated by commas")
	set.IntVar(&f.port, "port", 8443, "`PORT` to listen on")
	set.StringVar(&f.domain, "domain", "localhost", "`DOMAIN` whose names the faces have")
	set.BoolVar(&f.sample, "sample", false, "make the tenant Contoso to try things out with, and sign in to it")
	set.DurationVar(&f.lease, "lease", 60*time.Second, "how long a root key's answer holds; a change in this server's own vaults is obeyed at once")
	set.StringVar(&f.recoveryLevel, "recovery-level", "Recoverable+ProtectedSubscription", "recovery `LEVEL` that root keys must have: this one or Recoverable")
	set.StringVar(&f.limits, "throttle", "off", "limit what each vault may be asked: off, azure, or a JSON `FILE` of other numbers")
	set.StringVar(&f.licences, "licences", "enforce", "whether a person needs a licence to be given a mailbox policy: enforce or ignore")
	set.StringVar(&f.approve, "approve-retention", "operator", "`WHO` approves that a subscription registers for mandatory retention: operator, or automatically")
	set.StringVar(&f.eventFolder, "vault-log", "", "write a record of each request to a vault into hourly files below `DIR`")
	set.BoolVar(&f.lines, "vault-log-stdout", false, "write these records to the standard output, each on a line")
	set.StringVar(&f.hooks, "webhook-allow", "", "what webhooks may reach beyond the internet: `LIST` of addresses, blocks, hosts and .domains")
	set.StringVar(&f.roleMap, "roles", "", "JSON `FILE` that says which roles may do what with policies (default: as in docs/roles.md)")
	set.BoolVar(&f.verbose, "verbose", false, "log each failed request and long operation in full")
	f.fileKeys.flags(set)
	f.tokens.flags(set)
	f.depart.flags(set)
	f.hardware.flags(set)
	f.availability.flags(set)
	f.onboarded.flags(set)
	f.exchange.flags(set)
}

// read turns what was given into settings, or says what is wrong with it. Records of requests go
// to out where they go to the standard output.
func (f *serveFlags) read(out io.Writer) (err error) {
	f.domain = strings.ToLower(f.domain)
	if f.noLicences = f.licences == "ignore"; !f.noLicences && f.licences != "enforce" {
		return fault.New(fault.Invalid, "%q is no way to treat licences", f.licences).WithHint("give enforce or ignore")
	}
	if f.approveByRule = f.approve == "automatically"; !f.approveByRule && f.approve != "operator" {
		return fault.New(fault.Invalid, "%q is no way to approve retention", f.approve).WithHint("give operator or automatically")
	}
	if f.lines {
		f.eventLines = out
	}
	if err := f.check(); err != nil {
		return err
	}
	if f.throttle, err = readThrottle(f.limits); err != nil {
		return err
	}
	if f.roles, err = readRoles(f.roleMap); err != nil {
		return err
	}
	f.webhooks, err = courier.ParseAllowance(f.hooks)
	return err
}
