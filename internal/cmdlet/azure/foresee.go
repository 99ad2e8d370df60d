package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// A look tells, in sentences, what a change would come to. It reads, with the caller's own rights, and
// changes nothing.
type look func(ctx context.Context, call *cmdlet.Call) ([]string, error)

// proceed is Call.ShouldProcess. Under -WhatIf it says what the vault tells of the change, too
// (row CK-338); a vault that does not tell is no reason to fail.
func (e *Environment) proceed(ctx context.Context, call *cmdlet.Call, action, target string, at look) (bool, error) {
	proceed, err := call.ShouldProcess(action, target)
	if err != nil || !call.Common.WhatIf || call.Host.WhatIf == nil {
		return proceed, err
	}
	lines, err := at(ctx, call)
	if err != nil {
		lines = append(lines, "More cannot be told: "+fault.As(translate(ctx, err, call.Args.Text("VaultName"))).Message+".")
	}
	for _, line := range lines {
		call.Host.WhatIf(line)
	}
	return false, ctx.Err()
}

// ofRemoval: which versions go, and how long they can be had back.
func (e *Environment) ofRemoval(client *azkeys.Client) look {
	return func(ctx context.Context, call *cmdlet.Call) ([]string, error) {
		all, err := versionsOf(ctx, client, call.Args.Text("Name"))
		if err != nil || len(all) == 0 {
			return nil, err
		}
		return []string{
			"It takes away all versions of the key, " + versionNames(all) + ". What they have wrapped opens by them no more.",
			recoverable(all[0].Attributes, e.c.Now()),
		}, nil
	}
}

// versionNames are the newest of the versions, and how many more there are.
func versionNames(all []*azkeys.KeyProperties) string {
	const most = 5
	var names []string
	for _, k := range all[:min(len(all), most)] {
		names = append(names, fmt.Sprint(keyVersion(k.KID)))
	}
	text := fmt.Sprintf("%d: %s", len(all), strings.Join(names, ", "))
	if len(all) > most {
		text += fmt.Sprintf(" and %d older", len(all)-most)
	}
	return text
}

// recoverable says how long a key that is deleted now could be had back (rows CK-206, CK-207).
func recoverable(a *azkeys.KeyAttributes, now time.Time) string {
	if a == nil {
		return "The vault does not tell whether it could be recovered."
	}
	level, days := deref(a.RecoveryLevel), int(deref(a.RecoverableDays))
	text := fmt.Sprintf("It could be recovered for %d days, until %s", days, now.AddDate(0, 0, days).UTC().Format(time.DateOnly))
	switch {
	case level == "Purgeable":
		return "It could not be recovered: its recovery level is Purgeable."
	case purgeable(level):
		return text + ", unless somebody purges it before: its recovery level is " + level + "."
	}
	return text + ": its recovery level is " + level + "."
}

// purgeable tells the recovery levels of keys that can be purged while they are deleted.
func purgeable(level string) bool { return strings.Contains(level, "Purgeable") }

// ofPurge: what nothing brings back, and whether the vault allows it at all.
func ofPurge(client *azkeys.Client) look {
	return func(ctx context.Context, call *cmdlet.Call) ([]string, error) {
		gone, err := client.GetDeletedKey(ctx, call.Args.Text("Name"), nil)
		if err != nil {
			return nil, err
		}
		if level := deref(deref(gone.Attributes).RecoveryLevel); !purgeable(level) {
			return []string{"The vault would refuse: the key's recovery level is " + level + ". It goes by itself on " + day(gone.ScheduledPurgeDate) + "."}, nil
		}
		return []string{
			"All versions of the key are destroyed. Nothing brings them back but a backup of the key.",
			"Deleted on " + day(gone.DeletedDate) + ", it could be recovered until " + day(gone.ScheduledPurgeDate) + " otherwise.",
		}, nil
	}
}

func ofRecovery(client *azkeys.Client) look {
	return func(ctx context.Context, call *cmdlet.Call) ([]string, error) {
		gone, err := client.GetDeletedKey(ctx, call.Args.Text("Name"), nil)
		if err != nil {
			return nil, err
		}
		return []string{"It comes back with all its versions. It was deleted on " + day(gone.DeletedDate) + ", and would go for ever on " + day(gone.ScheduledPurgeDate) + "."}, nil
	}
}

func day(t *time.Time) string {
	if t == nil {
		return "a day that the vault does not tell"
	}
	return t.UTC().Format(time.DateOnly)
}

// ofNewKey: whether it is a key, or a version of one that is there.
func ofNewKey(client *azkeys.Client) look {
	return func(ctx context.Context, call *cmdlet.Call) ([]string, error) {
		name := call.Args.Text("Name")
		all, err := versionsOf(ctx, client, name)
		if statusOf(err) != http.StatusNotFound {
			if err != nil || len(all) == 0 {
				return nil, err
			}
			return []string{"The key is there: it gets a new version. Those that it has, " + versionNames(all) + ", stay usable."}, nil
		}
		if _, err := client.GetDeletedKey(ctx, name, nil); err == nil {
			return []string{"The vault would refuse: a deleted key has the name. Recover it, or choose another one."}, nil
		}
		return []string{"It is a new key: the vault has none of that name."}, nil
	}
}

// ofUpdate: what is otherwise now.
func ofUpdate(client *azkeys.Client, p azkeys.UpdateKeyParameters) look {
	return func(ctx context.Context, call *cmdlet.Call) ([]string, error) {
		now, err := client.GetKey(ctx, call.Args.Text("Name"), call.Args.Text("Version"), nil)
		if err != nil || now.Key == nil {
			return nil, err
		}
		lines := changes(now.KeyBundle, p)
		if len(lines) == 0 {
			lines = []string{"nothing changes"}
		}
		return []string{fmt.Sprintf("Version %v: %s.", keyVersion(now.Key.KID), strings.Join(lines, "; "))}, nil
	}
}

func changes(now azkeys.KeyBundle, p azkeys.UpdateKeyParameters) (lines []string) {
	a := deref(now.Attributes)
	differ := func(name string, old, next any) {
		if was, is := fmt.Sprint(old), fmt.Sprint(next); was != is {
			lines = append(lines, fmt.Sprintf("%s from %s to %s", name, was, is))
		}
	}
	if want := p.KeyAttributes; want != nil {
		if want.Enabled != nil {
			differ("Enabled", deref(a.Enabled), *want.Enabled)
		}
		if want.Expires != nil {
			differ("Expires", instant(a.Expires), instant(want.Expires))
		}
		if want.NotBefore != nil {
			differ("NotBefore", instant(a.NotBefore), instant(want.NotBefore))
		}
	}
	if p.KeyOps != nil {
		differ("KeyOps", sorted(ops(now.Key.KeyOps)), sorted(ops(p.KeyOps)))
	}
	if p.Tags != nil {
		differ("Tags", tagsText(now.Tags), tagsText(p.Tags))
	}
	return lines
}

func instant(t *time.Time) string {
	if t == nil {
		return "none"
	}
	return t.UTC().Format(time.RFC3339)
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

func tagsText(tags map[string]*string) []string {
	var list []string
	for name, value := range tags {
		list = append(list, name+"="+deref(value))
	}
	return sorted(list)
}
