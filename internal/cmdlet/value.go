package cmdlet

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// timeLayouts are the spellings of a time that parseTime takes, month before day as
// PowerShell's own conversions have it.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006 15:04:05", "1/2/2006 15:04", "1/2/2006",
}

// parse turns the text of one parameter into a value of its type. "$null" is nil where the
// parameter allows it.
func (p *Param) parse(text string) (any, error) {
	if strings.EqualFold(strings.TrimSpace(text), "$null") {
		return p.null()
	}
	switch p.Type {
	case Bool, Switch:
		return p.parseBool(text)
	case Int:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		if err != nil {
			return nil, p.wrong(text).WithHint("give a whole number")
		}
		return n, nil
	case Time:
		return p.parseTime(text)
	case StringList:
		items, err := parseList(text)
		if err != nil {
			return nil, p.broken(err)
		}
		return p.checkItems(items)
	case Map:
		m, err := parseMap(text)
		if err != nil {
			return nil, p.broken(err)
		}
		return m, nil
	case PSObject:
		m, err := parseMap(text)
		if err != nil {
			return nil, p.broken(err)
		}
		return tableObject(m), nil
	default:
		text, err := unquoteTypographic(text)
		if err != nil {
			return nil, p.broken(err)
		}
		return p.checkText(text)
	}
}

func (p *Param) null() (any, error) {
	if p.AllowNull {
		return nil, nil
	}
	if p.Type == String && !p.Mandatory {
		return "", nil // as PowerShell does
	}
	return nil, BindError("-%s cannot be $null", p.Name)
}

func (p *Param) parseBool(text string) (any, error) {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(text), `'"`)) {
	case "$true", "true", "1":
		return true, nil
	case "$false", "false", "0":
		return false, nil
	}
	return nil, p.wrong(text).WithHint("give true or false, or '$true' or '$false' in quotes: most shells empty an unquoted $false")
}

func (p *Param) parseTime(text string) (any, error) {
	text = strings.Trim(strings.TrimSpace(text), `'"`)
	if t, ok := ParseTime(text, time.UTC); ok {
		return t.UTC(), nil
	}
	return nil, p.wrong(text).WithHint("give a day or an instant in UTC, such as 2027-01-31, 2027-01-31T08:00:00Z or 12/31/9999")
}

// ParseTime reads a day or an instant; without an offset it is one of zone.
func ParseTime(text string, zone *time.Location) (t time.Time, ok bool) {
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// checkText refuses an empty value where one is needed, and brings a listed value into its
// canonical spelling.
func (p *Param) checkText(text string) (any, error) {
	if text == "" && (p.Mandatory || p.Type == ID || len(p.Values) > 0) {
		return nil, BindError("-%s is empty", p.Name).WithHint("%s", emptyHint(p))
	}
	if len(p.Values) == 0 {
		return text, nil
	}
	i := slices.IndexFunc(p.Values, func(v string) bool { return strings.EqualFold(v, text) })
	if i < 0 {
		return nil, p.wrong(text).WithHint("it takes %s", strings.Join(p.Values, ", "))
	}
	return p.Values[i], nil
}

func (p *Param) checkItems(items []string) (any, error) {
	if len(items) == 0 && p.Mandatory && !p.AllowNull {
		return nil, BindError("-%s is an empty list", p.Name).WithHint("%s", emptyHint(p))
	}
	checked := make([]string, len(items))
	for i, item := range items {
		v, err := p.checkText(item)
		if err != nil {
			return nil, err
		}
		checked[i] = v.(string)
	}
	return checked, nil
}

// tableObject is a hash table as an object, in the order of its names.
func tableObject(m map[string]string) Object {
	o := Object{Fields: []Field{}}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		o.Fields = append(o.Fields, Field{name, m[name]})
	}
	return o
}

func (p *Param) wrong(text string) *fault.Error {
	return BindError("-%s cannot be %s", p.Name, Quote(text))
}

func (p *Param) broken(err error) *fault.Error {
	return BindError("-%s: %s", p.Name, fault.As(err).Message).WithHint("%s", fault.As(err).Hint)
}

// BindError is the error of bringing parameters together: fault.Invalid with reason
// "ParameterBinding".
func BindError(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithReason(ReasonParameter)
}

// emptyHint says how a value gets lost on its way: shells expand $false and $null, which
// are no variables of theirs, to nothing.
func emptyHint(p *Param) string {
	switch {
	case p.Type == Bool || p.Type == Switch:
		return "write '$false' in quotes, or false: most shells empty an unquoted $false"
	case p.AllowNull:
		return "write '$null' in quotes: most shells empty an unquoted $null"
	}
	return "give a value after -" + p.Name
}

// Unanswered is the error of a parameter that was asked for and not given.
func Unanswered(p *Param) error {
	return BindError("-%s has no value", p.Name).WithHint("%s", emptyHint(p))
}
