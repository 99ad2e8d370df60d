package script

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// yielding is a runner that has some mailboxes, policies and vaults, and keeps what was asked of
// it. It stands for a server: what is tested here is the language around it.
type yielding struct {
	asked   []string
	pages   int // mailboxes yielded
	many    int // how many there are; 3 if 0
	offline bool
	stopped bool // somebody wanted no more
}

func (y *yielding) Run(ctx context.Context, call *cmdlet.Call) error {
	y.asked = append(y.asked, describeCall(call))
	if y.offline {
		return fault.New(fault.Unavailable, "the service cannot be reached")
	}
	if call.Cmdlet.Impact != cmdlet.None {
		if proceed, err := call.ShouldProcess(call.Cmdlet.Name, call.Target()); err != nil || !proceed {
			return err
		}
	}
	switch call.Cmdlet.Name {
	case "Get-Mailbox":
		return y.mailboxes(call)
	case "Get-M365DataAtRestEncryptionPolicy":
		return call.Host.Object(samplePolicy())
	case "Get-AzKeyVault":
		return call.Host.Object(cmdlet.Object{Type: "PSKeyVault", Fields: []cmdlet.Field{{Name: "VaultName", Value: "contoso-east"}, {Name: "ResourceId", Value: "/subscriptions/1"}}})
	case "Get-AzKeyVaultKey":
		return call.Host.Object(cmdlet.Object{Type: cmdlet.KeyType, Fields: []cmdlet.Field{
			{Name: "VaultName", Value: call.Args.Text("VaultName")}, {Name: "Name", Value: "root1"}, {Name: "Version", Value: "0123"}, {Name: "Id", Value: "https://contoso-east.vault.localhost/keys/root1/0123"},
		}})
	case "Get-AzResource":
		return call.Host.Object(cmdlet.Object{Type: cmdlet.ResourceType, Fields: []cmdlet.Field{
			{Name: "ResourceId", Value: call.Args.Text("ResourceId")}, {Name: "Properties", Value: cmdlet.Object{Fields: []cmdlet.Field{{Name: "sku", Value: "standard"}}}},
		}})
	case "Get-CKRequest":
		if err := call.Fail(fault.New(fault.Corrupt, "one cannot be read")); err != nil {
			return err
		}
		return call.Host.Object(cmdlet.Object{Fields: []cmdlet.Field{{Name: "Kind", Value: "purge"}}})
	case "Get-DataEncryptionPolicy":
		return fault.New(fault.NotFound, "there is no policy %s", call.Args.Text("Identity"))
	}
	return nil
}

func (y *yielding) mailboxes(call *cmdlet.Call) error {
	people := []string{"alice", "bob", "Carol"}
	n := y.many
	if n == 0 {
		n = len(people)
	}
	if one := call.Args.Text("Identity"); one != "" {
		return call.Host.Object(sampleMailbox(one, 0))
	}
	for i := range n {
		y.pages++
		name := people[i%len(people)]
		if i >= len(people) {
			name = fmt.Sprintf("user%05d", i)
		}
		if err := call.Host.Object(sampleMailbox(name, i)); err != nil {
			y.stopped = true
			return fmt.Errorf("the client went away: %w", err)
		}
	}
	return nil
}

func sampleMailbox(name string, i int) cmdlet.Object {
	return cmdlet.Object{Type: "Mailbox", Fields: []cmdlet.Field{
		{Name: "Name", Value: name}, {Name: "Items", Value: int64(10 * (i + 1))}, {Name: "Licensed", Value: i%2 == 0},
		{Name: "DataEncryptionPolicy", Value: []string{"USA", "EUR"}[i%2]}, {Name: "Identity", Value: name + "@contoso.example"},
		{Name: "Created", Value: time.Date(2026, 11, 1+i%28, 8, 0, 0, 0, time.UTC)}, {Name: "Guid", Value: cmdlet.GUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i))},
	}}
}

