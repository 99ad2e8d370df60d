package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
)

// audit is the verb audit: show entries, save a signed head, verify.
func (c *command) audit(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch strings.ToLower(args[0]) {
		case "head":
			return c.auditHead(ctx, args[1:])
		case "verify":
			return c.auditVerify(ctx, args[1:])
		}
	}
	return c.auditEntries(ctx, args)
}

// logFlag is which of a tenant's logs is meant: what the service decided, or its own vaults.
func logFlag(set interface {
	String(name, value, usage string) *string
}) *string {
	return set.String("log", "service", "which `LOG`: service (policies, items, sign-ins) or vault (keys)")
}

func (c *command) auditEntries(ctx context.Context, args []string) error {
	set := c.flags("audit", "[--log LOG] [--after N] [--json] | head -o FILE | verify --head FILE")
	name := logFlag(set)
	after := set.Int64("after", -1, "show entries behind index `N`")
	raw := set.Bool("json", false, "print each entry as its JSON line: the exact bytes that the log's tree covers")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fault.New(fault.Invalid, "ck audit knows no %q", set.Arg(0)).WithHint("use ck audit, ck audit head or ck audit verify")
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	table := columns(c.out)
	if !*raw {
		fmt.Fprintln(table, "INDEX\tTIME\tWHO\tACTION\tDECISION\tOBJECT\tDETAIL")
	}
	shown := 0
	for e, err := range api.AuditEntries(ctx, *name, *after) {
		if err != nil {
			return serviceFault(err)
		}
		if *raw {
			fmt.Fprintf(c.out, "%s\n", e.Leaf)
			continue
		}
		tell(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Index, e.Time.Local().Format("2006-01-02 15:04:05.000"),
			e.Caller.Name, e.Action, e.Decision, e.Object, detailText(e.Detail))
		if shown++; shown%200 == 0 { // rows of one batch line up; a long log does not wait for its end
			table.Flush()
		}
	}
	return table.Flush()
}

func detailText(detail map[string]string) string {
	raw, err := json.Marshal(detail) // sorted by name
	if err != nil || len(detail) == 0 {
		return ""
	}
	return string(raw)
}

// A saved head is what somebody keeps to check the log against later:
//
//	customerkey-log-head-v1
//	key <verifier key, as golang.org/x/mod/sumdb/note writes it>
//	(empty line)
//	<signed note>
const headHeader = "customerkey-log-head-v1"

func (c *command) auditHead(ctx context.Context, args []string) error {
	set := c.flags("audit head", "[--log LOG] [-o FILE]")
	name := logFlag(set)
	out := set.String("o", "", "`FILE` to keep the head in (default: print it)")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	head, key, err := fetchHead(ctx, api, *name)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\nkey %s\n\n%s", headHeader, key, head.Note)
	if *out == "" {
		_, err = io.WriteString(c.out, text)
		return err
	}
	if err := os.WriteFile(*out, []byte(text), 0o600); err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be written", *out).WithHint("choose a file in a folder that exists and can be written to")
	}
	fmt.Fprintf(c.out, "saved the head of %d entries; keep it where the service cannot change it\n", head.Size)
	return nil
}

// fetchHead gets the newest head of a log and checks that it bears the key's signature.
func fetchHead(ctx context.Context, api *client.Client, name string) (audit.Head, string, error) {
	keys, err := api.AuditKeys(ctx)
	if err != nil {
		return audit.Head{}, "", serviceFault(err)
	}
	got, err := api.AuditHead(ctx, name)
	if err != nil {
		return audit.Head{}, "", serviceFault(err)
	}
	head, err := audit.VerifyHead([]byte(got.Note), keys[name])
	return head, keys[name], err
}

func readHead(path string) (head audit.Head, key string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return head, "", fault.Wrap(fault.NotFound, err, "the saved head %s cannot be read", path).WithHint("save one with ck audit head -o FILE")
	}
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	line, note, _ := bytes.Cut(rest, []byte("\n\n"))
	text, found := strings.CutPrefix(string(line), "key ")
	if string(first) != headHeader || !found {
		return head, "", fault.New(fault.Invalid, "%s is no saved head", path).WithHint("save one with ck audit head -o FILE")
	}
	head, err = audit.VerifyHead(note, text)
	return head, text, err
}

// auditVerify reads a log from its first entry and checks that it leads to a head saved
// earlier: nothing before that head was changed, moved or left out. Entries come from the
// service, or from a file that ck audit --json wrote, and then no network is needed.
func (c *command) auditVerify(ctx context.Context, args []string) error {
	set := c.flags("audit verify", "--head FILE [--entries FILE]")
	saved := set.String("head", "", "`FILE` that ck audit head -o wrote; it says which log")
	entries := set.String("entries", "", "`FILE` that ck audit --json wrote (default: ask the service)")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	if *saved == "" {
		return fault.New(fault.Invalid, "ck audit verify needs --head FILE").WithHint("save a head first: ck audit head -o FILE")
	}
	old, key, err := readHead(*saved)
	if err != nil {
		return err
	}
	if *entries != "" {
		return c.verifyEntries(fileLeaves(*entries), old, old)
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	got, err := api.AuditHead(ctx, old.Log)
	if err != nil {
		return serviceFault(err)
	}
	now, err := audit.VerifyHead([]byte(got.Note), key) // the key of the saved head, not one that comes along
	if err != nil {
		return err
	}
	return c.verifyEntries(serviceLeaves(ctx, api, old.Log), old, now)
}

// verifyEntries feeds leaves to a verifier and checks it at the size of each head.
func (c *command) verifyEntries(leaves iter.Seq2[[]byte, error], old, now audit.Head) error {
	if now.Size < old.Size || now.Origin() != old.Origin() {
		return fault.New(fault.Corrupt, "the log has %d entries now, and had %d when the head was saved", now.Size, old.Size).
			WithHint("entries were removed, or this is another log; keep the saved head as evidence")
	}
	v := audit.NewVerifier(old.Tenant)
	check := func() error {
		for _, h := range []audit.Head{old, now} {
			if v.Size() == h.Size {
				if err := v.Check(h); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := check(); err != nil {
		return err
	}
	for leaf, err := range leaves {
		if v.Size() == now.Size {
			break // written since the newer head was signed
		}
		if err != nil {
			return serviceFault(err)
		}
		if _, err := v.Add(v.Size(), leaf); err != nil {
			return err
		}
		if err := check(); err != nil {
			return err
		}
	}
	if v.Size() < now.Size {
		return fault.New(fault.Corrupt, "the log gives %d entries, its signed head counts %d", v.Size(), now.Size).
			WithHint("entries were left out; keep the saved head as evidence")
	}
	fmt.Fprintf(c.out, "verified: %s holds %d entries, the first %d as they were when the head was saved\n", now.Origin(), now.Size, old.Size)
	return nil
}

func serviceLeaves(ctx context.Context, api *client.Client, log string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for e, err := range api.AuditEntries(ctx, log, -1) {
			if !yield(e.Leaf, err) {
				return
			}
		}
	}
}

func fileLeaves(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, fault.Wrap(fault.NotFound, err, "the entries %s cannot be read", path).WithHint("write them with ck audit --json"))
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(make([]byte, 0, 64<<10), 2*audit.MaxLeaf)
		for lines.Scan() {
			if !yield(bytes.Clone(lines.Bytes()), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, fault.Wrap(fault.Invalid, err, "the entries %s cannot be read", path))
		}
	}
}
