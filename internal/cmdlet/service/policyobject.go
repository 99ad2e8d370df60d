package service

import (
	"fmt"
	"math"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
)

// policyObject shows a policy: the properties that automation reads (rows CK-158, CK-160 to
// CK-162), then what only this service can tell (row CK-163).
func policyObject(key string, st policy.Status, h health.Report) cmdlet.Object {
	p := st.Policy
	return cmdlet.Object{Type: cmdlet.PolicyType, Key: key, Fields: []cmdlet.Field{
		{Name: "Name", Value: p.Name},
		{Name: "Description", Value: p.Description},
		{Name: "Enabled", Value: p.Enabled},
		{Name: "State", Value: string(p.State)},
		{Name: "Assigned", Value: st.Assigned},
		{Name: "PercentEncrypted", Value: int64(math.Floor(st.Percent))}, // 100 only when nothing is left
		{Name: "Health", Value: string(h.State)},
		{Name: "AzureKeyIDs", Value: []string{p.Roots[0].URI, p.Roots[1].URI}},
		{Name: "Identity", Value: p.Name},
		{Name: "Guid", Value: cmdlet.GUID(p.ID)},
		{Name: "DistinguishedName", Value: distinguishedName(p)},
		{Name: "DataEncryptionPolicyType", Value: string(p.Family)},
		{Name: "DataEncryptionPolicyID", Value: cmdlet.GUID(p.Generation)}, // changes with each refresh (row CK-126)
		{Name: "DateCreated", Value: p.Created},
		{Name: "WhenChanged", Value: p.Updated},
		{Name: "AvailabilityKeyId", Value: cmdlet.GUID(p.AvailabilityKey)},
		{Name: "AvailabilityKeyScope", Value: string(st.Availability.Facts.Kind)}, // row CK-312
		{Name: "AvailabilityKeyState", Value: string(st.Availability.State)},
		{Name: "AvailabilityKeyUses", Value: st.Availability.Usage.Ever},
		{Name: "ObjectsAssigned", Value: st.Objects},
		{Name: "ObjectsCovered", Value: st.Containers},
		{Name: "Coverage", Value: coverage(st.Workloads)},
		{Name: "Rewrap", Value: rewrapText(st)},
		{Name: "SafeToRetire", Value: safeToRetire(st.Roots)},
		{Name: "SafeToRemovePermission", Value: st.Free}, // nothing needs the roots (row CK-249)
		{Name: "RecoveryUntil", Value: recoveryUntil(st)},
		{Name: "PermanentDataPurgeReason", Value: st.Purge.Reason}, // row CK-159
		{Name: "PermanentDataPurgeContact", Value: st.Purge.Contact},
		{Name: "StillNeeded", Value: stillNeeded(st.Roots)},
		{Name: "KeyVersions", Value: keyVersions(st.Roots)},
		{Name: "Generations", Value: generations(st.Generations)},
		{Name: "RootHealth", Value: rootHealth(h, st)},
	}}
}

// recoveryUntil is when a recovery that goes on ends, nil if none does.
func recoveryUntil(st policy.Status) any {
	if st.RecoveryFor == 0 {
		return nil
	}
	return st.Recovery.Until
}

// rewrapText says how the work in the background stands; "" if there has been none.
func rewrapText(st policy.Status) string {
	if st.Operation == nil {
		return ""
	}
	text := stateText(*st.Operation)
	if rate, left, ok := st.Operation.Pace(); ok {
		text += fmt.Sprintf(", %.0f %%, %.0f keys/s, %s left", math.Floor(st.Operation.Percent()), rate, durationText(left, true))
	}
	if st.Operation.Error != "" {
		text += ": " + st.Operation.Error
	}
	return text
}

func safeToRetire(versions []policy.RootVersion) []string {
	list := []string{}
	for _, v := range versions {
		if v.SafeToRetire {
			list = append(list, v.KeyID)
		}
	}
	return list
}

// stillNeeded lists versions that new content does not need and old content does: to be kept
// until they are safe to retire.
func stillNeeded(versions []policy.RootVersion) []string {
	list := []string{}
	for _, v := range versions {
		if !v.Current && !v.SafeToRetire {
			list = append(list, v.KeyID)
		}
	}
	return list
}

// coverage says for each workload how far it is (row CK-316).
func coverage(all []policy.WorkloadStatus) []cmdlet.Object {
	list := make([]cmdlet.Object, len(all))
	for i, w := range all {
		list[i] = cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "Workload", Value: w.Workload}, {Name: "Objects", Value: w.Containers}, {Name: "PercentEncrypted", Value: percent(w.Settled, w.Containers)},
		}}
	}
	return list
}

// percent returns how much of all is done, 100 where there is nothing to do.
func percent(done, all int64) int64 {
	if all == 0 {
		return 100
	}
	return 100 * done / all
}

func keyVersions(versions []policy.RootVersion) []cmdlet.Object {
	list := make([]cmdlet.Object, len(versions))
	for i, v := range versions {
		list[i] = cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "KeyID", Value: v.KeyID}, {Name: "Current", Value: v.Current}, {Name: "Objects", Value: v.Containers}, {Name: "SafeToRetire", Value: v.SafeToRetire},
		}}
	}
	return list
}

func generations(all []policy.GenerationStatus) []cmdlet.Object {
	list := make([]cmdlet.Object, len(all))
	for i, g := range all {
		list[i] = cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "Number", Value: int64(g.Number)}, {Name: "State", Value: string(g.State)}, {Name: "Objects", Value: g.Containers},
			{Name: "Created", Value: g.Created}, {Name: "Destroyed", Value: orNil(g.Destroyed)}, {Name: "Id", Value: cmdlet.GUID(g.ID)},
		}}
	}
	return list
}

// orNil shows a time that never came as nothing.
func orNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
