package directory_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func (w *world) mustGroup(t directory.Tenant, name string, members ...string) directory.Group {
	w.t.Helper()
	g, err := w.CreateGroup(w.t.Context(), system, t.ID, name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range members {
		w.mustJoin(g, m)
	}
	return g
}

func (w *world) mustJoin(g directory.Group, member string) {
	w.t.Helper()
	if err := w.AddMember(w.t.Context(), system, g.Tenant, g.ID, member); err != nil {
		w.t.Fatal(err)
	}
}

// groupsIn returns the groups of the caller that a token stands for.
func (w *world) groupsIn(token string) []string {
	w.t.Helper()
	c, err := w.verifier(vaultAudience, apiAudience).Verify(w.t.Context(), token)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Groups
}

// TestTokensNameGroups: every way to a token leads to one with the groups of its owner (KV-134).
func TestTokensNameGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, contoso := t.Context(), w.mustTenant("contoso.example")
	alice, bob := w.mustPerson(contoso, "alice"), w.mustPerson(contoso, "bob")
	app, secret := w.mustApp(contoso)
	own, err := w.ServicePrincipal(ctx, contoso.ID, directory.ExchangeApp)
	if err != nil {
		t.Fatal(err)
	}
	one, two := w.mustGroup(contoso, "one", alice.ID, app.ID, own.ID), w.mustGroup(contoso, "two", alice.ID, strings.ToUpper(app.ID), own.ID)
	want := []string{one.ID, two.ID}
	slices.Sort(want)

	const scope = vaultAudience + "/.default"
	access := func(tokens directory.Tokens, err error) (string, error) { return tokens.Access, err }
	for name, get := range map[string]func() (string, error){
		"device code": func() (string, error) { return w.mustSignIn(alice).Access, nil },
		"refresh":     func() (string, error) { return access(w.refresh(w.mustSignIn(alice).Refresh)) },
		"browser":     func() (string, error) { return access(w.signInByBrowser(alice)) },
		"password": func() (string, error) {
			return access(w.PasswordTokens(ctx, "common", directory.CommandLineApp, scope, directory.Approval{UPN: alice.UPN, Password: password, From: origin}))
		},
		"client credentials": func() (string, error) {
			return access(w.ClientCredentials(ctx, contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, scope, origin))
		},
		"managed identity": func() (string, error) {
			return access(w.ManagedToken(ctx, contoso.ID, app.AppID, vaultAudience, origin))
		},
		"service": func() (string, error) {
			token, _, err := w.ServiceToken(ctx, contoso.ID, directory.ExchangeApp, vaultAudience)
			return token, err
		},
	} {
		if token, err := get(); err != nil || !slices.Equal(w.groupsIn(token), want) {
			t.Errorf("%s: groups %v, want %v; %v", name, w.groupsIn(token), want, err)
		}
	}
	if token := w.mustSignIn(bob).Access; len(w.groupsIn(token)) != 0 || strings.Contains(payloadOf(t, token), "groups") {
		t.Error("the token of a member of nothing names groups")
	}
}

// signInByBrowser signs p in by authorization code.
func (w *world) signInByBrowser(p directory.Person) (directory.Tokens, error) {
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	const redirect = "http://localhost:4711"
	code, err := w.Authorize(w.t.Context(), directory.AuthorizationRequest{
		Authority: p.Tenant, Client: directory.CommandLineApp, Redirect: redirect, Scope: apiAudience + "/.default",
		Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), Method: "S256",
	}, directory.Approval{UPN: p.UPN, Password: password, From: origin})
	if err != nil {
		return directory.Tokens{}, err
	}
	return w.RedeemCode(w.t.Context(), p.Tenant, directory.Client{ID: directory.CommandLineApp}, directory.Redemption{Code: code, Redirect: redirect, Verifier: verifier}, origin)
}

func payloadOf(t *testing.T, token string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRefreshSeesChangesOfGroups: the next token says what is true then; one that was given
// before lives out its hour.
func TestRefreshSeesChangesOfGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, contoso := t.Context(), w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice")
	g, gone := w.mustGroup(contoso, "one"), w.mustGroup(contoso, "two", alice.ID)
	tokens := w.mustSignIn(alice)
	next := func(want ...string) {
		t.Helper()
		w.pass(time.Minute)
		was := tokens.Access
		before := w.groupsIn(was)
		var err error
		if tokens, err = w.refresh(tokens.Refresh); err != nil || !slices.Equal(w.groupsIn(tokens.Access), want) {
			t.Fatalf("groups %v, want %v; %v", w.groupsIn(tokens.Access), want, err)
		}
		if after := w.groupsIn(was); !slices.Equal(before, after) {
			t.Errorf("the older token changed from %v to %v", before, after)
		}
	}
	next(gone.ID)
	w.mustJoin(g, alice.ID)
	if err := w.DeleteGroup(ctx, system, contoso.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	next(g.ID)
	if err := w.RemoveMember(ctx, system, contoso.ID, g.ID, alice.ID); err != nil {
		t.Fatal(err)
	}
	next()
}

// TestTokenNamesAllGroups: the most groups that one can be in fit into a token that a verifier
// still takes, and one more is refused.
func TestTokenNamesAllGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	alice := w.mustPerson(contoso, "alice")
	for i := range directory.MaxGroupsOf {
		w.mustGroup(contoso, fmt.Sprint("group ", i), alice.ID)
	}
	if got := w.groupsIn(w.mustSignIn(alice).Access); len(got) != directory.MaxGroupsOf {
		t.Errorf("the token names %d groups", len(got))
	}
	more := w.mustGroup(contoso, "more")
	if err := w.AddMember(t.Context(), system, contoso.ID, more.ID, alice.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("one more: %v", err)
	}
}

func TestWhoMayChangeGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, contoso, fabrikam := t.Context(), w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	alice, foreign := w.mustPerson(contoso, "alice"), w.mustPerson(fabrikam, "foreign")
	g, nested := w.mustGroup(contoso, "one"), w.mustGroup(contoso, "nested")
	caller := func(tenant string, roles ...directory.Role) directory.Caller {
		return directory.Caller{Tenant: tenant, ID: "caller", Kind: directory.User, Roles: roles}
	}
	admin, reader, nobody := caller(contoso.ID, directory.GlobalAdministrator), caller(contoso.ID, directory.GlobalReader), caller(contoso.ID)
	stranger, operator := caller(fabrikam.ID, directory.GlobalAdministrator), caller(fabrikam.ID, directory.ServiceOperator)
	create := func(name string) func(directory.Caller) error {
		return func(c directory.Caller) error {
			_, err := w.CreateGroup(ctx, c, contoso.ID, name)
			return err
		}
	}
	add := func(member string) func(directory.Caller) error {
		return func(c directory.Caller) error { return w.AddMember(ctx, c, contoso.ID, g.ID, member) }
	}
	remove := func(c directory.Caller) error { return w.RemoveMember(ctx, c, contoso.ID, g.ID, alice.ID) }
	destroy := func(c directory.Caller) error { return w.DeleteGroup(ctx, c, contoso.ID, nested.ID) }
	people := func(c directory.Caller) error { _, err := w.ListPeople(ctx, c, "", 10); return err }
	groups := func(c directory.Caller) error { _, err := w.ListGroups(ctx, c, "", 10); return err }
	members := func(c directory.Caller) error { _, err := w.ListMembers(ctx, c, g.ID, "", 10); return err }
	for _, tt := range []struct {
		name string
		c    directory.Caller
		do   func(directory.Caller) error
		code fault.Code
	}{
		{"administrator creates", admin, create("two"), ""},
		{"administrator creates one again", admin, create("TWO"), fault.Conflict},
		{"administrator creates one without a name", admin, create(" "), fault.Invalid},
		{"administrator creates one with a control", admin, create("a\u009bb"), fault.Invalid},
		{"reader creates", reader, create("three"), fault.Forbidden},
		{"operator creates", operator, create("three"), fault.Forbidden},
		{"stranger creates", stranger, create("three"), fault.NotFound},
		{"stranger creates one without a name", stranger, create(""), fault.NotFound},
		{"administrator adds", admin, add(alice.ID), ""},
		{"administrator adds once more", admin, add(alice.ID), ""},
		{"administrator adds a group", admin, add(nested.ID), fault.Invalid},
		{"administrator adds a group to itself", admin, add(g.ID), fault.Invalid},
		{"administrator adds nobody", admin, add(uuid.NewString()), fault.NotFound},
		{"administrator adds somebody else's person", admin, add(foreign.ID), fault.NotFound},
		{"administrator adds by name", admin, add(alice.UPN), fault.Invalid},
		{"member adds", nobody, add(alice.ID), fault.Forbidden},
		{"stranger adds", stranger, add(foreign.ID), fault.NotFound},
		{"reader lists people", reader, people, ""},
		{"reader lists groups", reader, groups, ""},
		{"reader lists members", reader, members, ""},
		{"member lists people", nobody, people, fault.Forbidden},
		{"member lists groups", nobody, groups, fault.Forbidden},
		{"member lists members", nobody, members, fault.Forbidden},
		{"stranger lists members", stranger, members, fault.NotFound},
		{"reader removes", reader, remove, fault.Forbidden},
		{"stranger removes", stranger, remove, fault.NotFound},
		{"administrator removes", admin, remove, ""},
		{"administrator removes once more", admin, remove, fault.NotFound},
		{"reader deletes", reader, destroy, fault.Forbidden},
		{"stranger deletes", stranger, destroy, fault.NotFound},
		{"administrator deletes", admin, destroy, ""},
		{"administrator deletes once more", admin, destroy, fault.NotFound},
	} {
		before := w.count()
		if err := tt.do(tt.c); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
		}
		if e := w.last(); w.count() == before && tt.code != fault.Invalid || tt.code == "" && e.decision != "allow" {
			t.Errorf("%s: recorded %+v", tt.name, e)
		}
		w.setDeaf(true)
		if err := tt.do(tt.c); err == nil || tt.code != fault.Invalid && !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s, with a full log: %v, want %s", tt.name, err, fault.Unavailable)
		}
		w.setDeaf(false)
	}
	if list, err := w.ListPeople(ctx, stranger, "", 10); err != nil || len(list) != 1 || list[0].ID != foreign.ID {
		t.Errorf("the people of another tenant: %+v, %v", list, err)
	}
	if _, err := w.GroupByName(ctx, fabrikam.ID, "one"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the group of another tenant: %v", err)
	}
}
