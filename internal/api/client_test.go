package api_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// The SDK against the real thing.
func TestClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *workload.Config) { c.MaxSize = 10 << 20 })
	c, ctx := w.client(t, "alice"), t.Context()
	ref := client.Ref{Workload: "documents", Container: "my files", Item: "a b/Grüße #1%.txt"}
	content, source := wt.Content(200_000), time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)
	put, created, err := c.Put(ctx, ref, client.PutOptions{ContentType: "text/plain", Name: "Grüße.txt", SourceModified: source}, bytes.NewReader(content))
	if err != nil || !created {
		t.Fatalf("Put: %v %v", created, err)
	}
	want := client.Item{
		Ref: ref, Size: 200_000, ContentType: "text/plain", Name: "Grüße.txt", Digest: sha256.Sum256(content),
		ETag: put.ETag, SourceModified: source,
	}
	if diff := cmp.Diff(want, put); diff != "" {
		t.Errorf("Put (-want +got):\n%s", diff)
	}
	want.Modified = w.Clock.Now()
	head, err := c.Head(ctx, ref)
	if diff := cmp.Diff(want, head); err != nil || diff != "" {
		t.Errorf("Head: %v (-want +got):\n%s", err, diff)
	}
	got, err := c.Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(got)
	got.Close()
	if diff := cmp.Diff(want, got.Item); err != nil || diff != "" || !bytes.Equal(all, content) {
		t.Errorf("Get: %d bytes, %v (-want +got):\n%s", len(all), err, diff)
	}
	for _, r := range [][2]int64{{0, 10}, {65_500, 10}, {199_995, 100}, {100, -1}} {
		part, err := c.GetRange(ctx, ref, r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		part.Close()
		end := int64(len(content))
		if r[1] > 0 {
			end = min(end, r[0]+r[1])
		}
		if err != nil || !bytes.Equal(b, content[r[0]:end]) || part.Size != 200_000 {
			t.Errorf("GetRange(%d, %d): %d bytes of %d, %v", r[0], r[1], len(b), part.Size, err)
		}
	}
	if _, err := c.GetRange(ctx, ref, 200_000, 1); !client.IsCode(err, client.CodeBadRange) {
		t.Errorf("GetRange beyond the end: %v", err)
	}
	if _, _, err := c.Put(ctx, ref, client.PutOptions{IfNoneMatch: true}, strings.NewReader("x")); !client.IsCode(err, client.CodeConflict) {
		t.Errorf("Put with IfNoneMatch: %v", err)
	}
	if _, _, err := c.Put(ctx, ref, client.PutOptions{}, bytes.NewReader(make([]byte, 11<<20))); !client.IsCode(err, client.CodeTooLarge) {
		t.Errorf("Put of too much: %v", err)
	}
	if _, _, err := w.client(t, "mallory").Put(ctx, client.Ref{Workload: "nothing", Container: "c", Item: ".."}, client.PutOptions{}, http0{}); !client.IsCode(err, client.CodeInvalid) {
		t.Errorf("Put of a name with dots: %v", err)
	}

	empty := ref
	empty.Item = "empty"
	if _, _, err := c.Put(ctx, empty, client.PutOptions{}, bytes.NewReader(nil)); err != nil {
		t.Errorf("Put of nothing: %v", err)
	}
	if part, err := c.GetRange(ctx, empty, 0, 10); err != nil || part.Size != 0 {
		t.Errorf("GetRange of nothing: %v", err)
	}
	if err := c.Delete(ctx, ref); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if _, err := c.Get(ctx, ref); !client.IsCode(err, client.CodeNotFound) {
		t.Errorf("Get after Delete: %v", err)
	}
}

// http0 is a body that the server need not read.
type http0 struct{}

func (http0) Read([]byte) (int, error) { return 0, io.EOF }

func TestClientAddsAndLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c, ctx := w.client(t, "alice"), t.Context()
	var want []string
	for _, text := range []string{"one", "two", "two"} {
		item, created, err := c.Add(ctx, "exchange", "alice@contoso.example", client.PutOptions{Name: text + ".eml"}, strings.NewReader(text))
		if err != nil || created == slices.Contains(want, item.Item) {
			t.Fatalf("Add(%s): created %v, %v", text, created, err)
		}
		if created {
			want = append(want, item.Item)
		}
	}
	slices.Sort(want)
	var got []string
	for item, err := range c.List(ctx, "exchange", "alice@contoso.example", "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, item.Item)
		if item.Size != 3 || item.Digest == [32]byte{} || item.Name == "" {
			t.Errorf("%+v", item)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("List: %v, want %v", got, want)
	}
	for container, err := range c.Containers(ctx, "exchange", "") {
		if err != nil || container.Name != "alice@contoso.example" || container.Created.IsZero() {
			t.Errorf("%+v, %v", container, err)
		}
	}
	for _, err := range c.List(ctx, "exchange", "bob@contoso.example", "") {
		if !client.IsCode(err, client.CodeForbidden) {
			t.Errorf("List of bob's mailbox: %v", err)
		}
	}

	reader, entries := w.client(t, "reader"), 0
	for e, err := range reader.AuditEntries(ctx, "service", -1) {
		if err != nil || e.Index != int64(entries) || e.Action == "" || e.Decision == "" || e.Time.IsZero() || e.Caller.Tenant != wt.Contoso {
			t.Fatalf("%+v, %v", e, err)
		}
		entries++
	}
	head, err := reader.AuditHead(ctx, "service")
	if err != nil || head.Size != int64(entries) || head.Note == "" {
		t.Errorf("AuditHead = %+v, %v after %d entries", head, err, entries)
	}
	keys, err := reader.AuditKeys(ctx)
	if err != nil || !strings.HasPrefix(keys["service"], "customerkey/service/"+wt.Contoso) {
		t.Errorf("AuditKeys = %v, %v", keys, err)
	}
}
