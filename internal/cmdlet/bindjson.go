package cmdlet

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// BindJSON brings the Parameters of an InvokeCommand body together with those of c, by the
// rules of Bind: names in any case (row CK-329), switches and Booleans as true or false,
// lists as arrays (row CK-328) or as one text with commas (row CK-84), $null as null.
// A member whose name has an @ is an annotation and passed over. resultSize is the
// ResultSize parameter of row CK-342: the most objects wanted, 0 for all.
func BindJSON(c *Cmdlet, params Object) (call *Call, resultSize int, err error) {
	b := newBinding(c, &resultSizeParam)
	for _, f := range params.Fields {
		if strings.Contains(f.Name, "@") {
			continue
		}
		p, err := b.resolve(f.Name)
		if err != nil {
			return nil, 0, err
		}
		v, err := p.convert(f.Value)
		if err != nil {
			return nil, 0, err
		}
		if err := b.set(p, v); err != nil {
			return nil, 0, err
		}
	}
	if resultSize, err = b.resultSize(); err != nil {
		return nil, 0, err
	}
	call, err = b.finish()
	return call, resultSize, err
}

func (b *binding) resultSize() (int, error) {
	text := cmp.Or(Args{b.common}.Text(resultSizeParam.Name), Args{b.args}.Text(resultSizeParam.Name))
	if text == "" || strings.EqualFold(text, "Unlimited") {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, BindError("-ResultSize cannot be %s", Quote(text)).WithHint("give a number, or Unlimited")
	}
	return n, nil
}

// convert turns a decoded JSON value into a value of the parameter's type.
func (p *Param) convert(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return p.null()
	case string:
		if p.Type == String || p.Type == ID {
			return p.checkText(v) // text on the wire is meant literally
		}
		return p.parse(v)
	case bool:
		return p.convertBool(v)
	case json.Number:
		if p.Type == Int || p.Type == String || p.Type == ID || p.Type == Bool {
			return p.parse(v.String())
		}
	case []any:
		return p.convertList(v)
	case Object:
		return p.convertMap(v)
	}
	return nil, p.mistyped()
}

func (p *Param) convertBool(v bool) (any, error) {
	switch {
	case p.Type == Bool || p.Type == Switch:
		return v, nil
	case p.Type == String && v:
		return p.checkText("True")
	case p.Type == String:
		return p.checkText("False")
	}
	return nil, p.mistyped()
}

func (p *Param) convertList(values []any) (any, error) {
	items := make([]string, len(values))
	for i, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil, p.mistyped()
		}
		items[i] = text
	}
	switch {
	case p.Type == StringList:
		return p.checkItems(items)
	case len(items) == 1: // PowerShell unrolls a list of one
		return p.convert(items[0])
	}
	return nil, p.mistyped()
}

func (p *Param) convertMap(o Object) (any, error) {
	if p.Type == PSObject {
		return o, nil
	}
	if p.Type != Map {
		return nil, p.mistyped()
	}
	m := map[string]string{}
	for _, f := range o.Fields {
		if strings.Contains(f.Name, "@") {
			continue
		}
		text, ok := f.Value.(string)
		if !ok {
			return nil, p.mistyped()
		}
		m[f.Name] = text
	}
	return m, nil
}

func (p *Param) mistyped() *fault.Error {
	return BindError("-%s has a value of the wrong type", p.Name).WithHint("its type is %s", p.Type)
}
