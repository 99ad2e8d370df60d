package api

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

var writeErrors = flag.Bool("write-errors", false, "write docs/errors.md anew")

const errorsHead = `# Errors of the admin endpoint

What ` + "`error.details[].message`" + ` begins with, ` + "`Ex` and six hexadecimal digits" + `, says what kind of error it is. An id never changes its meaning, and none is used twice for
two. Behind it come the exception type and the text, separated by bars; the text has none. Made from the table that the server uses, by TestErrorsAreListed
(` + "`go test ./internal/api -run TestErrorsAreListed -write-errors`" + `).

The member ` + "`@customerkey.fault`" + ` {code, reason, message, hint} says it more precisely, for programs that know it.

| id | status | error.code | exception type | it means |
| --- | --- | --- | --- | --- |
`

// CK-350: ids are stable, and listed in docs/errors.md; CK-346: they all have one form.
func TestErrorsAreListed(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(errorsHead)
	shape := regexp.MustCompile(`^Ex[0-9A-F]{6}$`)
	meaning := map[string]string{} // by id: status and type
	for _, row := range exchangeErrors {
		same := fmt.Sprint(row.status, row.kind)
		if before, twice := meaning[row.id]; twice && before != same {
			t.Errorf("%s means two things: %s and %s", row.id, before, same)
		}
		meaning[row.id] = same
		if !shape.MatchString(row.id) || row.means == "" || strings.Contains(row.kind, "|") {
			t.Errorf("%+v", row)
		}
		body := map[form]string{bare: "; no body", plain: "; plain text"}[row.form]
		fmt.Fprintf(&page, "| %s | %d%s | %s | %s | %s |\n", row.id, row.status, body, row.name, row.kind, row.means)
	}
	const file = "../../docs/errors.md"
	if *writeErrors {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != page.String() {
		t.Errorf("%s is not what the table says (%v): write it with -write-errors", file, err)
	}
}

// Whatever the fault, it has an id; those that a caller can do something about have one of their own.
func TestEveryFaultHasAnID(t *testing.T) {
	t.Parallel()
	last := exchangeErrors[len(exchangeErrors)-1].id
	for _, code := range []fault.Code{
		fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooLarge, fault.Throttled, fault.Denied, fault.Unavailable, fault.Corrupt,
	} {
		if row := exchangeErrorOf(fault.New(code, "x").WithReason("of which nobody has heard")); row.id == last {
			t.Errorf("%s has no id of its own", code)
		}
	}
	for _, code := range []fault.Code{fault.Internal, fault.BadRange, "new"} { // there are no ranges here
		if row := exchangeErrorOf(fault.New(code, "x")); row.id != last || row.status != 500 {
			t.Errorf("%s: %+v", code, row)
		}
	}
}

// A token for the next page is what this service gave, or it is refused; what it gave reads back.
func FuzzSkipToken(f *testing.F) {
	for _, seed := range []string{"", "!", "e30", "eyJhIjoieCJ9", "eyJhIjoieCIsIm4iOi0xfQ", strings.Repeat("A", 9000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := placeOf(map[string][]string{"$skiptoken": {token}})
		if err != nil {
			if !fault.Is(err, fault.Invalid) || p != (place{}) {
				t.Errorf("%+v, %v", p, err)
			}
			return
		}
		if token == "" {
			return
		}
		again, err := p.token()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := placeOf(map[string][]string{"$skiptoken": {again}}); err != nil || back != p || p.Left < 0 || p.After == "" {
			t.Errorf("%+v became %+v, %v", p, back, err)
		}
	})
}
