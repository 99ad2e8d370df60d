package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const (
	noVault        = "404 ResourceNotFound"
	noDeletedVault = "404 DeletedVaultNotFound"
	vaultIsHeld    = "409 ConflictError"
)

// A tenure is one deed on its way: about which holding, and how that is.
type tenure = func(name string, h holding) deedOf[holding]

// anyDeed is mostly one that will succeed, and now and then any.
func (l *landlord) anyDeed(name string, h holding) deedOf[holding] {
	deeds := []tenure{l.put, l.remove, l.recover, l.purge, l.admit, l.expel, l.assign, l.unassign, l.addKey, l.look}
	switch sensible := rand.IntN(4) > 0; {
	case name == registration:
		deeds = []tenure{l.register, l.unregister}
	case sensible && h.deleted:
		deeds = []tenure{l.recover, l.purge}
	case sensible && !h.exists:
		deeds = []tenure{l.put}
	case sensible:
		deeds = []tenure{l.put, l.remove, l.remove, l.admit, l.admit, l.expel, l.assign, l.assign, l.unassign, l.addKey, l.look}
	}
	return deeds[rand.IntN(len(deeds))](name, h)
}

// ifLive is what must come for what only a live vault lets be done.
func ifLive(h holding) string {
	if !h.live() {
		return noVault
	}
	return ""
}

func ifDeleted(h holding, else_ string) string {
	if !h.deleted {
		return else_
	}
	return ""
}

// doing is a deed that leaves the holding as after if it succeeds.
func doing(name, want string, after holding, call func(context.Context) error) deedOf[holding] {
	return deedOf[holding]{name, want, func(ctx context.Context) (holding, error) { return after, call(ctx) }, after.is(after)}
}

// put makes a vault, or gives the one that is there another tag and lets nobody but its owner in.
func (l *landlord) put(name string, h holding) deedOf[holding] {
	want, after := "", holding{exists: true, tag: strconv.Itoa(rand.Int()), roles: h.roles, keys: h.keys}
	if h.deleted {
		want = vaultIsHeld
	}
	return doing("put vault", want, after, func(ctx context.Context) error {
		return l.begin(ctx, name, armkeyvault.VaultCreateOrUpdateParameters{
			Location: to.Ptr("westeurope"), Tags: map[string]*string{"t": &after.tag},
			Properties: &armkeyvault.VaultProperties{
				TenantID: &l.tenant, SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNamePremium)},
				AccessPolicies: []*armkeyvault.AccessPolicyEntry{l.entry(l.self, armkeyvault.KeyPermissionsAll)},
			},
		})
	})
}

func (l *landlord) recover(name string, h holding) deedOf[holding] {
	after := h
	after.deleted = false
	want := ifDeleted(h, noDeletedVault)
	if h.live() {
		want = vaultIsHeld
	}
	return doing("recover vault", want, after, func(ctx context.Context) error { return l.takeBack(ctx, name) })
}

func (l *landlord) takeBack(ctx context.Context, name string) error {
	return l.begin(ctx, name, armkeyvault.VaultCreateOrUpdateParameters{
		Location:   to.Ptr("westeurope"),
		Properties: &armkeyvault.VaultProperties{TenantID: &l.tenant, CreateMode: to.Ptr(armkeyvault.CreateModeRecover)},
	})
}

func (l *landlord) begin(ctx context.Context, name string, p armkeyvault.VaultCreateOrUpdateParameters) error {
	poller, err := l.vaults.BeginCreateOrUpdate(ctx, "playground", name, p, nil)
	if err != nil {
		return err
	}
	_, err = poller.PollUntilDone(ctx, nil)
	return err
}

func (l *landlord) entry(object string, may armkeyvault.KeyPermissions) *armkeyvault.AccessPolicyEntry {
	return &armkeyvault.AccessPolicyEntry{TenantID: &l.tenant, ObjectID: &object, Permissions: &armkeyvault.Permissions{Keys: []*armkeyvault.KeyPermissions{&may}}}
}

// remove succeeds where there is nothing, too.
func (l *landlord) remove(name string, h holding) deedOf[holding] {
	after := h
	after.deleted = h.exists
	return doing("delete vault", "", after, func(ctx context.Context) error {
		_, err := l.vaults.Delete(ctx, "playground", name, nil)
		return err
	})
}

func (l *landlord) purge(name string, h holding) deedOf[holding] {
	return doing("purge vault", ifDeleted(h, noDeletedVault), holding{}, func(ctx context.Context) error {
		poller, err := l.vaults.BeginPurgeDeleted(ctx, name, "westeurope", nil)
		if err != nil {
			return err
		}
		_, err = poller.PollUntilDone(ctx, nil)
		return err
	})
}

