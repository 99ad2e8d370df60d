package azure

import (
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// keyObject shows a key version with the properties of rows CK-204 and CK-205.
func keyObject(call *cmdlet.Call, b azkeys.KeyBundle) cmdlet.Object {
	k := b.Key
	if k == nil {
		k = &azkeys.JSONWebKey{}
	}
	return keyShow(cmdlet.KeyType, call, shownKey{
		id: deref(k.KID), kind: string(deref(k.Kty)), size: bits(k), ops: ops(k.KeyOps), attributes: b.Attributes, tags: b.Tags, managed: deref(b.Managed),
	})
}

// keyItem shows a key in a list, where the vault tells neither type, size nor operations.
func keyItem(call *cmdlet.Call, p *azkeys.KeyProperties) cmdlet.Object {
	return keyShow(cmdlet.KeyItemType, call, shownKey{id: deref(p.KID), attributes: p.Attributes, tags: p.Tags, managed: deref(p.Managed)})
}

func deletedObject(call *cmdlet.Call, d azkeys.DeletedKey) cmdlet.Object {
	o := keyObject(call, azkeys.KeyBundle{Key: d.Key, Attributes: d.Attributes, Tags: d.Tags, Managed: d.Managed})
	return asDeleted(o, d.DeletedDate, d.ScheduledPurgeDate)
}

func deletedItem(call *cmdlet.Call, d *azkeys.DeletedKeyProperties) cmdlet.Object {
	o := keyItem(call, &azkeys.KeyProperties{KID: d.KID, Attributes: d.Attributes, Tags: d.Tags, Managed: d.Managed})
	return asDeleted(o, d.DeletedDate, d.ScheduledPurgeDate)
}

func asDeleted(o cmdlet.Object, deleted, purge *time.Time) cmdlet.Object {
	o.Type = cmdlet.DeletedType
	o.Fields = append(o.Fields, cmdlet.Field{Name: "DeletedDate", Value: when(deleted)}, cmdlet.Field{Name: "ScheduledPurgeDate", Value: when(purge)})
	return o
}

// A shownKey is what the different answers of a vault have in common.
type shownKey struct {
	id         azkeys.ID
	kind       string
	size       any // bits, nil if not known
	ops        []string
	attributes *azkeys.KeyAttributes
	tags       map[string]*string
	managed    bool
}

func keyShow(typ string, call *cmdlet.Call, k shownKey) cmdlet.Object {
	a := k.attributes
	if a == nil {
		a = &azkeys.KeyAttributes{}
	}
	level := deref(a.RecoveryLevel)
	var kind, operations any
	if k.kind != "" {
		kind, operations = k.kind, k.ops
	}
	return cmdlet.Object{Type: typ, Fields: []cmdlet.Field{
		{Name: "VaultName", Value: call.Args.Text("VaultName")},
		{Name: "Name", Value: keyName(&k.id)},
		{Name: "KeyType", Value: kind},
		{Name: "KeySize", Value: k.size},
		{Name: "Version", Value: keyVersion(&k.id)},
		{Name: "Id", Value: string(k.id)},
		{Name: "Enabled", Value: deref(a.Enabled)},
		{Name: "Expires", Value: when(a.Expires)},
		{Name: "NotBefore", Value: when(a.NotBefore)},
		{Name: "Created", Value: when(a.Created)},
		{Name: "Updated", Value: when(a.Updated)},
		{Name: "RecoveryLevel", Value: level},
		{Name: "KeyOps", Value: operations},
		{Name: "PurgeDisabled", Value: !strings.Contains(level, "Purgeable")},
		{Name: "Tags", Value: tagObject(k.tags)},
		{Name: "Attributes", Value: cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "Enabled", Value: deref(a.Enabled)},
			{Name: "Expires", Value: when(a.Expires)},
			{Name: "NotBefore", Value: when(a.NotBefore)},
			{Name: "KeyOps", Value: operations},
			{Name: "KeyType", Value: kind},
			{Name: "Created", Value: when(a.Created)},
			{Name: "Updated", Value: when(a.Updated)},
			{Name: "RecoveryLevel", Value: level},
			{Name: "RecoverableDays", Value: int64(deref(a.RecoverableDays))},
			{Name: "Managed", Value: k.managed},
			{Name: "Exportable", Value: deref(a.Exportable)},
			{Name: "ReleasePolicy", Value: nil},
			{Name: "Tags", Value: tagObject(k.tags)},
		}}},
	}}
}

// keyName and keyVersion read a key's id: .../keys/name[/version]. They never fail, which
// cannot be said of azkeys.ID's own methods.
func keyName(id *azkeys.ID) string {
	name, _, _ := strings.Cut(afterKeys(id), "/")
	return name
}

func keyVersion(id *azkeys.ID) any {
	if _, version, ok := strings.Cut(afterKeys(id), "/"); ok {
		return version
	}
	return nil
}

func afterKeys(id *azkeys.ID) string {
	_, rest, _ := strings.Cut(string(deref(id)), "keys/")
	return rest
}

// bits is the size of an RSA key, nil for others: a curve has its name.
func bits(k *azkeys.JSONWebKey) any {
	if len(k.N) == 0 {
		return nil
	}
	return int64(len(k.N)) * 8
}

func ops(list []*azkeys.KeyOperation) []string {
	names := make([]string, len(list))
	for i, op := range list {
		names[i] = string(deref(op))
	}
	return names
}

func when(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC()
}

func created(p *azkeys.KeyProperties) time.Time {
	if p.Attributes == nil {
		return time.Time{}
	}
	return deref(p.Attributes.Created)
}
