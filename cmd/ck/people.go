package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
)

// person is the verb person: the people of one's own tenant.
func (c *command) person(ctx context.Context, args []string) error {
	set := c.flags("person", "list | add USER@DOMAIN | password USER | disable USER | enable USER | license USER")
	asJSON := set.Bool("json", false, "list: print one JSON object per line")
	name := set.String("name", "", "add: `NAME` for people to read (default: the user name)")
	roles := set.String("roles", "", "add: `ROLES`, such as \"Compliance Administrator\", with commas between")
	with := set.String("with", "", "license: part numbers of `PRODUCTS` to license for, such as SPE_E5, with commas between")
	without := set.String("without", "", "license: part numbers of `PRODUCTS` to license for no more")
	g, words, err := c.directoryWords(set, args, 1)
	if err != nil {
		return err
	}
	if words[0] == "list" && len(words) == 1 {
		return c.listPeople(ctx, g, *asJSON)
	}
	if len(words) != 2 {
		return unknownWord(set, strings.Join(words, " "))
	}
	at, user := "/v1.0/users/"+url.PathEscape(words[1]), words[1]
	switch words[0] {
	case "add":
		password := directory.GeneratePassword()
		in := map[string]any{"userPrincipalName": user, "displayName": *name, "roles": listed(*roles), "passwordProfile": map[string]any{"password": password}}
		if err := g.call(ctx, http.MethodPost, "/v1.0/users", in, nil); err != nil {
			return err
		}
		return c.tellPassword(user, password)
	case "password":
		password := directory.GeneratePassword()
		if err := g.call(ctx, http.MethodPatch, at, map[string]any{"passwordProfile": map[string]any{"password": password}}, nil); err != nil {
			return err
		}
		return c.tellPassword(user, password)
	case "license":
		change := map[string]any{"addLicenses": products(*with), "removeLicenses": listed(*without)}
		return g.call(ctx, http.MethodPost, at+"/assignLicense", change, nil)
	case "disable", "enable":
		return g.call(ctx, http.MethodPatch, at, map[string]any{"accountEnabled": words[0] == "enable"}, nil)
	}
	return unknownWord(set, words[0])
}

// A personRow is a person as the directory lists one.
type personRow struct {
	ID          string    `json:"id"`
	UPN         string    `json:"userPrincipalName"`
	DisplayName string    `json:"displayName"`
	Enabled     bool      `json:"accountEnabled"`
	Roles       []string  `json:"roles,omitempty"`
	Licences    []product `json:"assignedLicenses,omitempty"`
}

// A product is one that a person is licensed for, by its part number.
type product struct {
	SkuID string `json:"skuId"`
}

func products(text string) []product {
	list := []product{}
	for _, id := range listed(text) {
		list = append(list, product{id})
	}
	return list
}

func (c *command) listPeople(ctx context.Context, g *faceClient, asJSON bool) error {
	w := columns(c.out)
	if !asJSON {
		fmt.Fprintln(w, "USER\tNAME\tSTATE\tROLES\tLICENSES")
	}
	state := map[bool]string{true: "enabled", false: "disabled"}
	err := eachRow(ctx, g, "/v1.0/users", func(p personRow) error {
		if asJSON {
			return tellJSON(c.out, p)
		}
		tell(w, "%s\t%s\t%s\t%s\t%s\n", p.UPN, p.DisplayName, state[p.Enabled], strings.Join(p.Roles, ", "), licensed(p.Licences))
		return nil
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func licensed(list []product) string {
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = l.SkuID
	}
	return strings.Join(names, ", ")
}

func (c *command) tellPassword(user, password string) error {
	_, err := fmt.Fprintf(c.out, "%s, one-time password: %s\nit is shown this once; to sign in: %s login --user %s\n", user, password, c.self, user)
	return err
}

// listed cuts a list at its commas.
func listed(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
