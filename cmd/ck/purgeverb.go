package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/purge"
)

// purge is the verb purge: check the signed record of what was destroyed, without the service.
func (c *command) purge(_ context.Context, args []string) error {
	set := c.flags("purge", "verify [--key KEY] FILE")
	key := set.String("key", "", "`KEY` to check the record with: the VerifierKey that Get-CKPurge showed (default: the one in FILE)")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() != 2 || !strings.EqualFold(set.Arg(0), "verify") {
		return fault.New(fault.Invalid, "ck purge checks the record of a purge").
			WithHint("keep one with: ck Get-CKPurge -Identity POLICY -OutputFormat json > FILE; check it with: ck purge verify FILE")
	}
	note, own, err := readRecord(set.Arg(1))
	if err != nil {
		return err
	}
	if *key == "" && own == "" {
		return fault.New(fault.Invalid, "the file names no key to check the record with").WithHint("give it with --key; Get-CKPurge shows it as VerifierKey")
	}
	trusted := *key
	if trusted == "" {
		trusted = own
	}
	r, err := purge.VerifyRecord(note, trusted)
	if err != nil {
		return err
	}
	c.printRecord(r)
	if *key == "" {
		tell(c.out, "checked with the key in the same file, %s: compare it with one that you kept\n", own)
	}
	return nil
}

func (c *command) printRecord(r purge.Record) {
	w := columns(c.out)
	tell(w, "policy\t%s (%s, %s)\n", r.Name, r.Policy, r.Family)
	tell(w, "asked for by\t%s, %s: %s\n", r.AskedBy.Name, r.AskedBy.At.Format(time.RFC3339), r.Reason)
	for _, p := range r.Approved {
		tell(w, "approved by\t%s, as %s, %s\n", p.Name, p.As, p.At.Format(time.RFC3339))
	}
	tell(w, "destroyed\t%d policy keys, %d container keys, %d items of %d bytes, %d availability keys\n",
		len(r.Gone.Generations), r.Gone.ContainerKeys, r.Gone.Items, r.Gone.Bytes, len(r.Gone.AvailabilityKeys))
	tell(w, "finished\t%s\n", r.Finished.Format(time.RFC3339))
	w.Flush()
	fmt.Fprintln(c.out, "the record is whole, and signed by the service")
}

// readRecord returns the signed record in a file, and the key that stands beside it: a file that
// Get-CKPurge printed as JSON, or the record alone.
func readRecord(path string) (note []byte, key string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fault.Wrap(fault.NotFound, err, "the record %s cannot be read", path)
	}
	var printed []struct{ Record, VerifierKey string }
	if !json.Valid(raw) { // it is the record alone
		return raw, "", nil
	}
	if err := json.Unmarshal(raw, &printed); err != nil || len(printed) != 1 || printed[0].Record == "" {
		return nil, "", fault.New(fault.Invalid, "%s holds no record of a purge", path).WithHint("there is one once the purge was carried out: Get-CKPurge shows when")
	}
	return []byte(printed[0].Record), printed[0].VerifierKey, nil
}
