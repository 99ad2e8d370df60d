package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/importer"
)

// importing is the verb import.
func (c *command) importing(ctx context.Context, args []string) error {
	const usage = "mail --mailbox NAME PATH ... | files --container NAME PATH | files --site NAME PATH"
	kind, args := kindOf(args)
	set := c.flags("import", usage)
	mailbox := set.String("mailbox", "", "the mailbox, by its owner's `NAME` (mail)")
	container := set.String("container", "", "the document container `NAME` (files)")
	site := set.String("site", "", "the site `NAME` in place of a container (files)")
	workers := set.Int("workers", 8, "how many transfers run at once")
	if err := c.parse(set, args); err != nil {
		return err
	}
	target, err := transferTarget("import", kind, *mailbox, *container, *site)
	if err != nil {
		return err
	}
	paths := set.Args()
	if kind == "files" && len(paths) > 1 {
		return fault.New(fault.Invalid, "ck import files takes one folder at a time, not %d", len(paths)).WithHint("run it once for each")
	}
	if len(paths) == 0 {
		return fault.New(fault.Invalid, "ck import %s needs a path", kind).WithHint("usage: ck import " + usage)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return fault.Wrap(fault.NotFound, err, "%s cannot be read", path).WithHint("check the path")
		}
	}
	var things iter.Seq[importer.Thing]
	if kind == "mail" {
		things = each(paths, importer.Mail)
	} else {
		things = importer.Files(paths[0])
	}
	if target.Client, err = c.api(); err != nil {
		return err
	}
	return c.transfer(target, kind, *workers, sizeOf(paths), func(o importer.Options) error {
		return importer.Import(ctx, target, things, o)
	})
}

// exporting is the verb export.
func (c *command) exporting(ctx context.Context, args []string) error {
	const usage = "mail --mailbox NAME -o FOLDER | files --container NAME -o FOLDER | files --site NAME -o FOLDER"
	kind, args := kindOf(args)
	set := c.flags("export", usage)
	mailbox := set.String("mailbox", "", "the mailbox, by its owner's `NAME` (mail)")
	container := set.String("container", "", "the document container `NAME` (files)")
	site := set.String("site", "", "the site `NAME` in place of a container (files)")
	out := set.String("o", "", "`FOLDER` to write to; made if absent")
	force := set.Bool("force", false, "replace files that are there with other content")
	workers := set.Int("workers", 8, "how many transfers run at once")
	if err := c.parse(set, args); err != nil {
		return err
	}
	target, err := transferTarget("export", kind, *mailbox, *container, *site)
	if err != nil {
		return err
	}
	if *out == "" || set.NArg() > 0 {
		return fault.New(fault.Invalid, "ck export %s needs -o FOLDER and nothing behind it", kind).WithHint("usage: ck export " + usage)
	}
	layout := importer.AsPaths
	if kind == "mail" {
		layout = importer.AsMessages()
	}
	if target.Client, err = c.api(); err != nil {
		return err
	}
	return c.transfer(target, kind, *workers, 0, func(o importer.Options) error {
		o.Force = *force
		return importer.Export(ctx, target, *out, layout, o)
	})
}

// transfer runs a transfer with its progress on a terminal, the failures line by line, and a
// summary at the end.
func (c *command) transfer(target importer.Target, kind string, workers int, whole int64, run func(importer.Options) error) error {
	bar := newProgress(c.err, terminalWidth(c.err), whole)
	tally := &bar.tally
	start := time.Now()
	err := run(importer.Options{Workers: workers, Tally: tally, Failure: func(from string, err error) {
		bar.line("ck: %s: %s", from, reasonOf(err))
	}})
	bar.stop()
	if err != nil && tally.Done.Load()+tally.Unchanged.Load()+tally.Failed.Load() == 0 {
		return transferFault(err) // nothing began: no summary of nothing
	}
	one := map[string]string{"mail": "message", "files": "file"}[kind]
	took := max(time.Since(start), time.Millisecond)
	fmt.Fprintf(c.out, "%s %s: %s (%s) in %s, %s/s; %d unchanged, %d failed\n",
		target.Workload, target.Container, count(tally.Done.Load(), one), bytesText(tally.Bytes.Load()), took.Round(time.Millisecond),
		bytesText(int64(float64(tally.Bytes.Load())/took.Seconds())), tally.Unchanged.Load(), tally.Failed.Load())
	if err != nil {
		return transferFault(err)
	}
	if n := tally.Failed.Load(); n > 0 {
		return &someFailed{failed: n, what: one}
	}
	return nil
}

// transferFault says what ended a transfer, and that running it again is safe.
func transferFault(err error) error {
	f := fault.As(serviceFault(err))
	if f.Code != fault.Unavailable {
		return f
	}
	const again = "what is there already is not transferred twice"
	if _, answered := errors.AsType[*client.Error](err); answered && f.Hint != "" {
		return f.WithHint("%s; %s", f.Hint, again)
	}
	return f.WithHint("run it again when the service is back: %s", again)
}

// reasonOf says why one thing failed, with the hint if there is one.
func reasonOf(err error) string {
	var answer *client.Error
	if errors.As(err, &answer) && answer.Hint != "" {
		return answer.Message + " (" + answer.Hint + ")"
	}
	return err.Error()
}

func transferTarget(verb, kind, mailbox, container, site string) (importer.Target, error) {
	switch {
	case kind == "mail" && mailbox != "" && container+site == "":
		return importer.Target{Workload: "exchange", Container: mailbox}, nil
	case kind == "files" && container != "" && mailbox+site == "":
		return importer.Target{Workload: "documents", Container: container}, nil
	case kind == "files" && site != "" && mailbox+container == "":
		return importer.Target{Workload: "sharepoint", Container: site}, nil
	case kind == "mail":
		return importer.Target{}, fault.New(fault.Invalid, "ck %s mail needs --mailbox NAME", verb).WithHint("for example --mailbox alice@contoso.example")
	case kind == "files":
		return importer.Target{}, fault.New(fault.Invalid, "ck %s files needs --container NAME or --site NAME, one of them", verb).WithHint("for example --container contracts")
	}
	return importer.Target{}, fault.New(fault.Invalid, "ck %s takes mail or files", verb).WithHint("for example: ck %s mail --help", verb)
}

// kindOf splits the kind from what follows; flags alone name no kind.
func kindOf(args []string) (kind string, rest []string) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return "", args
	}
	return strings.ToLower(args[0]), args[1:]
}

func each(paths []string, find func(string) iter.Seq[importer.Thing]) iter.Seq[importer.Thing] {
	return func(yield func(importer.Thing) bool) {
		for _, path := range paths {
			for thing := range find(path) {
				if !yield(thing) {
					return
				}
			}
		}
	}
}

func sizeOf(paths []string) (bytes int64) {
	for _, path := range paths {
		bytes += importer.InputSize(path)
	}
	return bytes
}

// someFailed ends a transfer in which single things failed.
type someFailed struct {
	failed int64
	what   string
}

func (e *someFailed) Error() string {
	return fmt.Sprintf("%s failed; the lines above say which and why, the rest is done", count(e.failed, e.what))
}
