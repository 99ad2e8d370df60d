package eventlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A page is a file of records, and what was cut off from it.
type page struct {
	testing.TB
	name string
	torn bytes.Buffer
}

func newPage(t testing.TB) *page { return &page{TB: t, name: filepath.Join(t.TempDir(), fileName)} }

func (p *page) append(records ...string) {
	p.Helper()
	var texts [][]byte
	for _, r := range records {
		texts = append(texts, []byte(r))
	}
	f, err := os.OpenFile(p.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	if err := appendRecords(f, p.keep, texts); err != nil {
		p.Fatal(err)
	}
}

func (p *page) keep(torn io.Reader) error {
	_, err := io.Copy(&p.torn, torn)
	return err
}

func (p *page) text() []byte {
	p.Helper()
	text, err := os.ReadFile(p.name)
	if err != nil {
		p.Fatal(err)
	}
	return text
}

func (p *page) write(text []byte) {
	p.Helper()
	if err := os.WriteFile(p.name, text, 0o600); err != nil {
		p.Fatal(err)
	}
}

// records reads the file as people's tools do.
func (p *page) records() []string {
	p.Helper()
	var file struct{ Records []json.RawMessage }
	if err := json.Unmarshal(p.text(), &file); err != nil {
		p.Fatalf("%v: %q", err, p.text())
	}
	var all []string
	for _, r := range file.Records {
		all = append(all, string(r))
	}
	return all
}

func TestFileIsOneObject(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	p.append(`{"n":1}`)
	p.append(`{"n":2}`, `{"n":3}`)
	if got, want := string(p.text()), "{\"records\":[\n{\"n\":1}\n,{\"n\":2}\n,{\"n\":3}\n]}\n"; got != want {
		t.Errorf("file = %q, want %q", got, want)
	}
	if p.torn.Len() > 0 {
		t.Errorf("cut off %q", p.torn.String())
	}
}

// TestTorn: wherever the write of a second batch was cut, the first is whole afterwards, of the
// second what was whole is there, and what was not is kept.
func TestTorn(t *testing.T) {
	t.Parallel()
	for _, first := range []int{0, 1, 2} {
		p := newPage(t)
		var before []string
		for i := range first {
			before = append(before, fmt.Sprintf(`{"n":%d}`, i))
		}
		if first > 0 {
			p.append(before...)
		}
		var old []byte
		if first > 0 {
			old = p.text()
		}
		p.append(`{"n":"a"}`, `{"n":"b"}`)
		whole := p.text()
		for at := max(0, len(old)-len(foot)); at <= len(whole); at++ {
			p.torn.Reset()
			p.write(append(slices.Clone(whole[:at]), old[min(at, len(old)):]...))
			p.append(`{"n":"later"}`)
			got := p.records()
			if len(got) < first+1 || !slices.Equal(got[:first], before) || got[len(got)-1] != `{"n":"later"}` {
				t.Fatalf("cut at %d of %d: %q", at, len(whole), got)
			}
			if begun := bytes.Contains(p.torn.Bytes(), []byte("n")); begun && len(got) == first+3 {
				t.Errorf("cut at %d: %q was whole and is cut off", at, p.torn.String())
			}
		}
	}
}

// TestDamaged: what somebody made of a file is not thrown away.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"other":       "these are my notes\n",
		"empty lines": "\n\n\n\n\n\n",
		"zeros":       string(make([]byte, 4096)),
		"one line":    `{"records":[{"n":1}]}`,
		"long line":   head + `{"n":"` + string(bytes.Repeat([]byte("x"), longestLine)) + `"}` + "\n" + `,{"n":2}` + "\n" + foot + "x",
		"middle":      head + "{\"n\":1}\n,{\"n\":\n,{\"n\":3}\n" + foot + " ",
	} {
		p := newPage(t)
		p.write([]byte(text))
		p.append(`{"n":"later"}`)
		got := p.records()
		if got[len(got)-1] != `{"n":"later"}` {
			t.Errorf("%s: %q", name, got)
		}
		if !strings.HasSuffix(text, p.torn.String()) || len(got) == 1 && !strings.HasSuffix(p.torn.String(), strings.TrimPrefix(text, head)) {
			t.Errorf("%s: kept %.60q of %.60q", name, p.torn.String(), text)
		}
	}
}

// FuzzMend: whatever a file holds, it is one object after the next record, the record is in it,
// and no byte of before is lost but heads, feet and commas.
func FuzzMend(f *testing.F) {
	for _, text := range []string{
		"", head, head + foot, "{", head + `{"n":1}`, head + "{\"n\":1}\n" + foot, head + "{\"n\":1}\n,{\"n\"", head + "{\"n\":1}\n,\n]}\n", "\x00\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if end := bytes.LastIndex(text, []byte(foot)); end >= 0 && end == len(text)-len(foot) {
			t.Skip("a foot that was written is believed")
		}
		p := newPage(t)
		p.write(text)
		p.append(`{"n":"later"}`)
		got := p.records()
		if got[len(got)-1] != `{"n":"later"}` {
			t.Errorf("%q", got)
		}
		before := bytes.TrimSuffix(p.text(), []byte(`{"n":"later"}`+foot))
		if all := len(before) + p.torn.Len() + len(foot); all < len(text) {
			t.Errorf("%q became %q and %q", text, p.text(), p.torn.String())
		}
	})
}
