package cmdlet

import (
	"fmt"
	"math"
	"time"

	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
)

// policyObject shows a policy: the properties that automation reads (rows CK-158, CK-160 to
// CK-162), then what only this service can tell (row CK-163).
func policyObject(key string, st policy.Status, h health.Report) Object {
	p := st.Policy
	return Object{Type: policyType, Key: key, Fields: []Field{
		{"Name", p.Name},
		{"Description", p.Description},
		{"Enabled", p.Enabled},
		{"State", string(p.State)},
		{"Assigned", st.Assigned},
		{"PercentEncrypted", int64(math.Floor(st.Percent))}, // 100 only when nothing is left
		{"Health", string(h.State)},
		{"AzureKeyIDs", []string{p.Roots[0].URI, p.Roots[1].URI}},
		{"Identity", p.Name},
		{"Guid", GUID(p.ID)},
		{"DistinguishedName", distinguishedName(p)},
		{"DataEncryptionPolicyType", string(p.Family)},
		{"DataEncryptionPolicyID", GUID(p.Generation)}, // changes with each refresh (row CK-126)
		{"DateCreated", p.Created},
		{"WhenChanged", p.Updated},
		{"AvailabilityKeyId", GUID(p.AvailabilityKey)},
		{"AvailabilityKeyScope", string(st.Availability.Facts.Kind)}, // row CK-312
		{"AvailabilityKeyState", string(st.Availability.State)},
		{"AvailabilityKeyUses", st.Availability.Usage.Ever},
		{"ObjectsAssigned", st.Objects},
		{"ObjectsCovered", st.Containers},
		{"Coverage", coverage(st.Workloads)},
		{"Rewrap", rewrapText(st)},
		{"SafeToRetire", safeToRetire(st.Roots)},
		{"SafeToRemovePermission", st.Free}, // nothing needs the roots (row CK-249)
		{"RecoveryUntil", recoveryUntil(st)},
		{"PermanentDataPurgeReason", st.Purge.Reason}, // row CK-159
		{"PermanentDataPurgeContact", st.Purge.Contact},
		{"StillNeeded", stillNeeded(st.Roots)},
		{"KeyVersions", keyVersions(st.Roots)},
		{"Generations", generations(st.Generations)},
		{"RootHealth", rootHealth(h, st)},
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
func coverage(all []policy.WorkloadStatus) []Object {
	list := make([]Object, len(all))
	for i, w := range all {
		list[i] = Object{Fields: []Field{
			{"Workload", w.Workload}, {"Objects", w.Containers}, {"PercentEncrypted", percent(w.Settled, w.Containers)},
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

func keyVersions(versions []policy.RootVersion) []Object {
	list := make([]Object, len(versions))
	for i, v := range versions {
		list[i] = Object{Fields: []Field{
			{"KeyID", v.KeyID}, {"Current", v.Current}, {"Objects", v.Containers}, {"SafeToRetire", v.SafeToRetire},
		}}
	}
	return list
}

func generations(all []policy.GenerationStatus) []Object {
	list := make([]Object, len(all))
	for i, g := range all {
		list[i] = Object{Fields: []Field{
			{"Number", int64(g.Number)}, {"State", string(g.State)}, {"Objects", g.Containers},
			{"Created", g.Created}, {"Destroyed", orNil(g.Destroyed)}, {"Id", GUID(g.ID)},
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
