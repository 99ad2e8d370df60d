package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// geoPolicyObject shows how files of a geo are covered: the properties of row CK-144, then what
// only this service can tell.
func geoPolicyObject(st policy.GeoStatus, h health.Report) cmdlet.Object {
	o := cmdlet.Object{Type: geoPolicyType, Key: st.Geo, Fields: []cmdlet.Field{
		{Name: "Geo", Value: st.Geo},
		{Name: "State", Value: st.State.String()},
		{Name: "Status", Value: st.State.String()}, // an alias
		{Name: "RegistrationProgress", Value: int64(st.Percent)},
		{Name: "RecoveryEnabled", Value: st.State == policy.Recovering},
		{Name: "PrimaryKeyVaultUri", Value: ""}, {Name: "SecondaryKeyVaultUri", Value: ""}, {Name: "AvailabilityKeyVaultUri", Value: ""}, // that one is in no vault
		{Name: "TenantHasKey", Value: st.State != policy.Unregistered},
		{Name: "RevocationBound", Value: st.Bound.String()},
		{Name: "Sites", Value: st.Sites},
	}}
	if st.State == policy.Unregistered {
		return o
	}
	p := st.Status.Policy
	o.Fields[5].Value, o.Fields[6].Value = p.Roots[0].URI, p.Roots[1].URI
	o.Fields = append(o.Fields,
		cmdlet.Field{Name: "RecoveryUntil", Value: orNil(st.Recovery)},
		cmdlet.Field{Name: "Health", Value: string(h.State)},
		cmdlet.Field{Name: "Name", Value: p.Name},
		cmdlet.Field{Name: "Guid", Value: cmdlet.GUID(p.ID)},
		cmdlet.Field{Name: "DataEncryptionPolicyID", Value: cmdlet.GUID(p.Generation)},
		cmdlet.Field{Name: "DateCreated", Value: p.Created},
		cmdlet.Field{Name: "WhenChanged", Value: p.Updated},
		cmdlet.Field{Name: "AvailabilityKeyId", Value: cmdlet.GUID(p.AvailabilityKey)},
		cmdlet.Field{Name: "AvailabilityKeyScope", Value: string(st.Status.Availability.Facts.Kind)}, // row CK-312
		cmdlet.Field{Name: "AvailabilityKeyState", Value: string(st.Status.Availability.State)},
		cmdlet.Field{Name: "AvailabilityKeyUses", Value: st.Status.Availability.Usage.Ever},
		cmdlet.Field{Name: "Rewrap", Value: rewrapText(st.Status)},
		cmdlet.Field{Name: "SafeToRetire", Value: safeToRetire(st.Status.Roots)},
		cmdlet.Field{Name: "StillNeeded", Value: stillNeeded(st.Status.Roots)},
		cmdlet.Field{Name: "KeyVersions", Value: keyVersions(st.Status.Roots)},
		cmdlet.Field{Name: "Generations", Value: generations(st.Status.Generations)},
		cmdlet.Field{Name: "RootHealth", Value: rootHealth(h, st.Status)},
	)
	return o
}

// sitePolicyObject shows how one site is covered.
func sitePolicyObject(site workload.Container, st policy.SiteStatus) cmdlet.Object {
	return cmdlet.Object{Type: sitePolicyType, Key: site.Name, Fields: []cmdlet.Field{
		{Name: "Site", Value: site.Name},
		{Name: "Geo", Value: site.Geo},
		{Name: "State", Value: st.State.String()},
		{Name: "Status", Value: st.State.String()},
		{Name: "PrimaryKeyVaultUri", Value: st.KeyIDs[0]},
		{Name: "SecondaryKeyVaultUri", Value: st.KeyIDs[1]},
		{Name: "Guid", Value: cmdlet.GUID(site.ID)},
	}}
}

func geoObject(g workload.Geo) cmdlet.Object {
	return cmdlet.Object{Type: geoType, Key: g.Name, Fields: []cmdlet.Field{{Name: "Geo", Value: g.Name}, {Name: "Default", Value: g.Default}}}
}
