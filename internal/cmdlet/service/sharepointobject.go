package cmdlet

import (
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// geoPolicyObject shows how files of a geo are covered: the properties of row CK-144, then what
// only this service can tell.
func geoPolicyObject(st policy.GeoStatus, h health.Report) Object {
	o := Object{Type: geoPolicyType, Key: st.Geo, Fields: []Field{
		{"Geo", st.Geo},
		{"State", st.State.String()},
		{"Status", st.State.String()}, // an alias
		{"RegistrationProgress", int64(st.Percent)},
		{"RecoveryEnabled", st.State == policy.Recovering},
		{"PrimaryKeyVaultUri", ""}, {"SecondaryKeyVaultUri", ""}, {"AvailabilityKeyVaultUri", ""}, // that one is in no vault
		{"TenantHasKey", st.State != policy.Unregistered},
		{"RevocationBound", st.Bound.String()},
		{"Sites", st.Sites},
	}}
	if st.State == policy.Unregistered {
		return o
	}
	p := st.Status.Policy
	o.Fields[5].Value, o.Fields[6].Value = p.Roots[0].URI, p.Roots[1].URI
	o.Fields = append(o.Fields,
		Field{"RecoveryUntil", orNil(st.Recovery)},
		Field{"Health", string(h.State)},
		Field{"Name", p.Name},
		Field{"Guid", GUID(p.ID)},
		Field{"DataEncryptionPolicyID", GUID(p.Generation)},
		Field{"DateCreated", p.Created},
		Field{"WhenChanged", p.Updated},
		Field{"AvailabilityKeyId", GUID(p.AvailabilityKey)},
		Field{"AvailabilityKeyScope", string(st.Status.Availability.Facts.Kind)}, // row CK-312
		Field{"AvailabilityKeyState", string(st.Status.Availability.State)},
		Field{"AvailabilityKeyUses", st.Status.Availability.Usage.Ever},
		Field{"Rewrap", rewrapText(st.Status)},
		Field{"SafeToRetire", safeToRetire(st.Status.Roots)},
		Field{"StillNeeded", stillNeeded(st.Status.Roots)},
		Field{"KeyVersions", keyVersions(st.Status.Roots)},
		Field{"Generations", generations(st.Status.Generations)},
		Field{"RootHealth", rootHealth(h, st.Status)},
	)
	return o
}

// sitePolicyObject shows how one site is covered.
func sitePolicyObject(site workload.Container, st policy.SiteStatus) Object {
	return Object{Type: sitePolicyType, Key: site.Name, Fields: []Field{
		{"Site", site.Name},
		{"Geo", site.Geo},
		{"State", st.State.String()},
		{"Status", st.State.String()},
		{"PrimaryKeyVaultUri", st.KeyIDs[0]},
		{"SecondaryKeyVaultUri", st.KeyIDs[1]},
		{"Guid", GUID(site.ID)},
	}}
}

func geoObject(g workload.Geo) Object {
	return Object{Type: geoType, Key: g.Name, Fields: []Field{{"Geo", g.Name}, {"Default", g.Default}}}
}
