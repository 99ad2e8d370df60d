package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/store"
)

// departSettings say how customers lose their keys and leave.
type departSettings struct {
	families        string        // of policies that may be purged, separated by commas
	purgeWait       time.Duration // between the last approval of a purge and its beginning
	recoverySpan    time.Duration // how long a recovery lasts
	offboarding     string        // who approves it: operator or automatically
	sharePointLeave bool          // SharePoint may go back to the service's keys
}

func (s *departSettings) flags(set *flag.FlagSet) {
	set.StringVar(&s.families, "purge-families", "mailbox", "`LIST` of the families whose policies may be purged: mailbox, sharepoint, multi-workload")
	set.DurationVar(&s.purgeWait, "purge-wait", 72*time.Hour, "how long an approved purge can still be stopped")
	set.DurationVar(&s.recoverySpan, "recovery-span", 24*time.Hour, "how long a recovery opens the content of a policy without its root keys")
	set.StringVar(&s.offboarding, "approve-offboarding", "operator", "`WHO` approves that a policy goes back to the keys of the service: operator, or automatically")
	set.BoolVar(&s.sharePointLeave, "offboard-sharepoint", false, "let SharePoint policies go back to the keys of the service")
}

func (s *departSettings) check() error {
	_, err := s.purgeFamilies()
	switch {
	case s.families == "": // of a variable that is not set: no reason to purge anything
		return fault.New(fault.Invalid, "no family of policies is named that may be purged").WithHint("--purge-families takes mailbox, sharepoint and multi-workload, separated by commas")
	case err != nil:
		return err
	case s.purgeWait < 0 || s.purgeWait > 90*24*time.Hour:
		return fault.New(fault.Invalid, "a wait of %v before a purge is out of bounds", s.purgeWait).WithHint("give one of up to 2160h with --purge-wait")
	case s.recoverySpan < time.Minute || s.recoverySpan > 30*24*time.Hour:
		return fault.New(fault.Invalid, "a recovery of %v is out of bounds", s.recoverySpan).WithHint("give one from 1m to 720h with --recovery-span")
	case s.offboarding != "operator" && s.offboarding != "automatically":
		return fault.New(fault.Invalid, "%q is no way to approve offboarding", s.offboarding).WithHint("give operator or automatically")
	}
	return nil
}

func (s *departSettings) purgeFamilies() (list []policy.Family, err error) {
	for _, name := range strings.Split(cmp.Or(s.families, string(policy.Mailbox)), ",") {
		switch f := policy.Family(strings.TrimSpace(name)); f {
		case policy.Mailbox, policy.SharePoint, policy.MultiWorkload:
			list = append(list, f)
		default:
			return nil, fault.New(fault.Invalid, "%q is no family of policies", name).WithHint("--purge-families takes mailbox, sharepoint and multi-workload, separated by commas")
		}
	}
	return list, nil
}

// ledgerFile is the name of the ledger of purges, in the data folder and beside the sealing keys.
const ledgerFile = "purged.ledger"

// openLedger opens the ledger of purges. It lies in the availability database, in the data
// folder, and beside the sealing keys, which no restore of the data touches: whatever of these
// an operator puts back from a backup learns from the others what was purged since.
func (n *node) openLedger(ctx context.Context) error {
	seed, err := n.folder.Secret("log-service", n.folder.Seals.Service, newSeed)
	if err != nil {
		return err
	}
	places := []purge.Place{store.NewPurgeLedger(n.availabilityDB), purge.NewFile(n.folder.File(ledgerFile))}
	if apart := n.folder.SealFile(ledgerFile); there(apart) || writable(apart) { // what stands there counts, also if no more can be added
		places = append(places, purge.NewFile(apart))
	} else {
		n.log.Warn("the folder of the sealing keys cannot be written, so the ledger of purges lies beside the data alone", "file", apart)
	}
	if n.ledger, err = purge.Open(ctx, purge.Config{Key: ed25519.NewKeyFromSeed(seed), Places: places}); err != nil {
		return err
	}
	for _, name := range n.ledger.Restored() {
		n.log.Warn("a copy of the ledger of purges lacked purges that another has: it comes from a backup, and was completed", "copy", name)
	}
	return nil
}

// there reports whether something is at a path, or may be: only what is surely not there is not.
func there(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// writable reports whether a file can be appended to, or made.
func writable(path string) bool {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return err == nil && file.Close() == nil
}

// purging is what policies need for a purge.
func (n *node) purging() (*policy.Purging, error) {
	families, err := n.depart.purgeFamilies()
	if err != nil {
		return nil, err
	}
	return &policy.Purging{
		Store: store.NewPurge(n.serviceDB), Ledger: n.ledger, Shredder: n.available, Families: families,
		Request: store.NewRequest(n.serviceDB).Request,
		Head: func(ctx context.Context, tenant string) (string, error) {
			h, err := n.serviceLog.Head(ctx, tenant)
			return string(h.Note), err
		},
	}, nil
}

// tendPause is how often the time of recoveries and waiting periods is counted.
const tendPause = 5 * time.Second

// tendTimes counts the time of recoveries and waiting periods until ctx ends.
func (n *node) tendTimes(ctx context.Context) {
	for {
		if err := n.requests.Tend(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("counting waiting periods", "err", err)
		}
		if err := n.policies.TendRecoveries(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("counting the time of recoveries", "err", err)
		}
		if err := n.policies.SettlePurges(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("looking after purges that came to nothing", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tendPause):
		}
	}
}
