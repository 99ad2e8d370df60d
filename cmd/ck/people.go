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
	set := c.flags("person", "add USER@DOMAIN | password USER | disable USER | enable USER")
	name := set.String("name", "", "add: `NAME` for people to read (default: the user name)")
	roles := set.String("roles", "", "add: `ROLES`, such as \"Compliance Administrator\", with commas between")
	g, words, err := c.directoryWords(set, args, 2)
	if err != nil {
		return err
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
	case "disable", "enable":
		return g.call(ctx, http.MethodPatch, at, map[string]any{"accountEnabled": words[0] == "enable"}, nil)
	}
	return unknownWord(set, words[0])
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
