package arm_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

func mustRoles(t *testing.T, w *keyvaulttest.World, c directory.Caller) *armauthorization.RoleAssignmentsClient {
	t.Helper()
	client, err := armauthorization.NewRoleAssignmentsClient(w.Subscription.ID, w.Credential(c), options(w))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// definitionID finds a role by its name, as clients do.
func definitionID(t *testing.T, w *keyvaulttest.World, name string) string {
	t.Helper()
	client, err := armauthorization.NewRoleDefinitionsClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	pager := client.NewListPager("subscriptions/"+w.Subscription.ID, &armauthorization.RoleDefinitionsClientListOptions{Filter: to.Ptr("roleName eq '" + name + "'")})
	page, err := pager.NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Value) != 1 || pager.More() {
		t.Fatalf("%d roles are named %q", len(page.Value), name)
	}
	return *page.Value[0].ID
}

func TestArmauthorizationDefinitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := armauthorization.NewRoleDefinitionsClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	scope := "/subscriptions/" + w.Subscription.ID
	page, err := client.NewListPager(scope, nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 11 {
		t.Fatalf("%d roles, %v", len(page.Value), err)
	}
	for _, r := range page.Value {
		byID, err := client.GetByID(t.Context(), *r.ID, nil)
		if err != nil || *byID.Name != *r.Name || *byID.Properties.RoleType != "BuiltInRole" {
			t.Errorf("%s: %+v, %v", *r.ID, byID.RoleDefinition, err)
		}
	}
	got, err := client.Get(t.Context(), scope+"/resourceGroups/keys", strings.ToUpper(rights.ServiceEncryption), nil)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, a := range got.Properties.Permissions[0].DataActions {
		actions = append(actions, *a)
	}
	want := []string{"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/wrap/action", "Microsoft.KeyVault/vaults/keys/unwrap/action"}
	if diff := cmp.Diff(want, actions); diff != "" || *got.Properties.RoleName != "Key Vault Crypto Service Encryption User" {
		t.Errorf("%s: %s", *got.Properties.RoleName, diff)
	}
	_, err = client.Get(t.Context(), scope, uuid.NewString(), nil)
	wantError(t, err, http.StatusNotFound, "RoleDefinitionDoesNotExist")
}

// TestArmauthorizationAssignments walks through the life of assignments at every scope, by the
// official client.
func TestArmauthorizationAssignments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("Contoso-East")
	client := mustRoles(t, w, w.Owner)
	role := definitionID(t, w, "Key Vault Crypto User")
	who := w.Person("who@contoso.example")
	whole := "/subscriptions/" + w.Subscription.ID
	vault := whole + "/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/Contoso-East"
	properties := armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(who.ID), RoleDefinitionID: to.Ptr(role), PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal), Description: to.Ptr("so it is"),
	}}
	for _, scope := range []string{whole, whole + "/resourceGroups/keys", vault, vault + "/keys/root1"} {
		id := uuid.NewString()
		made, err := client.Create(t.Context(), scope, id, properties, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := made.Properties; *made.Name != id || *made.ID != scope+"/providers/Microsoft.Authorization/roleAssignments/"+id || *p.Scope != scope ||
			*p.RoleDefinitionID != role || *p.PrincipalID != who.ID || *p.PrincipalType != "ServicePrincipal" || *p.Description != "so it is" || *p.CreatedBy != w.Owner.ID {
			t.Errorf("made %+v", made.RoleAssignment)
		}
		for what, get := range map[string]func() (armauthorization.RoleAssignment, error){
			"again": func() (armauthorization.RoleAssignment, error) {
				res, err := client.CreateByID(t.Context(), *made.ID, properties, nil)
				return res.RoleAssignment, err
			},
			"get": func() (armauthorization.RoleAssignment, error) {
				res, err := client.Get(t.Context(), strings.ToUpper(scope), id, nil)
				return res.RoleAssignment, err
			},
			"by id": func() (armauthorization.RoleAssignment, error) {
				res, err := client.GetByID(t.Context(), *made.ID, nil)
				return res.RoleAssignment, err
			},
		} {
			if a, err := get(); err != nil || cmp.Diff(made.RoleAssignment, a) != "" {
				t.Errorf("%s: %v %s", what, err, cmp.Diff(made.RoleAssignment, a))
			}
		}
		_, err = client.Create(t.Context(), scope, uuid.NewString(), properties, nil)
		wantError(t, err, http.StatusConflict, "RoleAssignmentExists")
	}
	count := func(pager interface{ More() bool }, next func() ([]*armauthorization.RoleAssignment, error)) (ids []string) {
		t.Helper()
		for pager.More() {
			page, err := next()
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				ids = append(ids, *a.ID)
			}
		}
		slices.Sort(ids)
		return ids
	}
	forScope := func(scope, filter string) []string { // the client sends the filter as it is given
		pager := client.NewListForScopePager(scope, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: to.Ptr(url.PathEscape(filter))})
		return count(pager, func() ([]*armauthorization.RoleAssignment, error) {
			page, err := pager.NextPage(t.Context())
			return page.Value, err
		})
	}
	all := client.NewListForSubscriptionPager(nil)
	every := count(all, func() ([]*armauthorization.RoleAssignment, error) {
		page, err := all.NextPage(t.Context())
		return page.Value, err
	})
	ofVault := client.NewListForResourcePager("keys", "Microsoft.KeyVault", "vaults", "contoso-east", nil)
	atVault := count(ofVault, func() ([]*armauthorization.RoleAssignment, error) {
		page, err := ofVault.NextPage(t.Context())
		return page.Value, err
	})
	inGroup := client.NewListForResourceGroupPager("keys", nil)
	grouped := count(inGroup, func() ([]*armauthorization.RoleAssignment, error) {
		page, err := inGroup.NextPage(t.Context())
		return page.Value, err
	})
	for what, tt := range map[string]struct{ got, want int }{ // with the owner's
		"subscription": {len(every), 5}, "resource": {len(atVault), 5}, "group": {len(grouped), 5}, "at the vault": {len(forScope(vault, "atScope()")), 4},
		"at the subscription": {len(forScope(whole, "atScope()")), 2}, "his": {len(forScope(whole, "principalId eq '"+who.ID+"'")), 4},
		"his at the group": {len(forScope(whole+"/resourceGroups/keys", "atScope() and assignedTo('"+who.ID+"')")), 2}, "nobody's": {len(forScope(whole, "principalId eq "+uuid.NewString())), 0},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", what, tt.got, tt.want)
		}
	}
	gone, err := client.DeleteByID(t.Context(), atVault[len(atVault)-1], nil)
	if err != nil || *gone.ID != atVault[len(atVault)-1] {
		t.Errorf("deleted %+v, %v", gone.RoleAssignment, err)
	}
	if again, err := client.DeleteByID(t.Context(), *gone.ID, nil); err != nil || again.ID != nil {
		t.Errorf("deleted again %+v, %v", again.RoleAssignment, err)
	}
	_, err = client.GetByID(t.Context(), *gone.ID, nil)
	wantError(t, err, http.StatusNotFound, "RoleAssignmentNotFound")
	_, err = mustRoles(t, w, who).Create(t.Context(), whole, uuid.NewString(), properties, nil)
	wantError(t, err, http.StatusForbidden, "AuthorizationFailed")
}

