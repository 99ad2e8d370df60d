package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	exchangePage = 1000 // objects of a page unless fewer are asked for, and the most (row CK-333)
	maxSkipToken = 8 << 10
)

// readInvocation reads the body of row CK-327.
func readInvocation(w http.ResponseWriter, r *http.Request) (cmdlet.Invocation, error) {
	var in cmdlet.Invocation
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return in, fault.New(fault.Invalid, "the body is not said to be application/json").WithReason(reasonMedia).
			WithHint("set the Content-Type header")
	}
	if format := r.Header.Get("X-ResponseFormat"); format != "" && !strings.EqualFold(format, "json") {
		return in, fault.New(fault.Invalid, "answers in the format %.32q are not given", format).
			WithHint("leave X-ResponseFormat out, or set it to json")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(exchangeReading)) // where the connection has deadlines
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, exchangeBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return in, fault.New(fault.TooLarge, "the body is longer than %d bytes", exchangeBody)
	}
	if err != nil {
		return in, fault.Wrap(fault.Invalid, err, "the body broke off")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if err := json.Unmarshal(body, &in); err != nil {
		return in, fault.Wrap(fault.Invalid, err, "the body cannot be read").
			WithHint(`send {"CmdletInput":{"CmdletName":"...","Parameters":{...}}}, each name once`)
	}
	if in.CmdletInput.CmdletName == "" {
		return in, fault.New(fault.Invalid, "the body names no command").WithHint(`set CmdletInput.CmdletName`)
	}
	return in, nil
}

// pageWanted returns how many objects the Prefer header allows in one answer (row CK-333).
func pageWanted(h http.Header) int {
	for _, line := range h.Values("Prefer") {
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if n, err := strconv.Atoi(value); err == nil && n > 0 && strings.EqualFold(name, "odata.maxpagesize") {
				return min(n, exchangePage)
			}
		}
	}
	return exchangePage
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
		return p, fault.New(fault.Invalid, "$skiptoken is not one that this service gave").WithHint("begin again without it")
	}
	return p, nil
}
