package cmdlet

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Side says where a command does its work.
type Side string

const (
	Service Side = "service" // in the service, reached by its Exchange admin REST face
	Vault   Side = "vault"   // in the client, against the customer's own vaults

	Operator Side = "operator" // in the client, against the operator's paths of the service
	Shell    Side = "shell"    // in the client: a command of the language itself (package script)
)

// An Impact says how much a command can break, as PowerShell's ConfirmImpact does.
type Impact int

const (
	None   Impact = iota // changes nothing: takes neither -WhatIf nor -Confirm
	Medium               // asks only when -Confirm is given
	High                 // asks unless -Confirm:$false or -Force is given
)

// A Cmdlet is one row of the table: everything about a command that can be known without
// running it.
type Cmdlet struct {
	Name        string   // as it is printed: "Get-AzKeyVault"
	Aliases     []string // other names of the whole command
	Synopsis    string   // one line
	Description string   // a paragraph; may be empty
	Examples    []string // complete command lines, as they are typed in PowerShell
	Params      []Param
	DefaultSet  string // the parameter set meant when the given parameters fit several
	Output      string // type name of its objects, which picks their View; "" if it returns none
	Detail      string // the parameter whose absence makes it a summary, shown as a table; "": the objects decide
	Impact      Impact
	Side        Side
	Roles       Rights            // who may run it (rows CK-277, CK-281); empty: the vault decides
	SetRoles    map[string]Rights // who may use a parameter set, where that are not all who may run it
	Anyone      bool              // whoever is signed in may try: the service decides by more than roles

	Check func(Args) error // what the parameters must be together, beyond their sets; nil: anything
}

// A Type is what a parameter's value must be.
type Type string

// The types of parameters. Time takes a day or an instant, always UTC (see ParseTime).
// Map is a hash table of text, @{name='value'}. ID is any text that identifies an object:
// its name, its GUID or its distinguished name (row CK-81). PSObject is an object as a command
// gave it, or a hash table. Any, AnyList and ScriptBlock take values as scripts have them (see
// BindValues).
const (
	String     Type = "String"
	Bool       Type = "Boolean"
	Switch     Type = "SwitchParameter"
	Int        Type = "Int32"
	Time       Type = "DateTime"
	StringList Type = "String[]"
	Map        Type = "Hashtable"
	ID         Type = "Identity"
	PSObject   Type = "PSObject"

	Any         Type = "Object"
	AnyList     Type = "Object[]"
	ScriptBlock Type = "ScriptBlock"
)

// A Param is one parameter of a command.
type Param struct {
	Name      string
	Aliases   []string
	Old       []string // older spellings: taken, with a warning (row CK-309)
	Type      Type
	Position  int // 1 for the first positional one; 0: by name only
	Mandatory bool
	Sets      []string // parameter sets it belongs to; empty: all
	AllowNull bool     // $null means something
	Values    []string // the only values allowed, in the spelling the command sees
	Secret    bool     // its value is neither shown nor kept
	Roles     Rights   // who may use it; empty: all who may run the command (row CK-83)

	Pipeline   bool // filled by what comes through a pipeline: text, or an object that it identifies
	ByProperty bool // filled by the property of its name, or of an alias, of an object that comes through a pipeline

	Help string
}

// Find returns the command of that name, whatever its case. An unknown name is
// fault.NotFound with reason "UnknownCmdlet"; its hint names the nearest ones.
func Find(table []Cmdlet, name string) (*Cmdlet, error) {
	names := make([]string, 0, len(table))
	for i := range table {
		c := &table[i]
		if strings.EqualFold(c.Name, name) || slices.ContainsFunc(c.Aliases, func(a string) bool { return strings.EqualFold(a, name) }) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	e := fault.New(fault.NotFound, "there is no command %s", Quote(name)).WithReason(ReasonUnknown)
	if near := Nearest(name, names); len(near) > 0 {
		return nil, e.WithHint("did you mean %s?", strings.Join(near, ", "))
	}
	return nil, e.WithHint("see all commands with: ck help")
}

// Reasons of binding errors, for faces that tell cases apart.
const (
	ReasonUnknown   = "UnknownCmdlet"
	ReasonParameter = "ParameterBinding" // every other error of bringing parameters together
)

// Param returns the parameter of exactly that name or alias, whatever its case, nil if there is
// none.
func (c *Cmdlet) Param(name string) *Param {
	for i := range c.Params {
		if c.Params[i].named(name) {
			return &c.Params[i]
		}
	}
	return nil
}

func (p *Param) named(name string) bool {
	return slices.ContainsFunc(p.names(), func(n string) bool { return strings.EqualFold(n, name) })
}

func (p *Param) names() []string { return slices.Concat([]string{p.Name}, p.Aliases, p.Old) }

// Sets returns the names of all parameter sets of c, nil if it has just one.
func (c *Cmdlet) Sets() []string {
	var all []string
	if c.DefaultSet != "" { // it may have no parameter left that only it takes
		all = append(all, c.DefaultSet)
	}
	for _, p := range c.Params {
		for _, s := range p.Sets {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}
