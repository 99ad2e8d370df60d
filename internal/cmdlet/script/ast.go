package script

// A Pos is a place in a script. Lines and columns begin at 1; columns count characters.
type Pos struct{ Line, Column int }

// A Script is a sequence of statements.
type Script struct{ Statements []Statement }

// A Statement is a *Pipeline or an *Assignment.
type Statement interface{ Position() Pos }

// An Assignment sets a variable to what a statement yields: $name = value, or a property of an
// object: $name.Properties.enabled = value. Where it stands in parentheses its value goes on, as
// in ($r = Get-AzResource ...).Properties.
type Assignment struct {
	At    Pos
	Name  string  // without "$"; case does not matter; "" where a property is set
	To    *Member // the property; nil where a variable is set
	Value Statement
}

// A Pipeline passes values from stage to stage. The first may be a *Value; all others are
// *Command.
type Pipeline struct {
	At     Pos
	Stages []Stage
}

// A Stage is a *Command or a *Value.
type Stage interface{ Position() Pos }

// A Value is an expression whose value begins a pipeline, or is all of it.
type Value struct{ Of Expression }

// A Command is the call of a command by its name or alias.
type Command struct {
	At    Pos
	Name  string
	Words []Word
}

// A Word is one word behind a command's name: a parameter's name, an argument, or both in
// one (-Name:value). Which argument belongs to which parameter only the command's row tells.
type Word struct {
	At        Pos
	Parameter string     // name as written, without its dash; "" for an argument alone
	Value     Expression // nil for a parameter's name alone
}

// An Expression has a value.
type Expression interface{ Position() Pos }

type (
	// Literal is a number of an expression (int64 or float64), or text that holds nothing to
	// expand: in quotes of either kind, or a bare word of a command. Bare tells the latter;
	// its Data is always a string, for the binder alone decides whether 5 or root* is text
	// (see Number).
	Literal struct {
		At   Pos
		Data any // string, int64 or float64
		Bare bool
	}

	// Expandable is text that holds values, in double quotes or in a bare word such as
	// root-$n: its parts one after another, each a *Literal of text, a *Variable or a *Sub
	// whose value is written out.
	Expandable struct {
		At    Pos
		Parts []Expression
	}

	// Variable is $name, $true, $false, $null, $_ and $? among them.
	Variable struct {
		At   Pos
		Name string // without "$"
	}

	// Member is a property of a value: $policy.Name. On a list it is that of each item. At is
	// the place of its name.
	Member struct {
		At   Pos
		Of   Expression
		Name string
	}

	// Index is an item of a list, counted from 0, from the end where negative. At is the place
	// of its bracket.
	Index struct {
		At Pos
		Of Expression
		N  Expression
	}

	// List is a,b or @('a','b'), its items written out. One of @('a') or @() has one or none.
	List struct {
		At    Pos
		Items []Expression
	}

	// Table is @{name=value; 'other'=value}, in the order written.
	Table struct {
		At      Pos
		Entries []Entry
	}

	// Paren is ( statement ): all that it yields, as one value.
	Paren struct {
		At Pos
		Of Statement
	}

	// Sub is $( statements ) or @( statements ), the latter always a list: a @( ) that is
	// more than a List.
	Sub struct {
		At     Pos
		Of     []Statement
		IsList bool
	}

	// Block is { one pipeline }, run by the command that it is given to.
	Block struct {
		At Pos
		Of Statement
	}

	// Binary is a comparison or a logical operation. Op is in lower case, without dash and
	// without the case-telling letter: eq ne gt ge lt le like notlike match notmatch contains
	// notcontains in notin and or xor. Exact is set for -ceq and its like. At is the place of
	// the operator.
	Binary struct {
		At          Pos
		Op          string
		Exact       bool
		Left, Right Expression
	}

	// Not is -not x or !x.
	Not struct {
		At Pos
		Of Expression
	}
)

// An Entry is one name and value of a Table. A name without quotes is a Literal as one in
// quotes is; a value that is more than an expression is a *Paren.
type Entry struct {
	Name  Expression
	Value Expression
}

// Position implements Statement.
func (a *Assignment) Position() Pos { return a.At }

// Position implements Statement.
func (p *Pipeline) Position() Pos { return p.At }

// Position implements Stage.
func (v *Value) Position() Pos { return v.Of.Position() }

// Position implements Stage.
func (c *Command) Position() Pos { return c.At }

// Position implements Expression.
func (e *Literal) Position() Pos { return e.At }

// Position implements Expression.
func (e *Expandable) Position() Pos { return e.At }

// Position implements Expression.
func (e *Variable) Position() Pos { return e.At }

// Position implements Expression.
func (e *Member) Position() Pos { return e.At }

// Position implements Expression.
func (e *Index) Position() Pos { return e.At }

// Position implements Expression.
func (e *List) Position() Pos { return e.At }

// Position implements Expression.
func (e *Table) Position() Pos { return e.At }

// Position implements Expression.
func (e *Paren) Position() Pos { return e.At }

// Position implements Expression.
func (e *Sub) Position() Pos { return e.At }

// Position implements Expression.
func (e *Block) Position() Pos { return e.At }

// Position implements Expression.
func (e *Binary) Position() Pos { return e.At }

// Position implements Expression.
func (e *Not) Position() Pos { return e.At }
