package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/fault"
)

// list is the verb list: the containers of a workload, or the items of a container.
func (c *command) list(ctx context.Context, args []string) error {
	set := c.flags("list", "[--json] WORKLOAD [CONTAINER]")
	asJSON := set.Bool("json", false, "one JSON object per line")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() > 2 {
		return fault.New(fault.Invalid, "ck list takes a workload and a container, not %q", set.Arg(2)).WithHint("quote a name with spaces")
	}
	if set.NArg() == 0 {
		return fault.New(fault.Invalid, "ck list needs a workload").WithHint("for example: ck list exchange, or ck list exchange alice@contoso.example")
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	if set.NArg() == 1 {
		return c.listContainers(ctx, api, set.Arg(0), *asJSON)
	}
	return c.listItems(ctx, api, set.Arg(0), set.Arg(1), *asJSON)
}

func (c *command) listContainers(ctx context.Context, api *client.Client, workload string, asJSON bool) error {
	w := columns(c.out)
	if !asJSON {
		fmt.Fprintln(w, "CONTAINER\tCREATED")
	}
	for x, err := range api.Containers(ctx, workload, "") {
		if err != nil {
			return serviceFault(err)
		}
		if asJSON {
			if err := tellJSON(c.out, map[string]any{"container": x.Name, "created": x.Created}); err != nil {
				return err
			}
			continue
		}
		tell(w, "%s\t%s\n", x.Name, x.Created.Local().Format("2006-01-02 15:04"))
	}
	return w.Flush()
}

func (c *command) listItems(ctx context.Context, api *client.Client, workload, container string, asJSON bool) error {
	w := columns(c.out)
	if !asJSON {
		fmt.Fprintln(w, "ITEM\tSIZE\tMODIFIED\tNAME")
	}
	shown := 0
	for x, err := range api.List(ctx, workload, container, "") {
		if err != nil {
			return serviceFault(err)
		}
		if asJSON {
			row := map[string]any{
				"item": x.Item, "size": x.Size, "contentType": x.ContentType, "name": x.Name, "sha256": fmt.Sprintf("%x", x.Digest),
				"modified": x.Modified, "damaged": x.Damaged,
			}
			if err := tellJSON(c.out, row); err != nil {
				return err
			}
			continue
		}
		name := x.Name
		if x.Damaged {
			name = "(damaged: the metadata does not open)"
		}
		tell(w, "%s\t%d\t%s\t%s\n", x.Item, x.Size, x.Modified.Local().Format("2006-01-02 15:04"), name)
		if shown++; shown%200 == 0 {
			w.Flush()
		}
	}
	return w.Flush()
}

// serviceFault keeps the code and the hint of what the service answered, so that the command
// ends with the exit code that belongs to it.
func serviceFault(err error) error {
	var answer *client.Error
	if errors.As(err, &answer) {
		return fault.New(fault.Code(answer.Code), "%s", answer.Message).WithHint("%s", answer.Hint)
	}
	var f *fault.Error
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the service cannot be reached: %v", err).WithHint("is ck serve running?")
}
