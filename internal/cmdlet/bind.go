package cmdlet

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// commonParams are taken by every command. WhatIf and Confirm only by those that change
// something; elsewhere they are refused, never ignored.
var commonParams = []Param{
	{Name: "WhatIf", Aliases: []string{"wi"}, Type: Switch, Help: "Say what would be done, and do nothing."},
	{Name: "Confirm", Aliases: []string{"cf"}, Type: Switch, Help: "Ask before the change. -Confirm:$false never asks."},
	{Name: "Verbose", Aliases: []string{"vb"}, Type: Switch, Help: "Tell what is going on."},
	{Name: "ErrorAction", Aliases: []string{"ea"}, Type: String, Values: []string{"Continue", "Stop", "SilentlyContinue", "Ignore"}, Help: "SilentlyContinue hides the error's text; the exit code stays."},
	{Name: "WarningAction", Aliases: []string{"wa"}, Type: String, Values: []string{"Continue", "Stop", "SilentlyContinue", "Ignore"}, Help: "SilentlyContinue hides warnings."},
}

// formatParam is ours, not PowerShell's: a command's own parameters win over its prefixes.
var formatParam = Param{Name: "OutputFormat", Type: String, Values: []string{string(TableFormat), string(ListFormat), string(JSONFormat)}, Help: "Layout of the output: table, list or json."}

// resultSizeParam is taken by every command on the wire (row CK-342), and elsewhere by those for
// which administrators are used to write it.
var resultSizeParam = Param{Name: "ResultSize", Type: String, Help: "The most to show, or Unlimited, which it is unless given."}

// ResultSize is the parameter for a command's own list of parameters.
func ResultSize() Param { return resultSizeParam }

// A binding collects the parameters of one call.
type binding struct {
	cmdlet *Cmdlet
	extra  *Param // the common parameter that only this way in takes
	args   map[string]any
	common map[string]any
	notes  []string
}

func newBinding(c *Cmdlet, extra *Param) *binding {
	return &binding{cmdlet: c, extra: extra, args: map[string]any{}, common: map[string]any{}}
}

// resolve finds the parameter that name means: in full, by alias, or by an unambiguous
// beginning of either.
func (b *binding) resolve(name string) (*Param, error) {
	all := b.known()
	for _, p := range all {
		if p.named(name) {
			b.note(p, name)
			return b.supported(p)
		}
	}
	if found := withPrefix(all, name); len(found) == 1 {
		return b.supported(found[0])
	} else if len(found) > 1 {
		return nil, BindError("-%s could mean %s", name, dashed(found)).WithHint("write more of the name")
	}
	if len(withPrefix([]*Param{b.extra}, name)) == 1 {
		return b.extra, nil
	}
	return nil, b.unknown(name)
}

// note tells of an older spelling.
func (b *binding) note(p *Param, name string) {
	if slices.ContainsFunc(p.Old, func(old string) bool { return strings.EqualFold(old, name) }) {
		b.notes = append(b.notes, "-"+Printable(name)+" is an older spelling; use -"+p.Name)
	}
}

// known returns the command's own parameters, then the common ones.
func (b *binding) known() []*Param {
	var all []*Param
	for i := range b.cmdlet.Params {
		all = append(all, &b.cmdlet.Params[i])
	}
	for i := range commonParams {
		if b.cmdlet.Param(commonParams[i].Name) == nil {
			all = append(all, &commonParams[i])
		}
	}
	return all
}

// Known returns all parameters that the command takes, its own before the common ones.
func (c *Cmdlet) Known() []Param {
	all := slices.Clone(c.Params)
	for _, p := range append(commonParams[:len(commonParams):len(commonParams)], formatParam) {
		if c.Impact != None || p.Name != "WhatIf" && p.Name != "Confirm" {
			all = append(all, p)
		}
	}
	return all
}

func withPrefix(all []*Param, prefix string) []*Param {
	low := strings.ToLower(prefix)
	var found []*Param
	for _, p := range all {
		if slices.ContainsFunc(p.names(), func(n string) bool { return low != "" && strings.HasPrefix(strings.ToLower(n), low) }) {
			found = append(found, p)
		}
	}
	return found
}

func (b *binding) supported(p *Param) (*Param, error) {
	if b.cmdlet.Impact == None && isCommon(p) && (p.Name == "WhatIf" || p.Name == "Confirm") {
		return nil, BindError("%s takes no -%s: it changes nothing", b.cmdlet.Name, p.Name)
	}
	return p, nil
}

func (b *binding) unknown(name string) *fault.Error {
	var names []string
	for _, p := range b.known() {
		names = append(names, p.Name)
	}
	e := BindError("%s has no parameter -%s", b.cmdlet.Name, Printable(name))
	if near := Nearest(name, names); len(near) > 0 {
		return e.WithHint("did you mean -%s?", strings.Join(near, ", -"))
	}
	return e.WithHint("see its parameters with: ck help %s", b.cmdlet.Name)
}

func dashed(params []*Param) string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = "-" + p.Name
	}
	return strings.Join(names, " or ")
}

func isCommon(p *Param) bool {
	return slices.ContainsFunc(commonParams, func(c Param) bool { return c.Name == p.Name }) ||
		p.Name == formatParam.Name || p.Name == resultSizeParam.Name
}

// set binds a value, once.
func (b *binding) set(p *Param, value any) error {
	into := b.args
	if b.cmdlet.Param(p.Name) != p && isCommon(p) {
		into = b.common
	} else if value == "" && b.cmdlet.picks() {
		return BindError("-%s is empty", p.Name).WithHint("leave -%s out if all are meant", p.Name)
	}
	if _, twice := into[p.Name]; twice {
		return BindError("-%s is given twice", p.Name)
	}
	into[p.Name] = value
	return nil
}

// picks reports whether the parameters of a command say what it is to show. Empty ones would
// show everything: a name that got lost on its way must not mean all, least of all in front of a
// command that changes what comes through the pipeline.
func (c *Cmdlet) picks() bool { return c.Impact == None && c.Side != Shell }

// positional binds a value to the first positional parameter that has none yet.
func (b *binding) positional() *Param {
	var next *Param
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; p.Position > 0 && !bound && (next == nil || p.Position < next.Position) {
			next = p
		}
	}
	return next
}

// finish checks what can only be seen once all is bound, and returns the call.
func (b *binding) finish() (*Call, error) {
	args := Args{b.args}
	if b.cmdlet.Check != nil {
		if err := b.cmdlet.Check(args); err != nil {
			return nil, err
		}
	}
	if err := b.checkSets(); err != nil {
		return nil, err
	}
	return &Call{Cmdlet: b.cmdlet, Args: args, Common: b.commonValues(), Notes: b.notes}, nil
}

func (b *binding) commonValues() Common {
	args := Args{b.common}
	return Common{
		WhatIf: args.On("WhatIf"), Confirm: args.BoolPtr("Confirm"), Verbose: args.On("Verbose"),
		ErrorAction: args.Text("ErrorAction"), WarningAction: args.Text("WarningAction"),
		OutputFormat: Format(args.Text("OutputFormat")),
	}
}
