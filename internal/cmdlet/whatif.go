package cmdlet

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/policy"
)

// reportType is the type name of what -WhatIf reports.
const reportType = "CKReport"

// perform makes a change of policies, unless the user says no. Under -WhatIf it has the change
// foreseen instead, and shows what would come of it (row CK-338). done says that it was made.
func perform(ctx context.Context, s Services, call *Call, action, target string, act func(policy.Acts) error) (done bool, err error) {
	if !call.Common.WhatIf {
		proceed, err := call.ShouldProcess(action, target)
		if err != nil || !proceed {
			return false, err
		}
		return true, act(s.Policies)
	}
	report, err := s.Policies.WhatIf(ctx, call.Caller, act)
	if err != nil {
		return false, err
	}
	if _, err := call.ShouldProcess(action, target); err != nil {
		return false, err
	}
	for _, line := range reportLines(report) {
		if call.Host.WhatIf != nil {
			call.Host.WhatIf(line)
		}
	}
	return false, call.Host.Object(reportObject(action+": "+target, report))
}

// reportLines says the same in sentences.
func reportLines(r policy.Report) (lines []string) {
	for _, at := range r.New {
		what := "Content of the family " + string(at.Family)
		if at.Geo != "" {
			what += " in the geo " + at.Geo
		}
		if at.Policy == "" {
			lines = append(lines, what+" has no policy of its family any more.")
		} else {
			lines = append(lines, fmt.Sprintf("%s is under the policy %q.", what, at.Policy))
		}
	}
	lines = append(lines, "Stored content on its way to other keys: "+tollText(r.Moving)+".")
	for _, m := range r.Moves {
		lines = append(lines, shiftText(m)+".")
	}
	for _, list := range []struct {
		what string
		kids []string
	}{
		{"Root key versions needed from now on", r.Taken}, {"Root key versions needed as before", r.Kept},
		{"Root key versions needed until all has moved, and by nothing afterwards", r.Freed},
	} {
		if len(list.kids) > 0 {
			lines = append(lines, list.what+": "+strings.Join(list.kids, ", ")+".")
		}
	}
	return append(lines, "Nothing becomes unreadable, and nothing of the content is destroyed.")
}

func tollText(t policy.Toll) string {
	return fmt.Sprintf("%d container keys, containers %d, items %d, bytes %d, people %d", t.Keys, t.Containers, t.Items, t.Bytes, t.People)
}

func shiftText(m policy.Shift) string {
	what := m.Workload
	if m.Geo != "" {
		what += " in " + m.Geo
	}
	if m.From == m.To {
		return fmt.Sprintf("%s: %d container keys to new keys of %q", what, m.Keys, m.To)
	}
	return fmt.Sprintf("%s: %d container keys from %q to %q", what, m.Keys, m.From, m.To)
}

// reportObject is the report for programs.
func reportObject(act string, r policy.Report) Object {
	moves := make([]Object, len(r.Moves))
	for i, m := range r.Moves {
		moves[i] = Object{Fields: []Field{{"Workload", m.Workload}, {"Geo", m.Geo}, {"From", m.From}, {"To", m.To}, {"ContainerKeys", m.Keys}}}
	}
	inForce := make([]Object, len(r.New))
	for i, at := range r.New {
		inForce[i] = Object{Fields: []Field{{"Family", string(at.Family)}, {"Geo", at.Geo}, {"Policy", at.Policy}}}
	}
	return Object{Type: reportType, Fields: []Field{
		{"WhatIf", act},
		{"ContainerKeys", r.Moving.Keys}, {"Containers", r.Moving.Containers}, {"Items", r.Moving.Items}, {"Bytes", r.Moving.Bytes}, {"People", r.Moving.People},
		{"Moves", moves}, {"InForce", inForce},
		{"RootKeysTaken", orEmpty(r.Taken)}, {"RootKeysKept", orEmpty(r.Kept)}, {"RootKeysFreed", orEmpty(r.Freed)},
		{"UnreadableItems", int64(0)},
	}}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func reportViews() []View {
	return []View{{Type: reportType, Table: []Column{
		{"WhatIf", "WhatIf"}, {"Keys", "ContainerKeys"}, {"Containers", "Containers"}, {"Items", "Items"}, {"People", "People"}, {"Freed", "RootKeysFreed"},
	}}}
}
