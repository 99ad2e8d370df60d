package cmdlet

import (
	"strings"
	"time"
)

// The bodies of the Exchange admin REST face (section 7 of the requirements), shared by the
// server that writes them and the client that reads them.

// An Invocation is the body of InvokeCommand (row CK-327).
type Invocation struct {
	CmdletInput struct {
		CmdletName string
		Parameters Object
	}
}

// A Reply is the body of a success (rows CK-337 and CK-338).
type Reply struct {
	Context      string   `json:"@odata.context"`
	WarningsType string   `json:"adminapi.warnings@odata.type"` // CollectionOfText
	Warnings     []string `json:"@adminapi.warnings"`
	Confirmation string   `json:"@adminapi.confirmationmessage,omitempty"` // what -WhatIf would have done
	Value        []Object `json:"value"`
	NextLink     string   `json:"@odata.nextLink,omitempty"` // where to POST the same body for more

	Errors []ErrorDetail `json:"@adminapi.errors,omitempty"` // those that the command survived
}

// An ErrorReply is the body of a failure (row CK-345).
type ErrorReply struct {
	Error        ErrorBody `json:"error"`
	WarningsType string    `json:"adminapi.warnings@odata.type"`
	Warnings     []string  `json:"@adminapi.warnings"`
}

// An ErrorBody says what failed. Fault is ours, for clients that know it: the code, the
// message and the hint of the error as the service made it. Others pass over it.
type ErrorBody struct {
	Code    string        `json:"code"`
	Message string        `json:"message"`
	Details []ErrorDetail `json:"details"`
	Inner   InnerError    `json:"innererror"`
	Fault   *WireFault    `json:"@customerkey.fault,omitempty"`
}

// An ErrorDetail carries the text that clients show: "Ex123456|exception type|text". Fault is
// ours, as in an ErrorBody; where the whole request failed it is there.
type ErrorDetail struct {
	Code    string     `json:"code"`
	Target  string     `json:"target"`
	Message string     `json:"message"`
	Fault   *WireFault `json:"@customerkey.fault,omitempty"`
}

// An InnerError names the exception type. It never has a stack trace (row CK-350).
type InnerError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
}

// A WireFault is a fault.Error on the wire, without its cause.
type WireFault struct {
	Code    string `json:"code"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Type annotations of row CK-339.
const (
	CollectionOfText   = "#Collection(String)"
	collectionOfTables = "#Collection(Exchange.GenericHashTable)"
	oneTable           = "#Exchange.GenericHashTable"

	odataType = "@odata.type"
	dataType  = "@data.type"
)

// ToWire returns the object as the wire shows it: each property that JSON alone would not
// tell has annotations before it. only names the properties wanted, whatever their case;
// empty: all (row CK-330).
func (o Object) ToWire(only []string) Object {
	w := Object{Fields: make([]Field, 0, len(o.Fields))}
	for _, f := range o.Only(only).Fields {
		odata, data, value := annotate(f.Value)
		if data != "" {
			w.Fields = append(w.Fields, Field{f.Name + dataType, data})
		}
		if odata != "" {
			w.Fields = append(w.Fields, Field{f.Name + odataType, odata})
		}
		w.Fields = append(w.Fields, Field{f.Name, value})
	}
	return w
}

func annotate(value any) (odata, data string, wire any) {
	switch v := value.(type) {
	case []string:
		if v == nil {
			v = []string{}
		}
		return CollectionOfText, "", v
	case GUID:
		return "#Guid", "System.Guid", string(v)
	case int64:
		return "#Int64", "System.Int64", v
	case time.Time:
		return "", "System.DateTime", v.UTC().Format(time.RFC3339)
	case Object:
		return oneTable, "", v.ToWire(nil)
	case []Object:
		list := make([]Object, len(v))
		for i := range v {
			list[i] = v[i].ToWire(nil)
		}
		return collectionOfTables, "", list
	}
	return "", "", value
}

// FromWire is the inverse of ToWire for a decoded object: annotations are gone, and the
// values they speak of have their types again.
func FromWire(w Object) Object {
	o := Object{Type: w.Type}
	notes := map[string]string{}
	for _, f := range w.Fields {
		if strings.Contains(f.Name, "@") {
			if text, ok := f.Value.(string); ok {
				notes[f.Name] = text
			}
			continue
		}
		o.Fields = append(o.Fields, Field{f.Name, restore(f.Value, notes[f.Name+odataType], notes[f.Name+dataType])})
	}
	return o
}

func restore(value any, odata, data string) any {
	switch v := value.(type) {
	case string:
		if data == "System.Guid" {
			return GUID(v)
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil && data == "System.DateTime" {
			return t
		}
	case Object:
		return FromWire(v)
	case []any:
		if odata == collectionOfTables {
			return restoreEach(v)
		}
		return restoreTexts(v)
	}
	return value
}

func restoreEach(list []any) any {
	objects := make([]Object, 0, len(list))
	for _, item := range list {
		o, ok := item.(Object)
		if !ok {
			return list
		}
		objects = append(objects, FromWire(o))
	}
	return objects
}

func restoreTexts(list []any) any {
	texts := make([]string, 0, len(list))
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return list
		}
		texts = append(texts, text)
	}
	return texts
}