func samplePolicy() cmdlet.Object {
	return cmdlet.Object{Type: "DataEncryptionPolicy", Fields: []cmdlet.Field{
		{Name: "Name", Value: "Contoso_Global"}, {Name: "Enabled", Value: true}, {Name: "State", Value: "Active"}, {Name: "Assigned", Value: true}, {Name: "PercentEncrypted", Value: int64(42)},
		{Name: "Health", Value: "Healthy"}, {Name: "AzureKeyIDs", Value: []string{"https://east/keys/a", "https://west/keys/b"}}, {Name: "Guid", Value: cmdlet.GUID("11111111-2222-4333-8444-555555555555")},
		{Name: "KeyVersions", Value: []cmdlet.Object{{Fields: []cmdlet.Field{{Name: "KeyID", Value: "a/1"}, {Name: "Current", Value: true}}}, {Fields: []cmdlet.Field{{Name: "KeyID", Value: "b/1"}, {Name: "Current", Value: false}}}}},
	}}
}

// describeCall is the call in one line: the command and its bound parameters.
func describeCall(call *cmdlet.Call) string {
	var b strings.Builder
	b.WriteString(call.Cmdlet.Name)
	for name, v := range call.Args.All() {
		fmt.Fprintf(&b, " -%s:%v", name, v)
	}
	if call.Common.WhatIf {
		b.WriteString(" -WhatIf")
	}
	return b.String()
}

// A world is a session over a yielding runner, in a zone an hour ahead of UTC.
type world struct {
	*Session
	runner *yielding
	out    bytes.Buffer
	errs   bytes.Buffer
}

func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := &world{runner: &yielding{}}
	c := Config{
		Runner: func(cmdlet.Side) (cmdlet.Runner, error) { return w.runner, nil },
		Out:    &w.out, Err: &w.errs,
		Now:  func() time.Time { return time.Date(2026, 11, 22, 13, 5, 9, 0, time.UTC) },
		Zone: time.FixedZone("", 3600),
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Session = s
	return w
}

// do runs a script and returns what it printed, errors behind the rest.
func (w *world) do(t testing.TB, text string) (string, error) {
	t.Helper()
	w.out.Reset()
	w.errs.Reset()
	parsed, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	err = w.Run(context.Background(), parsed)
	return w.out.String() + w.errs.String(), err
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", name, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
	}
}

// yields is what a script prints without errors.
func yields(t *testing.T, text, want string) {
	t.Helper()
	got, err := newWorld(t, nil).do(t, text)
	if got != want || err != nil {
		t.Errorf("%s\nprints\n%s\nwant\n%s\n(%v)", text, got, want, err)
	}
}