// TestArmkeyvaultRoles: what a vault goes by, and from where it can be reached.
func TestArmkeyvaultRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	p := newVault(w)
	p.Properties.EnableRbacAuthorization = to.Ptr(true)
	p.Properties.PublicNetworkAccess = to.Ptr("Disabled")
	p.Properties.NetworkACLs = &armkeyvault.NetworkRuleSet{
		Bypass: to.Ptr(armkeyvault.NetworkRuleBypassOptionsNone), DefaultAction: to.Ptr(armkeyvault.NetworkRuleActionDeny),
		IPRules: []*armkeyvault.IPRule{{Value: to.Ptr("192.0.2.1")}, {Value: to.Ptr("2001:db8::/32")}},
	}
	made := mustPut(t, client, "contoso-east", p)
	var ranges []string
	for _, r := range made.Properties.NetworkACLs.IPRules {
		ranges = append(ranges, *r.Value)
	}
	if !*made.Properties.EnableRbacAuthorization || *made.Properties.PublicNetworkAccess != "Disabled" ||
		*made.Properties.NetworkACLs.Bypass != "None" || *made.Properties.NetworkACLs.DefaultAction != "Deny" || !slices.Equal(ranges, []string{"192.0.2.1/32", "2001:db8::/32"}) {
		t.Errorf("made %+v", made.Properties)
	}
	// Read, change, write back keeps it all (KV-124); so does a change of something else.
	back := armkeyvault.VaultCreateOrUpdateParameters{Location: made.Location, Properties: made.Properties}
	if again := mustPut(t, client, "contoso-east", back); cmp.Diff(made.Properties, again.Properties) != "" {
		t.Error(cmp.Diff(made.Properties, again.Properties))
	}
	tagged, err := client.Update(t.Context(), "keys", "contoso-east", armkeyvault.VaultPatchParameters{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if err != nil || cmp.Diff(made.Properties, tagged.Properties) != "" {
		t.Errorf("%v %s", err, cmp.Diff(made.Properties, tagged.Properties))
	}
	// Network rules of which a part is named keep the rest: nothing opens that nobody opened.
	fewer, err := client.Update(t.Context(), "keys", "contoso-east", armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{
		NetworkACLs: &armkeyvault.NetworkRuleSet{IPRules: []*armkeyvault.IPRule{{Value: to.Ptr("192.0.2.1/32")}}},
	}}, nil)
	made.Properties.NetworkACLs.IPRules = made.Properties.NetworkACLs.IPRules[:1]
	if err != nil || cmp.Diff(made.Properties, fewer.Properties) != "" {
		t.Errorf("%v %s", err, cmp.Diff(made.Properties, fewer.Properties))
	}
	opened, err := client.Update(t.Context(), "keys", "contoso-east", armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{
		PublicNetworkAccess: to.Ptr("Enabled"), EnableRbacAuthorization: to.Ptr(false),
		NetworkACLs: &armkeyvault.NetworkRuleSet{DefaultAction: to.Ptr(armkeyvault.NetworkRuleActionAllow)},
	}}, nil)
	if err != nil || *opened.Properties.EnableRbacAuthorization || *opened.Properties.PublicNetworkAccess != "Enabled" ||
		*opened.Properties.NetworkACLs.DefaultAction != "Allow" || *opened.Properties.NetworkACLs.Bypass != "None" || len(opened.Properties.NetworkACLs.IPRules) != 1 {
		t.Errorf("opened %+v, %v", opened.Properties, err)
	}
	if plain := mustPut(t, client, "contoso-west", newVault(w)); plain.Properties.NetworkACLs != nil || *plain.Properties.EnableRbacAuthorization {
		t.Errorf("plain %+v", plain.Properties)
	}
}
