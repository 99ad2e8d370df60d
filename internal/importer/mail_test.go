package importer_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/importer"
)

func mustWrite(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// found is what a walk gave: content by name for what could be read, errors for the rest.
type found struct {
	contents []string
	failures []string // "name: error"
	weight   int64
}

func collect(t testing.TB, root string) found {
	t.Helper()
	var f found
	for thing := range importer.Mail(root) {
		f.weight += thing.Weight
		if thing.Err != nil {
			name, _ := filepath.Rel(root, thing.From)
			f.failures = append(f.failures, name+": "+thing.Err.Error())
			continue
		}
		r, err := thing.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if thing.Size >= 0 && thing.Size != int64(len(content)) {
			t.Errorf("%s says %d bytes and gives %d", thing.From, thing.Size, len(content))
		}
		f.contents = append(f.contents, string(content))
	}
	return f
}

func TestMailFindsEveryKindOfStore(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, "a-letter.eml"), "Subject: letter\r\n\r\nbody\r\n")
	mustWrite(t, filepath.Join(root, "b-archive.mbox"),
		"From alice@contoso.example Thu Jan  1 00:00:00 2026\nSubject: one\n\nfirst\n\n>From here on\n>>From deeper\n\nFrom bob@contoso.example Thu Jan  1 00:00:00 2026\nSubject: two\n\nsecond\n")
	mustWrite(t, filepath.Join(root, "c-maildir", "cur", "1.host:2,S"), "Subject: seen\n\nmaildir\n")
	mustWrite(t, filepath.Join(root, "c-maildir", "new", "2.host"), "Subject: fresh\n\nmaildir\n")
	mustWrite(t, filepath.Join(root, "c-maildir", "tmp", "3.host"), "Subject: half")
	mustWrite(t, filepath.Join(root, "d-picture.png"), "\x89PNG\r\n\x1a\n")
	mustWrite(t, filepath.Join(root, "e-empty.eml"), "")
	mustWrite(t, filepath.Join(root, "e-empty.mbox"), "")
	if err := os.Symlink(filepath.Join(root, "a-letter.eml"), filepath.Join(root, "f-link.eml")); err != nil {
		t.Fatal(err)
	}

	got := collect(t, root)
	want := []string{
		"Subject: letter\r\n\r\nbody\r\n",
		"Subject: one\n\nfirst\n\nFrom here on\n>From deeper\n",
		"Subject: two\n\nsecond\n",
		"Subject: seen\n\nmaildir\n",
		"Subject: fresh\n\nmaildir\n",
	}
	if diff := cmp.Diff(want, got.contents); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	wantFailures := []string{
		"d-picture.png: not a message: it does not start with a header field",
		"e-empty.eml: the message is empty",
		"f-link.eml: a symbolic link, not followed",
	}
	if diff := cmp.Diff(wantFailures, got.failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestOneBadMessageInAnArchiveLosesNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mbox")
	mustWrite(t, path, "From x\nA: 1\n\none\n\nFrom x\nno header here\n\nFrom x\n\nFrom x\nB: 2\n\ntwo")
	got := collect(t, path)
	if diff := cmp.Diff([]string{"A: 1\n\none\n", "B: 2\n\ntwo"}, got.contents); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if len(got.failures) != 2 {
		t.Errorf("failures %q, want the two bad messages", got.failures)
	}
}

func TestRealMessagesComeWhole(t *testing.T) {
	const root = "testdata/messages"
	got := collect(t, root)
	if len(got.contents) < 25 {
		t.Fatalf("only %d of the messages could be read: %q", len(got.contents), got.failures)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(root, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(got.contents, string(raw)) {
			whole++
		}
	}
	if whole != len(got.contents) || whole+len(got.failures) != len(entries) {
		t.Errorf("%d files: %d came whole, %d readable, %d failures %q", len(entries), whole, len(got.contents), len(got.failures), got.failures)
	}
}

func TestMissingPathIsOneFailure(t *testing.T) {
	got := collect(t, filepath.Join(t.TempDir(), "nowhere"))
	if len(got.failures) != 1 || len(got.contents) != 0 {
		t.Errorf("found %+v, want one failure", got)
	}
}

var fromLine = regexp.MustCompile(`(?m)^(>*From )`)

// TestMboxGivesBackEveryByte writes archives of random messages in the mboxrd form and asks
// for the messages back.
func TestMboxGivesBackEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mbox")
	line := rapid.OneOf(rapid.SampledFrom([]string{"", "From me", ">From you", ">>From all", "From", "text", "\r"}),
		rapid.StringMatching(`[ -~]{0,100}`), rapid.Map(rapid.IntRange(65000, 70000), func(n int) string { return strings.Repeat("x", n) }))
	rapid.Check(t, func(t *rapid.T) {
		var archive bytes.Buffer
		var want []string
		for range rapid.IntRange(1, 6).Draw(t, "messages") {
			message := "Subject: x\n" + strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), "\n") + "\n"
			want = append(want, message)
			archive.WriteString("From alice@contoso.example Thu Jan  1 00:00:00 2026\n")
			archive.WriteString(fromLine.ReplaceAllString(message, ">$1"))
			archive.WriteString("\n")
		}
		if err := os.WriteFile(path, archive.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		var weight int64
		for thing := range importer.Mail(path) {
			if thing.Err != nil {
				t.Fatal(thing.Err)
			}
			weight += thing.Weight
			r, err := thing.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			got = append(got, string(content))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("messages (-want +got):\n%s", diff)
		}
		if weight > int64(archive.Len()) || weight < int64(archive.Len())-2 {
			t.Errorf("weights sum to %d of %d bytes", weight, archive.Len())
		}
	})
}

func FuzzMail(f *testing.F) {
	f.Add([]byte("From x\nA: 1\n\n>From\n\nFrom y\nB: 2\n\nz"))
	f.Add([]byte("From "))
	f.Add([]byte("\n\nFrom x"))
	f.Add([]byte("Subject: x\r\n\r\nFrom y\r\n"))
	path := filepath.Join(f.TempDir(), "input")
	f.Fuzz(func(t *testing.T, in []byte) {
		mustWrite(t, path, string(in))
		total := 0
		for _, content := range collect(t, path).contents {
			total += len(content)
		}
		if total > len(in) {
			t.Errorf("%d bytes of messages came out of %d bytes", total, len(in))
		}
	})
}
