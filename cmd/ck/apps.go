package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// An app is what the directory says of one.
type app struct {
	ID          string `json:"appId"`
	DisplayName string `json:"displayName"`
	Web         struct {
		Redirects []string `json:"redirectUris"`
	} `json:"web"`
	Secrets      []appCredential `json:"passwordCredentials"`
	Certificates []appCredential `json:"keyCredentials"`
}

type appCredential struct {
	ID     string    `json:"keyId"`
	Name   string    `json:"displayName"`
	Start  time.Time `json:"startDateTime"`
	End    time.Time `json:"endDateTime"`
	Secret string    `json:"secretText"`
}

// app is the verb app: apps that sign in by themselves, or sign people in.
func (c *command) app(ctx context.Context, args []string) error {
	set := c.flags("app", "create NAME | show APP-ID | redirects APP-ID [URL ...]")
	g, words, err := c.directoryWords(set, args, 2)
	if err != nil {
		return err
	}
	var a app
	switch at := "/v1.0/applications"; words[0] {
	case "create":
		if err := g.call(ctx, http.MethodPost, at, map[string]any{"displayName": words[1]}, &a); err != nil {
			return err
		}
		if len(a.Secrets) == 0 {
			return fault.New(fault.Internal, "the service's answer has no secret").WithHint("give app %s one with: ck credential add-secret", a.ID)
		}
		tell(c.out, "app      %s\nsecret   %s\n", a.ID, a.Secrets[0].Secret)
		return nil
	case "show":
		if err := g.call(ctx, http.MethodGet, at+"/"+url.PathEscape(words[1]), nil, &a); err != nil {
			return err
		}
		tell(c.out, "app        %s\nname       %s\nredirects  %s\n", a.ID, a.DisplayName, strings.Join(a.Web.Redirects, " "))
		return nil
	case "redirects":
		in := map[string]any{"web": map[string]any{"redirectUris": append([]string{}, words[2:]...)}}
		return g.call(ctx, http.MethodPatch, at+"/"+url.PathEscape(words[1]), in, nil)
	}
	return unknownWord(set, words[0])
}

// credential is the verb credential: what an app proves itself by.
func (c *command) credential(ctx context.Context, args []string) error {
	set := c.flags("credential", "list APP-ID | add-secret APP-ID | add-certificate APP-ID FILE | remove APP-ID ID")
	name := set.String("name", "", "`NAME` of what is added, for people")
	days := set.Int("days", 0, "`DAYS` that a secret is good for (default: two years)")
	g, words, err := c.directoryWords(set, args, 2)
	if err != nil {
		return err
	}
	at := "/v1.0/applications/" + url.PathEscape(words[1])
	switch {
	case words[0] == "list" && len(words) == 2:
		return c.listCredentials(ctx, g, at)
	case words[0] == "add-secret" && len(words) == 2:
		return c.addSecret(ctx, g, at, *name, *days)
	case words[0] == "add-certificate" && len(words) == 3:
		return c.addCertificate(ctx, g, at, *name, words[2])
	case words[0] == "remove" && len(words) == 3:
		return g.call(ctx, http.MethodPost, at+"/removePassword", map[string]string{"keyId": words[2]}, nil)
	}
	return unknownWord(set, strings.Join(words, " "))
}

func (c *command) listCredentials(ctx context.Context, g *faceClient, at string) error {
	var a app
	if err := g.call(ctx, http.MethodGet, at, nil, &a); err != nil {
		return err
	}
	w := columns(c.out)
	fmt.Fprintln(w, "KIND\tID\tSINCE\tUNTIL\tNAME")
	for _, row := range []struct {
		kind string
		list []appCredential
	}{{"secret", a.Secrets}, {"certificate", a.Certificates}} {
		for _, x := range row.list {
			tell(w, "%s\t%s\t%s\t%s\t%s\n", row.kind, x.ID, x.Start.Format(time.DateOnly), x.End.Format(time.DateOnly), x.Name)
		}
	}
	return w.Flush()
}

func (c *command) addSecret(ctx context.Context, g *faceClient, at, name string, days int) error {
	in := map[string]any{"displayName": name}
	if days != 0 {
		in["endDateTime"] = time.Now().UTC().Add(time.Duration(days) * 24 * time.Hour).Truncate(time.Second)
	}
	var x appCredential
	if err := g.call(ctx, http.MethodPost, at+"/addPassword", map[string]any{"passwordCredential": in}, &x); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "id       %s\nsecret   %s\nuntil    %s\n", x.ID, x.Secret, x.End.Format(time.DateOnly))
	return nil
}

func (c *command) addCertificate(ctx context.Context, g *faceClient, at, name, file string) error {
	certificate, err := os.ReadFile(file)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the certificate %s cannot be read", file)
	}
	if strings.Contains(string(certificate), "PRIVATE KEY") {
		return fault.New(fault.Invalid, "%s holds a private key, which nobody but the app should have", file).WithHint("give a file with the certificate alone")
	}
	in := map[string]any{"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": name, "key": base64.StdEncoding.EncodeToString(certificate)}
	var x appCredential
	if err := g.call(ctx, http.MethodPost, at+"/addKey", map[string]any{"keyCredential": in}, &x); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "id       %s\nuntil    %s\n", x.ID, x.End.Format(time.DateOnly))
	return nil
}

// tokenKeys is the verb token-keys: the keys that sign tokens, for operators.
func (c *command) tokenKeys(ctx context.Context, args []string) error {
	set := c.flags("token-keys", "[list | rotate | revoke KEY-ID]")
	g, words, err := c.directoryWords(set, append(args, "list")[:max(1, len(args))], 1)
	if err != nil {
		return err
	}
	switch at := "/operator/issuerKeys"; {
	case words[0] == "list" && len(words) == 1:
		return c.listTokenKeys(ctx, g, at)
	case words[0] == "rotate" && len(words) == 1:
		return g.call(ctx, http.MethodPost, at+"/rotate", nil, nil)
	case words[0] == "revoke" && len(words) == 2:
		return g.call(ctx, http.MethodDelete, at+"/"+url.PathEscape(words[1]), nil, nil)
	}
	return unknownWord(set, strings.Join(words, " "))
}

func (c *command) listTokenKeys(ctx context.Context, g *faceClient, at string) error {
	var answer struct {
		Value []struct {
			ID           string `json:"kid"`
			State        string
			Since, Until time.Time
		} `json:"value"`
	}
	if err := g.call(ctx, http.MethodGet, at, nil, &answer); err != nil {
		return err
	}
	until := map[string]string{"current": "signs until", "next": "may sign from", "retired": "is published until"}
	w := columns(c.out)
	fmt.Fprintln(w, "KEY\tSTATE\tSINCE\t")
	for _, k := range answer.Value {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\n", k.ID, k.State, k.Since.Local().Format("2006-01-02 15:04"), until[k.State], k.Until.Local().Format("2006-01-02 15:04"))
	}
	return w.Flush()
}

// directoryWords parses a verb of at least so many words and opens the directory.
func (c *command) directoryWords(set *flag.FlagSet, args []string, least int) (*faceClient, []string, error) {
	if err := c.parse(set, args); err != nil {
		return nil, nil, err
	}
	if set.NArg() < least {
		return nil, nil, fault.New(fault.Invalid, "%s needs more words", set.Name()).WithHint("%s --help lists what it takes", set.Name())
	}
	g, err := c.graph()
	return g, set.Args(), err
}

func unknownWord(set *flag.FlagSet, word string) error {
	return fault.New(fault.Invalid, "%s does not understand %q", set.Name(), word).WithHint("%s --help lists what it takes", set.Name())
}
