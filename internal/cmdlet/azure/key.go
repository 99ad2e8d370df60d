package azure

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// addKey makes a key or a new version of one (row CK-194).
func (e *Environment) addKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	if call.Args.Has("KeyFilePath") {
		return e.importKey(ctx, call, client)
	}
	kind := "RSA"
	if call.Args.Has("KeyType") {
		kind = call.Args.Text("KeyType")
	}
	if call.Args.Text("Destination") == "HSM" {
		kind += "-HSM"
	}
	p := azkeys.CreateKeyParameters{
		Kty: to.Ptr(azkeys.KeyType(kind)), KeyOps: operations(call), Tags: tags(call),
		KeyAttributes: &azkeys.KeyAttributes{
			Enabled: to.Ptr(!call.Args.On("Disable")), Expires: call.Args.TimePtr("Expires"), NotBefore: call.Args.TimePtr("NotBefore"),
		},
	}
	if call.Args.Has("Size") {
		p.KeySize = to.Ptr(int32(call.Args.Int("Size")))
	}
	if call.Args.Has("CurveName") {
		p.Curve = to.Ptr(azkeys.CurveName(call.Args.Text("CurveName")))
	}
	if proceed, err := e.proceed(ctx, call, "Add key", target(call), ofNewKey(client)); err != nil || !proceed {
		return err
	}
	made, err := client.CreateKey(ctx, call.Args.Text("Name"), p, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(keyObject(call, made.KeyBundle))
}

// updateKey changes what is given, and nothing else (row CK-196).
func (e *Environment) updateKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	p := azkeys.UpdateKeyParameters{
		KeyOps: operations(call), Tags: tags(call),
		KeyAttributes: &azkeys.KeyAttributes{
			Enabled: call.Args.BoolPtr("Enable"), Expires: call.Args.TimePtr("Expires"), NotBefore: call.Args.TimePtr("NotBefore"),
		},
	}
	if proceed, err := e.proceed(ctx, call, "Update key", target(call), ofUpdate(client, p)); err != nil || !proceed {
		return err
	}
	changed, err := client.UpdateKey(ctx, call.Args.Text("Name"), call.Args.Text("Version"), p, nil)
	if err != nil || !call.Args.On("PassThru") {
		return err
	}
	return call.Host.Object(keyObject(call, changed.KeyBundle))
}

// getKey shows one key, its versions, all keys, or deleted keys (row CK-195).
func (e *Environment) getKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	name := call.Args.Text("Name")
	many := name == "" || strings.ContainsAny(name, "*?")
	switch {
	case call.Args.On("InRemovedState"):
		return getDeleted(ctx, client, call, name, many)
	case many && (call.Args.Has("Version") || call.Args.Has("OutFile") || call.Args.On("IncludeVersions")):
		return fault.New(fault.Invalid, "versions are those of one key, and %q stands for several", name)
	case many:
		return listKeys(ctx, client, call, name)
	case call.Args.On("IncludeVersions"):
		return listVersions(ctx, client, call, name)
	}
	res, err := client.GetKey(ctx, name, call.Args.Text("Version"), nil)
	if err != nil {
		return err
	}
	if file := call.Args.Text("OutFile"); file != "" {
		if err := writePublic(file, res.Key); err != nil {
			return err
		}
	}
	return call.Host.Object(keyObject(call, res.KeyBundle))
}

func listKeys(ctx context.Context, client *azkeys.Client, call *cmdlet.Call, pattern string) error {
	for pager := client.NewListKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Value {
			ok, err := fits(pattern, keyName(k.KID))
			if err != nil {
				return err
			}
			if ok {
				if err := call.Host.Object(keyItem(call, k)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// listVersions shows the newest version first. A key has as many as it was rolled.
func listVersions(ctx context.Context, client *azkeys.Client, call *cmdlet.Call, name string) error {
	all, err := versionsOf(ctx, client, name)
	for _, k := range all {
		if err := call.Host.Object(keyItem(call, k)); err != nil {
			return err
		}
	}
	return err
}

// versionsOf returns all versions of a key, the newest first.
func versionsOf(ctx context.Context, client *azkeys.Client, name string) (all []*azkeys.KeyProperties, err error) {
	for pager := client.NewListKeyPropertiesVersionsPager(name, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
	}
	if len(all) == 0 { // a vault lists nothing for a key that it does not have
		_, err = client.GetKey(ctx, name, "", nil)
	}
	slices.Reverse(all) // vaults list the oldest first; of two made in one second the later stays the newer
	slices.SortStableFunc(all, func(a, b *azkeys.KeyProperties) int { return created(b).Compare(created(a)) })
	return all, err
}

// fits reports whether a name is one that the pattern, with * and ?, means.
func fits(pattern, name string) (bool, error) {
	if pattern == "" {
		return true, nil
	}
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	if err != nil {
		return false, fault.New(fault.Invalid, "%q is no pattern of names", pattern).WithHint("use * for any text and ? for one character")
	}
	return ok, nil
}

func operations(call *cmdlet.Call) []*azkeys.KeyOperation {
	if !call.Args.Has("KeyOps") {
		return nil
	}
	ops := []*azkeys.KeyOperation{}
	for _, op := range call.Args.List("KeyOps") {
		ops = append(ops, to.Ptr(azkeys.KeyOperation(op)))
	}
	return ops
}

func target(call *cmdlet.Call) string {
	return call.Args.Text("VaultName") + "/" + call.Args.Text("Name")
}