// admit lets one more into the vault, expel one less.
func (l *landlord) admit(name string, h holding) deedOf[holding] {
	guest, after := uuid.NewString(), h
	after.guests = plus(h.guests, guest)
	return doing("admit", ifLive(h), after, func(ctx context.Context) error {
		return l.setAccess(ctx, name, armkeyvault.AccessPolicyUpdateKindAdd, guest)
	})
}

func (l *landlord) expel(name string, h holding) deedOf[holding] {
	guest, after := uuid.NewString(), h
	if len(h.guests) > 0 {
		guest = h.guests[rand.IntN(len(h.guests))]
	}
	after.guests = without(h.guests, guest)
	return doing("expel", ifLive(h), after, func(ctx context.Context) error {
		return l.setAccess(ctx, name, armkeyvault.AccessPolicyUpdateKindRemove, guest)
	})
}

func (l *landlord) setAccess(ctx context.Context, name string, how armkeyvault.AccessPolicyUpdateKind, guest string) error {
	_, err := l.vaults.UpdateAccessPolicy(ctx, "playground", name, how, armkeyvault.VaultAccessPolicyParameters{
		Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{l.entry(guest, armkeyvault.KeyPermissionsGet)}},
	}, nil)
	return err
}

func (l *landlord) assign(name string, h holding) deedOf[holding] {
	id, principal, after := uuid.NewString(), uuid.NewString(), h
	after.roles = plus(h.roles, id+" "+principal)
	return doing("assign role", ifLive(h), after, func(ctx context.Context) error {
		_, err := l.roles.Create(ctx, l.scope(name), id, armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
			RoleDefinitionID: to.Ptr("/subscriptions/" + l.subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + rights.CryptoUser),
			PrincipalID:      &principal, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal),
		}}, nil)
		return err
	})
}

// unassign succeeds where there is nothing, too.
func (l *landlord) unassign(name string, h holding) deedOf[holding] {
	if !h.live() || len(h.roles) == 0 {
		return doing("unassign role", "", h, func(ctx context.Context) error {
			_, err := l.roles.Delete(ctx, l.scope(name), uuid.NewString(), nil)
			return err
		})
	}
	gone, after := h.roles[rand.IntN(len(h.roles))], h
	after.roles = without(h.roles, gone)
	return doing("unassign role", "", after, func(ctx context.Context) error {
		id, _, _ := strings.Cut(gone, " ")
		_, err := l.roles.Delete(ctx, l.scope(name), id, nil)
		return err
	})
}

func (l *landlord) scope(vault string) string {
	return "/subscriptions/" + l.subscription + "/resourceGroups/playground/providers/Microsoft.KeyVault/vaults/" + vault
}

// addKey puts a key into the vault, that a purge has something to destroy.
func (l *landlord) addKey(name string, h holding) deedOf[holding] {
	if !h.live() {
		return l.look(name, h)
	}
	key := "k-" + uuid.NewString()
	d := doing("add key", "", h, nil)
	d.call = func(ctx context.Context) (holding, error) {
		client, err := l.keys(name)
		if err != nil {
			return h, err
		}
		res, err := client.CreateKey(ctx, key, azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP256)}, nil)
		if err != nil {
			return h, err
		}
		after := h
		after.keys = plus(h.keys, string(*res.Key.KID))
		return after, nil
	}
	d.after = func(after holding) bool {
		i := slices.IndexFunc(after.keys, func(id string) bool { return strings.Contains(id, key) })
		return i >= 0 && h.same(holding{h.exists, h.deleted, after.tag, after.guests, after.roles, without(after.keys, after.keys[i])})
	}
	return d
}

func (l *landlord) look(name string, h holding) deedOf[holding] {
	return doing("look at vault", ifLive(h), h, func(ctx context.Context) error {
		res, err := l.vaults.Get(ctx, "playground", name, nil)
		if err == nil && *res.Tags["t"] != h.tag {
			err = wrongAnswer("another tag")
		}
		return err
	})
}

func (l *landlord) register(string, holding) deedOf[holding] {
	return doing("register", "", holding{exists: true}, func(ctx context.Context) error {
		_, err := l.features.Register(ctx, keyvault.RetentionNamespace, keyvault.RetentionFeature, nil)
		return err
	})
}

func (l *landlord) unregister(string, holding) deedOf[holding] {
	return doing("unregister", "", holding{}, func(ctx context.Context) error {
		_, err := l.features.Unregister(ctx, keyvault.RetentionNamespace, keyvault.RetentionFeature, nil)
		return err
	})
}
