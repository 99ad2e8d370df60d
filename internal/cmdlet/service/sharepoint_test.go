package service

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// The parameters of section 3.3, row by row: what binds, and what is refused and how.
func TestSharePointParameters(t *testing.T) {
	t.Parallel()
	const (
		version = "f635a23bd4a44b9996ff6aadd88d42ba"
		guid    = "f635a23b-d4a4-4b99-96ff-6aadd88d42ba"
		first   = "-PrimaryKeyVaultName e -PrimaryKeyName k -PrimaryKeyVersion " + version
		second  = "-SecondaryKeyVaultName w -SecondaryKeyName k -SecondaryKeyVersion " + guid
		uris    = "-PrimaryKeyVaultUri https://e/keys/k -SecondaryKeyVaultUri https://w/keys/k"
		one     = "-KeyVaultName e -KeyName k -KeyVersion " + guid
		uri     = "-KeyVaultUri https://e/keys/k/" + version
	)
	for _, tt := range []struct{ row, line, stderr string }{
		{"CK-129 by names", "Register-SPODataEncryptionPolicy " + first + " " + second, ""},
		{"CK-129 one name is missing", "Register-SPODataEncryptionPolicy " + first + " -SecondaryKeyVaultName w -SecondaryKeyName k", "needs -SecondaryKeyVersion"},
		{"CK-130 by URIs", "Register-SPODataEncryptionPolicy " + uris, ""},
		{"CK-130 one URI", "Register-SPODataEncryptionPolicy -PrimaryKeyVaultUri https://e/keys/k", "needs -SecondaryKeyVaultUri"},
		{"CK-130 names and URIs", "Register-SPODataEncryptionPolicy " + first + " -SecondaryKeyVaultUri https://w/keys/k", "cannot be used together"},
		{"CK-131 WhatIf and Confirm", "Register-SPODataEncryptionPolicy " + uris + " -WhatIf -Confirm", ""},
		{"CK-132 by names", "Update-SPODataEncryptionPolicy " + one + " -KeyType Primary", ""},
		{"CK-133 by URI", "Update-SPODataEncryptionPolicy " + uri + " -KeyType secondary", ""},
		{"CK-134 without a key type", "Update-SPODataEncryptionPolicy " + one, "needs -KeyType"},
		{"CK-134 the availability key", "Update-SPODataEncryptionPolicy " + one + " -KeyType Availability", "the availability key cannot be changed"},
		{"CK-134 something else", "Update-SPODataEncryptionPolicy " + one + " -KeyType Third", "cannot be"},
		{"CK-135 a managed HSM", "Update-SPODataEncryptionPolicy " + uri + " -KeyType Primary -KeyVaultType ManagedHSM", ""},
		{"CK-135 something else", "Update-SPODataEncryptionPolicy " + uri + " -KeyType Primary -KeyVaultType Safe", "cannot be"},
		{"CK-136 WhatIf and Confirm", "Update-SPODataEncryptionPolicy " + uri + " -KeyType Primary -WhatIf -Confirm:$false", ""},
		{"both at once, our own", "Update-SPODataEncryptionPolicy -Replace " + uris, ""},
		{"both at once, and one of them", "Update-SPODataEncryptionPolicy -Replace " + uris + " -KeyType Primary", "cannot be used together"},
		{"CK-137 without parameters", "Get-SPODataEncryptionPolicy", ""},
		{"CK-137 it changes nothing", "Get-SPODataEncryptionPolicy -WhatIf", "takes no -WhatIf"},
		{"CK-138 positional", "Get-SPOSiteDataEncryptionPolicy https://contoso.sharepoint.com/sites/x", ""},
		{"CK-138 no site", "Get-SPOSiteDataEncryptionPolicy", "needs -Identity"},
		{"CK-139 by names", "Restore-SPODataEncryptionPolicy " + first + " " + second, ""},
		{"CK-139 by URIs", "Restore-SPODataEncryptionPolicy " + uris, ""},
		{"CK-140, X-10 the admin site, in all of them", "Register-SPODataEncryptionPolicy https://contoso-admin.sharepoint.com " + uris, ""},
		{"CK-140 the admin site, by its place", "Get-SPODataEncryptionPolicy https://contoso-admin.sharepoint.com", ""},
		{"CK-172 a purge", "Update-SPODataEncryptionPolicy " + uri + " -KeyType Primary -PermanentDataPurgeRequested", "has no parameter -PermanentDataPurgeRequested"},
	} {
		words := strings.Fields(tt.line)
		c, err := cmdlet.Find(Rows(), words[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = cmdlet.Bind(c, words[1:])
		if text := fault.As(err).Message; (err != nil) != (tt.stderr != "") || !strings.Contains(text, tt.stderr) {
			t.Errorf("%s: %v, want %q", tt.row, err, tt.stderr)
		}
	}
}

// CK-280, CK-281: who may.
func TestSharePointRoles(t *testing.T) {
	t.Parallel()
	for _, c := range sharePointRows() {
		admin := c.MayRun(directory.Caller{Roles: []directory.Role{directory.SharePointAdministrator}}, policy.Roles{}) && c.MayRun(directory.Caller{Roles: []directory.Role{directory.GlobalAdministrator}}, policy.Roles{})
		reader := c.MayRun(directory.Caller{Roles: []directory.Role{directory.GlobalReader}}, policy.Roles{})
		others := c.MayRun(directory.Caller{Roles: []directory.Role{directory.ExchangeAdministrator, directory.ComplianceAdministrator}}, policy.Roles{})
		operator := c.MayRun(directory.Caller{Roles: []directory.Role{directory.ServiceOperator}}, policy.Roles{})
		if geos := strings.HasSuffix(c.Name, "-CKGeo"); admin != (c.Name != "Add-CKGeo") || reader != strings.HasPrefix(c.Name, "Get-") || others || operator != geos {
			t.Errorf("%s: administrators %t, readers %t, others %t, operators %t", c.Name, admin, reader, others, operator)
		}
	}
}

// CK-142 to CK-145: the states by number and name, and the fields that scripts read.
func TestGeoPolicyObject(t *testing.T) {
	t.Parallel()
	for number, name := range []string{"Unregistered", "Registering", "Registered", "Rolling", "Recovering"} {
		st := policy.GeoStatus{Geo: "eur", State: policy.GeoState(number), Percent: 40}
		o := geoPolicyObject(st, health.Report{})
		want := map[string]any{
			"State": name, "Status": name, "RegistrationProgress": int64(40), "RecoveryEnabled": name == "Recovering", "TenantHasKey": number > 0,
			"PrimaryKeyVaultUri": "", "SecondaryKeyVaultUri": "", "AvailabilityKeyVaultUri": "",
		}
		got := map[string]any{}
		for _, f := range o.Fields {
			got[f.Name] = f.Value
		}
		for field, value := range want {
			if got[field] != value {
				t.Errorf("CK-144 %s of %s is %v, want %v", field, name, got[field], value)
			}
		}
	}
	if name := policy.GeoState(5).String(); name != "Unknown" {
		t.Errorf("a sixth state is %s", name)
	}
}

func TestSiteName(t *testing.T) {
	t.Parallel()
	for identity, want := range map[string]string{
		"marketing": "marketing",
		"https://contoso.sharepoint.com/sites/marketing":                   "marketing",
		"https://contoso.sharepoint.com/sites/marketing/":                  "marketing",
		"https://contoso.sharepoint.com/sites/m%C3%A4rkte":                 "märkte",
		"https://contoso-my.sharepoint.com/personal/alice_contoso_example": "alice_contoso_example",
		"https://contoso.sharepoint.com":                                   "",
		"http://contoso.sharepoint.com/sites/marketing":                    "http://contoso.sharepoint.com/sites/marketing",
		"https://contoso.sharepoint.com/%zz":                               "https://contoso.sharepoint.com/%zz",
	} {
		if got := siteName(identity); got != want {
			t.Errorf("siteName(%q) = %q, want %q", identity, got, want)
		}
	}
	if o := sitePolicyObject(workload.Container{Name: "x", Geo: "eur"}, policy.SiteStatus{State: policy.Rolling}); o.Key != "x" || o.Fields[2].Value != "Rolling" {
		t.Errorf("CK-138 the object of a site: %+v", o)
	}
}
