package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// removeKey deletes a key, or purges a deleted one (row CK-199). Both ask first.
func (e *Environment) removeKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	name := call.Args.Text("Name")
	if call.Args.On("InRemovedState") {
		if proceed, err := e.proceed(ctx, call, "Purge key for ever", target(call), ofPurge(client)); err != nil || !proceed {
			return err
		}
		_, err := client.PurgeDeletedKey(ctx, name, nil)
		return err
	}
	if proceed, err := e.proceed(ctx, call, "Remove key", target(call), e.ofRemoval(client)); err != nil || !proceed {
		return err
	}
	gone, err := client.DeleteKey(ctx, name, nil)
	if err != nil || !call.Args.On("PassThru") {
		return err
	}
	return call.Host.Object(deletedObject(call, gone.DeletedKey))
}

// undoRemoval recovers a deleted key (row CK-200).
func (e *Environment) undoRemoval(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	if proceed, err := e.proceed(ctx, call, "Recover key", target(call), ofRecovery(client)); err != nil || !proceed {
		return err
	}
	back, err := client.RecoverDeletedKey(ctx, call.Args.Text("Name"), nil)
	if err != nil {
		return err
	}
	return call.Host.Object(keyObject(call, back.KeyBundle))
}

func getDeleted(ctx context.Context, client *azkeys.Client, call *cmdlet.Call, name string, many bool) error {
	if !many {
		res, err := client.GetDeletedKey(ctx, name, nil)
		if err != nil {
			return err
		}
		return call.Host.Object(deletedObject(call, res.DeletedKey))
	}
	for pager := client.NewListDeletedKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Value {
			ok, err := fits(name, keyName(k.KID))
			if err != nil {
				return err
			}
			if ok {
				if err := call.Host.Object(deletedItem(call, k)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