// fails is what the error of a script says.
func fails(t *testing.T, text, message string) {
	t.Helper()
	got, err := newWorld(t, nil).do(t, text)
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(f.Message, message) || strings.Count(got, "ck: error:") != 1 || !strings.Contains(got, message) {
		t.Errorf("%s\nprints\n%s\nand fails with %v, want %q", text, got, err, message)
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, text := range []string{
		"Get-Mailbox", "Get-Mailbox | fl", "Get-Mailbox | Format-List Name, It*", "Get-Mailbox | where Items -gt 10 | select Name, Items", "Get-Mailbox | where Licensed", "Get-Mailbox | where Licensed -not",
		"Get-Mailbox | ? { $_.Name -like 'A*' -and $_.Licensed } | ft Name",
		`$x = Get-Mailbox; $x.Count; $x[0].Name; $x[-1].Name; $x[0,1].Name; "$x"; $x.Created`,
		"Get-Mailbox | select -First 1 | ConvertTo-Json", "Get-Mailbox | select Name, Items | ConvertTo-Json -Compress", "Get-Mailbox alice | select Name | ConvertTo-Json -AsArray -Compress",
		"Get-Mailbox | ConvertTo-Csv -NoTypeInformation", "Get-Mailbox | select Name, Items | ConvertTo-Csv -Delimiter ';'",
		"Get-Mailbox | measure", "Get-Mailbox | measure -Property Items -Sum -Average -Maximum -Minimum", "1, 2.5 | measure -Sum", "'b', 'A' | measure -Maximum",
		"Get-Mailbox | sort Name -Descending | % Name", "Get-Mailbox | sort DataEncryptionPolicy, @{e='Items'; Descending=$true} | % Name", "Get-Mailbox | sort { $_.Name.Length } | % Name", "3,1,2,1 | sort -Unique",
		"Get-Mailbox | group DataEncryptionPolicy", "(Get-Mailbox | group DataEncryptionPolicy)[0].Group.Name",
		"@{a=1;b='x'}", "$h = @{b=1; a=2}; $h.a; $h['B']; $h.Keys; $h.Count",
		`Get-Date -Date "12/31/9999"`, `Get-Date "12/27/2016 12:01 AM" -Format s`, "Get-Date -Format 'yyyy-MM-dd HH:mm:ss zzz'", "Get-Date -AsUTC", "(Get-Date).Year", `"today is $(Get-Date -Format dddd)"`,
		"Get-Mailbox | ft Namee, Name", "Get-Mailbox | select Name, Namee -First 1", "Get-M365DataAtRestEncryptionPolicy | fl *", "Get-M365DataAtRestEncryptionPolicy", "Get-M365DataAtRestEncryptionPolicy -OutputFormat json | select -First 1",
		"Get-UnifiedGroup -OutputFormat json", "Get-UnifiedGroup", "Get-Mailbox | ft Name, @{n='N'; e={ $_.Items }}", "Get-Mailbox | select Name, @{Name='Policy'; Expression={ $_.DataEncryptionPolicy }} -Last 2",
		"Get-Mailbox | select -ExpandProperty Name -Skip 1", "(Get-Mailbox).Name", "Get-Mailbox | select DataEncryptionPolicy -Unique",
		"Get-Mailbox | ForEach-Object { Get-Mailbox -Identity $_.Name } | % { $_.Identity }", "1,2 | % { 'x', $_ | % { \"<$_>\" } }",
		"'a', 'b' | Write-Output", "Write-Output 1, 2 | measure | % Count", "Write-Output (1,2) -NoEnumerate | measure | % Count", "Write-Warning 'careful'", "1,2 | % { Write-Error \"no $_\" }; $?; 'on'", "Write-Error stop -ErrorAction Stop; 'never'", "'quiet' | Write-Error -ErrorAction SilentlyContinue; $?", "Write-Host hello $null", "Write-Host hello", "1 | Out-Null", "Write-Warning quiet -WarningAction SilentlyContinue",
		"$o = Get-Mailbox alice; $o | Add-Member -MemberType NoteProperty -Name Extra -Value 7; $o.Extra; $o | Add-Member NoteProperty Extra '7'; $o | Add-Member -NotePropertyName Extra -NotePropertyValue 8 -Force -PassThru | % Extra; $o.extra",
		"Get-Mailbox | Set-Mailbox -DataEncryptionPolicy X -WhatIf", "$WhatIfPreference = $true; Set-Mailbox alice -DataEncryptionPolicy X",
		"$null = Get-Mailbox; $?", "Get-DataEncryptionPolicy nosuch; $?; $?", "Get-DataEncryptionPolicy nosuch -ErrorAction SilentlyContinue; 'on'", "'a','b' | Get-DataEncryptionPolicy; 'on'",
		"$ErrorActionPreference = 'Stop'; Get-DataEncryptionPolicy nosuch; 'never'", "Get-DataEncryptionPolicy nosuch -ErrorAction Stop; 'never'",
		"$r = Get-AzResource -ResourceId /x; $r.Properties.SKU = 'premium'; $r.Properties", "$o = Get-Mailbox alice; $same = $o; ($o.Items = 1, 2); $same.Items.Count; $o.Items = $null; $same | select Name, Items",
		"$h = @{}; $h.a = 1; $h.A = 2; $h.b = @{}; $h.b.c = 3; $h.Count; $h.a; $h.b.c", "$all = Get-Mailbox; $all | % { $_.Items = 0 }; $all | measure -Sum Items | % Sum",
		"$o = Get-Mailbox alice; $o.Items = Get-DataEncryptionPolicy nosuch; $o.Items", "$o = Get-Mailbox alice; $o.Itms = 1; $?", "$o = Get-Mailbox alice; $o.Archive = 1", "$all = Get-Mailbox; $all.Items = 1", "$t = 'x'; $t.Length = 1",
		"$o = Get-Mailbox alice; $o.Name = $o; $o.Items = $o; \"$o\".Length -lt 1000; $o | select Items | fl; $o | ConvertTo-Json -Depth 2 -WarningAction SilentlyContinue | % Length; $h = @{}; $h.a = $h; $h.b = $h; $h",
		"$p = 1; $p = Get-DataEncryptionPolicy nosuch; $p", "$a = $b = 5; $a; $b", "($c = 4); $c",
	} {
		out, _ := newWorld(t, nil).do(t, text)
		fmt.Fprintf(&b, ">>> %s\n%s", text, out)
	}
	golden(t, "scripts.golden", b.String())
}
