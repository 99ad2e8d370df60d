package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A groupRow is a group as the directory answers.
type groupRow struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Created     time.Time `json:"createdDateTime"`
}

// A memberRow is a person or an app in a group.
type memberRow struct {
	ID          string `json:"id"`
	UPN         string `json:"userPrincipalName,omitempty"`
	AppID       string `json:"appId,omitempty"`
	DisplayName string `json:"displayName"`
}

// group is the verb group: the groups of one's own tenant.
func (c *command) group(ctx context.Context, args []string) error {
	set := c.flags("group", "list | create NAME | show GROUP | delete GROUP | add GROUP MEMBER | remove GROUP MEMBER\n"+
		"GROUP is a name or an object id; MEMBER is USER@DOMAIN, an app id or an object id")
	asJSON := set.Bool("json", false, "list, create, show: print JSON")
	g, words, err := c.directoryWords(set, args, 1)
	if err != nil {
		return err
	}
	const at = "/v1.0/groups"
	switch line := fmt.Sprint(words[0], " ", len(words)); line {
	case "list 1":
		return c.listGroups(ctx, g, *asJSON)
	case "create 2":
		var made groupRow
		if err := g.call(ctx, http.MethodPost, at, newGroup(words[1]), &made); err != nil {
			return err
		}
		return c.tellGroup(made, *asJSON)
	case "show 2", "delete 2", "add 3", "remove 3":
		id, err := g.groupID(ctx, words[1])
		if err != nil {
			return err
		}
		return c.changeGroup(ctx, g, at+"/"+url.PathEscape(id), words, *asJSON)
	}
	return misusedWord(set, words)
}

// misusedWord tells a word that is not known from one that lacks its arguments.
func misusedWord(set *flag.FlagSet, words []string) error {
	switch words[0] {
	case "list", "create", "show", "delete", "add", "remove":
		return fault.New(fault.Invalid, "%s %s takes other words", set.Name(), words[0]).WithHint("%s --help lists what it takes; quote a name with spaces", set.Name())
	}
	return unknownWord(set, words[0])
}

// newGroup is what Graph's clients send for a group that gives rights.
func newGroup(name string) map[string]any {
	return map[string]any{"displayName": name, "mailEnabled": false, "securityEnabled": true}
}

// changeGroup shows or changes the group at an address.
func (c *command) changeGroup(ctx context.Context, g *faceClient, at string, words []string, asJSON bool) error {
	switch words[0] {
	case "show":
		return c.showGroup(ctx, g, at, asJSON)
	case "delete":
		return g.call(ctx, http.MethodDelete, at, nil, nil)
	}
	member, err := g.memberID(ctx, words[2])
	if err != nil {
		return err
	}
	if words[0] == "remove" {
		return g.call(ctx, http.MethodDelete, at+"/members/"+url.PathEscape(member)+"/$ref", nil, nil)
	}
	in := map[string]string{"@odata.id": g.base + "/v1.0/directoryObjects/" + member}
	return g.call(ctx, http.MethodPost, at+"/members/$ref", in, nil)
}

func (c *command) listGroups(ctx context.Context, g *faceClient, asJSON bool) error {
	w := columns(c.out)
	if !asJSON {
		fmt.Fprintln(w, "NAME\tID\tCREATED")
	}
	err := eachRow(ctx, g, "/v1.0/groups", func(one groupRow) error {
		if asJSON {
			return tellJSON(c.out, one)
		}
		tell(w, "%s\t%s\t%s\n", one.DisplayName, one.ID, one.Created.Local().Format("2006-01-02 15:04"))
		return nil
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func (c *command) tellGroup(one groupRow, asJSON bool) error {
	if asJSON {
		return tellJSON(c.out, one)
	}
	tell(c.out, "group    %s\nname     %s\n", one.ID, one.DisplayName)
	return nil
}

// showGroup prints a group and its members.
func (c *command) showGroup(ctx context.Context, g *faceClient, at string, asJSON bool) error {
	var one groupRow
	if err := g.call(ctx, http.MethodGet, at, nil, &one); err != nil {
		return err
	}
	members := []memberRow{}
	err := eachRow(ctx, g, at+"/members", func(m memberRow) error {
		members = append(members, m)
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return tellJSON(c.out, struct {
			groupRow
			Members []memberRow `json:"members"`
		}{one, members})
	}
	if err := c.tellGroup(one, false); err != nil {
		return err
	}
	w := columns(c.out)
	fmt.Fprintln(w, "\nMEMBER\tNAME\tID")
	for _, m := range members {
		tell(w, "%s\t%s\t%s\n", cmp.Or(m.UPN, "app "+m.AppID), m.DisplayName, m.ID)
	}
	return w.Flush()
}

// groupID finds a group by object id or name.
func (f *faceClient) groupID(ctx context.Context, word string) (string, error) {
	if uuid.Validate(word) == nil {
		return word, nil
	}
	id, err := f.find(ctx, "/v1.0/groups", "displayName eq "+quoted(word))
	if err == nil && id == "" {
		err = fault.New(fault.NotFound, "there is no group %q", word).WithHint("ck group list shows them")
	}
	return id, err
}

// memberID finds the object id of a person by name, or of an app by its app id. Any other id is
// taken for an object id.
func (f *faceClient) memberID(ctx context.Context, word string) (string, error) {
	switch {
	case strings.Contains(word, "@"):
		var found memberRow
		err := f.call(ctx, http.MethodGet, "/v1.0/users/"+url.PathEscape(word), nil, &found)
		return found.ID, err
	case uuid.Validate(word) == nil:
		id, err := f.find(ctx, "/v1.0/servicePrincipals", "appId eq "+quoted(word))
		return cmp.Or(id, word), err
	}
	return "", fault.New(fault.Invalid, "%q names no person and no app", word).WithHint("give USER@DOMAIN, an app id or an object id")
}
