package prompt

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
	"github.com/customerkey/customerkey/internal/fault"
)

// A registry answers the commands that list names, and counts them.
type registry struct {
	asked []string
	takes time.Duration // that an answer takes
}

func (r *registry) Run(ctx context.Context, call *cmdlet.Call) error {
	line := strings.TrimSpace(call.Cmdlet.Name + " " + call.Args.Text("VaultName"))
	r.asked = append(r.asked, line)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(r.takes):
	}
	lists := map[string][]string{
		"Get-DataEncryptionPolicy":           {"USA_mailboxes", "UK's mailboxes", "Bad\x1b[2J"},
		"Get-M365DataAtRestEncryptionPolicy": {"Contoso_Global"},
		"Get-AzKeyVault":                     {"east", "west"},
		"Get-AzKeyVaultKey east":             {"root1", "root2"},
	}
	names, ok := lists[line]
	if !ok {
		return fault.New(fault.Forbidden, "not for you")
	}
	for _, name := range names {
		if err := call.Host.Object(cmdlet.Object{Fields: []cmdlet.Field{{Name: "Name", Value: name}, {Name: "VaultName", Value: name}}}); err != nil {
			return err
		}
	}
	return nil
}

func newCompleter(t *testing.T, r *registry) *completer {
	t.Helper()
	runner := func(cmdlet.Side) (cmdlet.Runner, error) { return r, nil }
	s, err := script.New(script.Config{Runner: runner, Out: io.Discard, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := script.Parse("$policy = @{Alpha=1; Beta=2}")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), parsed); err != nil {
		t.Fatal(err)
	}
	return &completer{table: rows.Table(), names: newNames(runner, time.Now), session: s}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCompleter(t, &registry{})
		for _, tt := range []struct {
			text string
			want string // all that it could be, with spaces between
		}{
			{"get-azkeyvault", "Get-AzKeyVault Get-AzKeyVaultKey"},
			{"Get-Date; get-help get-azkeyvaultk", "Get-AzKeyVaultKey"},
			{"Set-DataEncryptionPolicy -Ide", "-Identity"},
			{"Set-DataEncryptionPolicy -Identity x -Ide", ""},
			{"Get-Date -WhatI", ""},
			{"Set-DataEncryptionPolicy u", "'UK''s mailboxes' 'USA_mailboxes'"},
			{"Set-DataEncryptionPolicy us", "USA_mailboxes"},
			{"Set-DataEncryptionPolicy 'us", "'USA_mailboxes'"},
			{"Set-DataEncryptionPolicy ba", ""}, // it would drive the terminal
			{"Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy ", "Contoso_Global"},
			{"Get-AzKeyVaultKey -VaultName ", "east west"},
			{"Get-AzKeyVaultKey east ro", "root1 root2"},
			{"Get-AzKeyVaultKey -Name root2 -VaultName e", "east"},
			{"Get-AzKeyVaultKey -Name ", ""}, // of which vault?
			{"Update-SPODataEncryptionPolicy -KeyVaultName east -KeyName root2", "root2"},
			{"Add-AzKeyVaultKey east r", ""}, // it makes a new one
			{"Add-AzKeyVaultKey east k -Destination s", "Software"},
			{"Update-AzKeyVaultKey east root1 -Enable $t", "$true"},
			{"Get-Mailbox -ErrorAction si", "SilentlyContinue"},
			{"$pol", "$policy"},
			{"$policy.a", "Alpha"},
			{"$policy | Where-Object { $_.be", "Beta"},
			{"Get-AzKeyVaultKey east | Format-Table Ena", "Enabled"},
			{"'no", ""},
		} {
			found := c.at(t.Context(), tt.text, len(tt.text), 0)
			if got := strings.Join(found.candidates, " "); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
			}
		}
	})
}

// What is refused is asked once; what was answered is remembered for a while; what is slow comes
// with the next Tab.
func TestNamesAreAskedForSparingly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &registry{takes: time.Second}
		c := newCompleter(t, r)
		vaults := func() []string { return c.at(t.Context(), "Get-AzKeyVault ", 15, 0).candidates }
		if got := vaults(); len(got) != 0 {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(time.Second)
		if got := vaults(); !slices.Equal(got, []string{"east", "west"}) {
			t.Errorf("the next time: %q", got)
		}
		time.Sleep(2 * namesKept)
		vaults()
		time.Sleep(time.Second)
		for range 3 {
			c.at(t.Context(), "Get-Mailbox ", 12, 0)
			time.Sleep(2 * namesKept)
		}
		if diff := cmp.Diff([]string{"Get-AzKeyVault", "Get-AzKeyVault", "Get-Mailbox"}, r.asked); diff != "" {
			t.Errorf("asked: %s", diff)
		}
	})
}
