package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// maxSkipToken bounds what is taken for a place: no key of an object is near as long.
const maxSkipToken = 8 << 10

// readBody reads a JSON object of at most that many bytes, in which no name may come twice and
// nothing lies deeper than any command needs.
func (x *Exchange) readBody(w http.ResponseWriter, r *http.Request, most int64) (o cmdlet.Object, err error) {
	if most == 0 {
		if r.ContentLength != 0 {
			return o, fault.New(fault.Invalid, "this request takes no body").WithHint("send it without one")
		}
		return o, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return o, fault.New(fault.Invalid, "the body is not said to be application/json").WithReason(reasonMedia).
			WithHint("set the Content-Type header")
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(x.c.Reading)) // where the connection has deadlines
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	tooLong := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLong):
		return o, fault.New(fault.TooLarge, "the body is longer than %d bytes", most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return o, fault.Wrap(fault.Invalid, err, "the body did not come within %s; nothing was done", x.c.Reading).
			WithReason(reasonStalled).WithHint("send it again")
	case err != nil:
		return o, fault.Wrap(fault.Invalid, err, "the body broke off")
	}
	_ = control.SetReadDeadline(time.Time{})
	return decodeBody(text)
}

// decodeBody reads the text of a body.
func decodeBody(text []byte) (o cmdlet.Object, err error) {
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fault.Wrap(fault.Invalid, err, "the body cannot be read").
			WithHint("send a JSON object, with each name once")
	}
	return o, nil
}

// member returns the value of a name as T: the zero value without it or with null, and an error
// for a value of another type or a name that comes in two spellings.
func member[T any](o cmdlet.Object, name string) (value T, err error) {
	found := false
	for _, f := range o.Fields {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		if found {
			return value, fault.New(fault.Invalid, "%s is given twice", name)
		}
		found = true
		if f.Value == nil {
			continue
		}
		v, ok := f.Value.(T)
		if !ok {
			return value, fault.New(fault.Invalid, "%s has a value of the wrong type", name).WithHint("%s", bodyHint)
		}
		value = v
	}
	return value, nil
}

const bodyHint = `send {"CmdletInput":{"CmdletName":"...","Parameters":{...}}}`

// cmdletInput reads the body of row CK-327: the name of a command and its parameters.
func cmdletInput(body cmdlet.Object) (name string, params cmdlet.Object, err error) {
	input, err := member[cmdlet.Object](body, "CmdletInput")
	if err != nil {
		return "", params, err
	}
	if name, err = member[string](input, "CmdletName"); err != nil {
		return "", params, err
	}
	if name == "" {
		return "", params, fault.New(fault.Invalid, "the body names no command").WithHint("%s", bodyHint)
	}
	params, err = member[cmdlet.Object](input, "Parameters")
	return name, params, err
}

// selected returns the properties that $select names (row CK-330), none for all.
func selected(q url.Values) []string {
	return strings.FieldsFunc(q.Get("$select"), func(r rune) bool { return r == ',' || r == ' ' })
}

// A place is where the next page begins, as $skiptoken carries it: after the object of that
// key, with so many more wanted, 0 for all. It names no tenant and grants nothing.
type place struct {
	After string `json:"a"`
	Left  int    `json:"n,omitempty"`
}

func (p place) token() (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encoding the place of the next page")
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// placeOf reads the place back; the zero place without a token.
func placeOf(q url.Values) (p place, err error) {
	token := q.Get("$skiptoken")
	if token == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token[:min(len(token), maxSkipToken)])
	if err != nil || json.Unmarshal(text, &p) != nil || p.After == "" || p.Left < 0 {
		return place{}, fault.New(fault.Invalid, "$skiptoken is not one that this service gave").WithHint("begin again without it")
	}
	return p, nil
}
