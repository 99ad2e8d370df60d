package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A leaf is one entry as bytes: what the tree hashes and what is stored and sent. It is one JSON
// object without spaces, always with all of these members in this order:
//
//	{"v":1,
//	 "time":"2026-01-31T12:00:00.000000Z",   UTC, always six decimals
//	 "tenant":"...",
//	 "caller":{"tenant":"...","id":"...","kind":"user","name":"...","app":"...","address":"...","request":"..."},
//	 "action":"key.unwrap","object":"...","decision":"allow",
//	 "detail":{"name":"value"}}              names in the order of their bytes
//
// Strings are UTF-8, escaped as in RFC 8785 (section 3.2.2.2) and no more. So an entry has
// exactly one leaf, and [DecodeLeaf] takes no other bytes.
const leafVersion = 1

// MaxLeaf is the longest leaf in bytes.
const MaxLeaf = 64 << 10

// usualLeaf is what most leaves stay below, in bytes.
const usualLeaf = 1 << 10

const leafTime = "2006-01-02T15:04:05.000000Z"

// EncodeLeaf returns the leaf of e. Bytes that are no UTF-8 become U+FFFD, and the time loses
// what is finer than a microsecond. An entry without tenant, action or known decision is
// fault.Internal; one whose leaf would be longer than MaxLeaf is fault.TooLarge.
func EncodeLeaf(e Entry) ([]byte, error) {
	if err := check(e); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, usualLeaf), `{"v":`...)
	b = strconv.AppendInt(b, leafVersion, 10)
	b = append(b, `,"time":"`...)
	b = e.Time.UTC().Truncate(time.Microsecond).AppendFormat(b, leafTime)
	b = append(b, '"')
	b = appendMember(b, "tenant", e.Tenant)
	b = append(b, `,"caller":{"tenant":`...)
	b = appendString(b, e.Caller.Tenant)
	b = appendMember(b, "id", e.Caller.ID)
	b = appendMember(b, "kind", string(e.Caller.Kind))
	b = appendMember(b, "name", e.Caller.Name)
	b = appendMember(b, "app", e.Caller.App)
	b = appendMember(b, "address", e.Caller.Address)
	b = appendMember(b, "request", e.Caller.Request)
	b = append(b, '}')
	b = appendMember(b, "action", e.Action)
	b = appendMember(b, "object", e.Object)
	b = appendMember(b, "decision", string(e.Decision))
	b = append(b, `,"detail":{`...)
	detail := validNames(e.Detail)
	names := slices.AppendSeq(make([]string, 0, 8), maps.Keys(detail))
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendString(b, detail[name])
	}
	b = append(b, "}}"...)
	if len(b) > MaxLeaf {
		return nil, fault.New(fault.TooLarge, "the audit record of this request would be too long").
			WithHint("use shorter names")
	}
	return b, nil
}

// check refuses an entry that says too little, or has a time that four digits of a year cannot say.
func check(e Entry) error {
	if err := checkTenant(e.Tenant); err != nil {
		return err
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return fault.New(fault.Internal, "the clock is in the year %d", year)
	}
	if e.Action == "" {
		return fault.New(fault.Internal, "an audit entry needs an action")
	}
	switch e.Decision {
	case Allow, Deny, Fail:
		return nil
	}
	return fault.New(fault.Internal, "an audit entry needs a decision")
}

// appendMember appends a comma, a name that needs no escape, and a value.
func appendMember(b []byte, name, value string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

// validNames returns detail with names that are UTF-8. Of names that become equal the last one
// by its old bytes stays.
func validNames(detail map[string]string) map[string]string {
	valid := true
	for name := range detail {
		valid = valid && utf8.ValidString(name)
	}
	if valid {
		return detail
	}
	made := make(map[string]string, len(detail))
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		made[strings.ToValidUTF8(name, string(utf8.RuneError))] = detail[name]
	}
	return made
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	b = append(b, '"')
	plain := 0 // s[plain:i] needs no escape
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[plain:i]...)
		plain = i + 1
		switch {
		case c >= 0x20:
			b = append(b, '\\', c)
		case strings.IndexByte("\b\t\n\f\r", c) >= 0:
			b = append(b, '\\', "btn?fr"[c-'\b'])
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[plain:]...)
	return append(b, '"')
}

// DecodeLeaf returns the entry of a leaf. Bytes that EncodeLeaf would not have written are
// fault.Corrupt.
func DecodeLeaf(leaf []byte) (Entry, error) {
	if len(leaf) > MaxLeaf {
		return Entry{}, fault.New(fault.Corrupt, "the leaf is too long")
	}
	var l struct {
		V      int
		Time   string
		Tenant string
		Caller struct {
			Tenant, ID, Kind, Name, App, Address, Request string
		}
		Action, Object, Decision string
		Detail                   map[string]string
	}
	d := json.NewDecoder(bytes.NewReader(leaf))
	if err := d.Decode(&l); err != nil {
		return Entry{}, fault.Wrap(fault.Corrupt, err, "the leaf is no entry")
	}
	if _, err := d.Token(); err != io.EOF {
		return Entry{}, fault.New(fault.Corrupt, "the leaf goes on behind its entry")
	}
	if l.V != leafVersion {
		return Entry{}, fault.New(fault.Corrupt, "the leaf has version %d, this program knows %d", l.V, leafVersion)
	}
	at, err := time.Parse(leafTime, l.Time)
	if err != nil {
		return Entry{}, fault.Wrap(fault.Corrupt, err, "the leaf has no time")
	}
	e := Entry{
		Tenant: l.Tenant, Time: at, Action: l.Action, Object: l.Object, Decision: Decision(l.Decision), Detail: l.Detail,
		Caller: directory.Caller{
			Tenant: l.Caller.Tenant, ID: l.Caller.ID, Kind: directory.Kind(l.Caller.Kind), Name: l.Caller.Name,
			App: l.Caller.App, Address: l.Caller.Address, Request: l.Caller.Request,
		},
	}
	if len(e.Detail) == 0 {
		e.Detail = nil
	}
	if again, err := EncodeLeaf(e); err != nil || !bytes.Equal(again, leaf) {
		return Entry{}, fault.Wrap(fault.Corrupt, err, "the leaf is not in its one form")
	}
	return e, nil
}
