package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// seal is the verb seal: what an operator does to the sealing keys.
func (c *command) seal(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "status":
			return c.sealStatus(ctx, args[1:])
		case "rotate":
			return c.sealRotate(ctx, args[1:])
		case "move":
			return c.sealMove(ctx, args[1:])
		}
	}
	set := c.flags("seal", "status | rotate SEAL | move --to KIND")
	if err := c.parse(set, args); err != nil {
		return err
	}
	return fault.New(fault.Invalid, "ck seal needs status, rotate or move").WithHint("for example: ck seal status")
}

// sealStatus asks the server, or reads the folders of this machine.
func (c *command) sealStatus(ctx context.Context, args []string) error {
	set := c.flags("seal status", "[--json] [--data DIR [--seals DIR]]")
	asJSON := set.Bool("json", false, "print one JSON object")
	data := set.String("data", "", "read the data folder `DIR` of this machine instead of asking the server as an operator")
	seals := set.String("seals", "", "folder `DIR` of its sealing keys")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	report, err := c.sealReport(ctx, *data, *seals)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(c.out).Encode(report)
	}
	return c.printSeals(report)
}

func (c *command) sealReport(ctx context.Context, data, seals string) (report api.SealReport, err error) {
	if data == "" {
		return report, c.call(ctx, "GET", "/v1/seals", nil, &report)
	}
	r, err := datafolder.Look(data, seals)
	report = api.SealReport{Folder: r.Folder, Kind: string(r.Holder.Kind), Holder: r.Holder.String()}
	for _, k := range r.Keys {
		report.Keys = append(report.Keys, api.SealKey(k))
	}
	return report, err
}

func (c *command) printSeals(r api.SealReport) error {
	fmt.Fprintf(c.out, "sealing keys of data folder %s, held by %s\n\n", r.Folder, r.Holder)
	w := columns(c.out)
	fmt.Fprintln(w, "SEAL\tKEY\tSTATE\tSINCE\tROTATION")
	for _, k := range r.Keys {
		rotation := ""
		if i := slices.IndexFunc(r.Rotation, func(p seal.Progress) bool { return p.Name == k.Seal }); i >= 0 && k.State == "current" {
			rotation = rotationText(r.Rotation[i])
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.Seal, k.ID, k.State, k.Since.Local().Format("2006-01-02 15:04:05"), rotation)
	}
	return w.Flush()
}

func rotationText(p seal.Progress) string {
	switch p.Stage {
	case seal.Moving:
		return fmt.Sprintf("moving: %d of %d", p.Done, p.Total)
	case seal.Waiting:
		return fmt.Sprintf("waiting for the end of %d requests", p.Waiting)
	case seal.Stuck:
		return fmt.Sprintf("stuck: %d things do not open (%s); the former key is kept", p.Stuck, p.Error)
	case seal.Failing:
		return "failing, is tried again: " + p.Error
	}
	return p.Stage
}

// sealRotate begins rotations, and waits for their end.
func (c *command) sealRotate(ctx context.Context, args []string) error {
	set := c.flags("seal rotate", "[--no-wait] service|vault|availability|all")
	noWait := set.Bool("no-wait", false, "return when the new key is current; the old one is moved away from in the background")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() != 1 {
		return fault.New(fault.Invalid, "ck seal rotate needs one seal").WithHint("for example: ck seal rotate vault")
	}
	names := []string{strings.ToLower(set.Arg(0))}
	if names[0] == "all" {
		names = []string{"service", "vault", "availability"}
	}
	for _, name := range names {
		if err := c.call(ctx, "POST", "/v1/seals/"+url.PathEscape(name)+"/rotate", nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s: new things are sealed under a new key\n", name)
		if *noWait {
			continue
		}
		if err := c.awaitRotation(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// awaitRotation returns when nothing is under the old key any more and it is destroyed.
func (c *command) awaitRotation(ctx context.Context, name string) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		var r api.SealReport
		if err := c.call(ctx, "GET", "/v1/seals", nil, &r); err != nil {
			return err
		}
		i := slices.IndexFunc(r.Rotation, func(p seal.Progress) bool { return p.Name == name })
		if i < 0 {
			return fault.New(fault.Unavailable, "the server does not say how far it is").WithHint("see: ck seal status")
		}
		switch r.Rotation[i].Stage {
		case seal.Idle:
			fmt.Fprintf(c.out, "%s: nothing is under the old key any more; it is destroyed\n", name)
			return nil
		case seal.Stuck:
			return fault.New(fault.Corrupt, "%s", rotationText(r.Rotation[i])).WithHint("see the log of the server; what is named there was damaged before")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// sealMove gives the sealing keys of a stopped server to another holder.
func (c *command) sealMove(ctx context.Context, args []string) error {
	set := c.flags("seal move", "--to KIND [flags]")
	data := set.String("data", "", "data folder `DIR` (default: customerkey in the user's data folder)")
	seals := set.String("seals", "", "folder `DIR` of sealing keys (default: in the user's configuration folder, apart from the data)")
	from := set.String("from-passphrase-file", "", "`PATH` of the file with the present passphrase, if it is a passphrase that holds them now")
	to := addHolderFlags(set, "to", "what is to hold the sealing keys: file, passphrase, vault or pkcs11 (`KIND`)")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	if !slices.Contains(holder.Kinds, holder.Kind(to.kind)) {
		return fault.New(fault.Invalid, "ck seal move needs --to with file, passphrase, vault or pkcs11, not %q", to.kind).
			WithHint("for example: ck seal move --to passphrase")
	}
	if *data == "" {
		path, err := datafolder.DefaultPath()
		if err != nil {
			return err
		}
		*data = path
	}
	if _, err := datafolder.Look(*data, *seals); fault.Is(err, fault.NotFound) {
		return err // a move makes no data folder
	}
	now := c.holders(&holderFlags{passphrase: *from})
	folder, err := c.openFolder(ctx, datafolder.Config{Path: *data, Seals: *seals, Holders: now}, to.wait)
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // gives up a lock, which the end of the process does too
	if err := folder.Move(ctx, c.holders(to).New); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "the sealing keys are held by %s\n", folder.Report().Holder)
	return nil
}
