package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// tenant is the verb tenant: what an operator of the service does for a new customer.
func (c *command) tenant(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "add":
			return c.tenantAdd(ctx, args[1:])
		case "list":
			return c.tenantList(ctx, args[1:])
		}
	}
	set := c.flags("tenant", "add DOMAIN [--name NAME] [--admin USER] | list")
	if err := c.parse(set, args); err != nil {
		return err
	}
	return fault.New(fault.Invalid, "ck tenant needs add or list").WithHint("for example: ck tenant add contoso.example --name Contoso")
}

// A tenantRow is a tenant as the service answers.
type tenantRow struct {
	ID, Name, Domain, Administrator, OneTimePassword string
	Created                                          time.Time
}

func (c *command) tenantAdd(ctx context.Context, args []string) error {
	set := c.flags("tenant add", "DOMAIN [--name NAME] [--admin USER] [--json]")
	name := set.String("name", "", "`NAME` of the organization (default: its domain)")
	admin := set.String("admin", "", "its first administrator, `USER`@DOMAIN (default: admin@DOMAIN)")
	asJSON := set.Bool("json", false, "print one JSON object")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() != 1 {
		return fault.New(fault.Invalid, "ck tenant add needs one domain").WithHint("for example: ck tenant add contoso.example --name Contoso")
	}
	in := map[string]string{"domain": set.Arg(0), "name": *name, "administrator": *admin}
	var made tenantRow
	if err := c.call(ctx, "POST", "/v1/tenants", in, &made); err != nil {
		return err
	}
	if *asJSON {
		return tellJSON(c.out, map[string]any{
			"id": made.ID, "name": made.Name, "domain": made.Domain, "administrator": made.Administrator, "oneTimePassword": made.OneTimePassword,
		})
	}
	tell(c.out, "tenant %s (%s) is ready\n", made.Domain, made.ID)
	tell(c.out, "administrator: %s, one-time password: %s\n", made.Administrator, made.OneTimePassword)
	tell(c.out, "it is shown this once; sign in with: %s login --user %s\n", c.self, made.Administrator)
	return nil
}

func (c *command) tenantList(ctx context.Context, args []string) error {
	set := c.flags("tenant list", "[--json]")
	asJSON := set.Bool("json", false, "print one JSON object per line")
	if err := c.parse(set, args); err != nil {
		return err
	}
	w := columns(c.out)
	if !*asJSON {
		fmt.Fprintln(w, "DOMAIN\tNAME\tID\tCREATED")
	}
	for after := ""; ; {
		var page struct {
			Tenants []tenantRow
			Next    string
		}
		if err := c.call(ctx, "GET", "/v1/tenants?after="+url.QueryEscape(after), nil, &page); err != nil {
			return err
		}
		for _, t := range page.Tenants {
			if *asJSON {
				if err := tellJSON(c.out, map[string]any{"id": t.ID, "name": t.Name, "domain": t.Domain, "created": t.Created}); err != nil {
					return err
				}
				continue
			}
			tell(w, "%s\t%s\t%s\t%s\n", t.Domain, t.Name, t.ID, t.Created.Local().Format("2006-01-02 15:04"))
		}
		if after = page.Next; after == "" {
			return w.Flush()
		}
	}
}
