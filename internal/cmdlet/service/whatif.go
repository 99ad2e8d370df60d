package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// A foresight is what a command would come to, beside its name and target.
type foresight struct {
	policy.Report               // what would move, and the versions of root keys; zero where it is about neither
	Lines         []string      // the effects, in sentences
	Unreadable    int64         // items that would become unreadable
	Then          cmdlet.Object // what the command would have shown; without fields if nothing
}

// change makes a change, unless the user says no. Under -WhatIf act works on a view (see [Local]),
// so that nothing comes of it but what it returns, or its refusal; tell says what would have come
// of it (row CK-338). done says that the change was made.
func change[T any](call *Call, action, target string, act func() (T, error), tell func(T) (foresight, error)) (result T, done bool, err error) {
	if !call.Common.WhatIf {
		proceed, err := call.ShouldProcess(action, target)
		if err != nil || !proceed {
			return result, false, err
		}
		result, err = act()
		return result, err == nil, err
	}
	if result, err = act(); err != nil {
		return result, false, err
	}
	f, err := tell(result)
	if err != nil {
		return result, false, err
	}
	return result, false, foretell(call.Call, action, target, f)
}

// none is what changes return that return nothing.
type none struct{}

// perform is change for policies, whose package reports what moves.
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
	return false, foretell(call.Call, action, target, foresight{Report: report, Lines: reportLines(report)})
}

// foretell says what a command would do, in sentences and as an object.
func foretell(call *cmdlet.Call, action, target string, f foresight) error {
	if _, err := call.ShouldProcess(action, target); err != nil { // which says so, under -WhatIf
		return err
	}
	if f.Unreadable == 0 {
		f.Lines = append(f.Lines, "Nothing becomes unreadable, and nothing of the content is destroyed.")
	}
	for _, line := range f.Lines {
		if call.Host.WhatIf != nil {
			call.Host.WhatIf(line)
		}
	}
	return call.Host.Object(reportObject(action+": "+target, f))
}

// Foretell is what commands under -WhatIf end with that do their work elsewhere: it says the act,
// the effects in sentences, and both as an object.
func Foretell(call *cmdlet.Call, action, target string, effects ...string) error {
	return foretell(call, action, target, foresight{Lines: effects})
}

// onItsWay is what is on its way to other keys as things stand.
func onItsWay(ctx context.Context, s Services, call *Call) (policy.Report, error) {
	return s.Policies.WhatIf(ctx, call.Caller, func(policy.Acts) error { return nil })
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
	return append(lines, rootLines(r)...)
}

// rootLines says which versions of root keys are needed.
func rootLines(r policy.Report) (lines []string) {
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
	return lines
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
func reportObject(act string, f foresight) cmdlet.Object {
	r := f.Report
	moves := make([]cmdlet.Object, len(r.Moves))
	for i, m := range r.Moves {
		moves[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Workload", Value: m.Workload}, {Name: "Geo", Value: m.Geo}, {Name: "From", Value: m.From}, {Name: "To", Value: m.To}, {Name: "ContainerKeys", Value: m.Keys}}}
	}
	inForce := make([]cmdlet.Object, len(r.New))
	for i, at := range r.New {
		inForce[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Family", Value: string(at.Family)}, {Name: "Geo", Value: at.Geo}, {Name: "Policy", Value: at.Policy}}}
	}
	return cmdlet.Object{Type: cmdlet.ReportType, Fields: []cmdlet.Field{
		{Name: "WhatIf", Value: act},
		{Name: "ContainerKeys", Value: r.Moving.Keys}, {Name: "Containers", Value: r.Moving.Containers}, {Name: "Items", Value: r.Moving.Items}, {Name: "Bytes", Value: r.Moving.Bytes}, {Name: "People", Value: r.Moving.People},
		{Name: "Moves", Value: moves}, {Name: "InForce", Value: inForce},
		{Name: "RootKeysTaken", Value: orEmpty(r.Taken)}, {Name: "RootKeysKept", Value: orEmpty(r.Kept)}, {Name: "RootKeysFreed", Value: orEmpty(r.Freed)},
		{Name: "UnreadableItems", Value: f.Unreadable}, {Name: "Effects", Value: orEmpty(f.Lines)}, {Name: "Result", Value: resultOf(f)},
	}}
}

// resultOf is what the command would have shown, nil if nothing.
func resultOf(f foresight) any {
	if len(f.Then.Fields) == 0 {
		return nil
	}
	return f.Then
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func reportViews() []cmdlet.View {
	return []cmdlet.View{{Type: cmdlet.ReportType, Table: []cmdlet.Column{
		{Label: "WhatIf", Property: "WhatIf"}, {Label: "Keys", Property: "ContainerKeys"}, {Label: "Containers", Property: "Containers"}, {Label: "Items", Property: "Items"}, {Label: "People", Property: "People"}, {Label: "Freed", Property: "RootKeysFreed"},
	}}}
}
