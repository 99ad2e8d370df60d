package workload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// sweep removes the blobs that nothing needs.
func sweep(t *testing.T, w *wt.World) {
	t.Helper()
	w.Clock.Add(2 * time.Hour)
	if _, err := w.Items.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantVersions(t *testing.T, w *wt.World, ref workload.Ref, want ...int) {
	t.Helper()
	if got := w.KeyVersions(t, wt.Contoso, ref); !slices.Equal(got, want) {
		t.Errorf("versions %v of the container's key, want %v", got, want)
	}
}

// item returns ref with another item.
func item(ref workload.Ref, id string) workload.Ref {
	ref.Item = id
	return ref
}

// Deep re-encryption: everything is under new keys and in new blobs, nothing about the items
// has changed for those who use them, and the old keys are gone.
func TestReencryptContainer(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	sizes := []int{0, 1, 5000, 300_000}
	before := map[string]workload.Row{}
	for _, n := range sizes {
		ref := item(report, fmt.Sprint("item", n))
		w.MustPut(t, wt.Alice, ref, wt.Content(n))
		before[ref.Item] = w.Row(t, wt.Contoso, ref)
	}
	added, _, err := w.Items.Add(t.Context(), wt.Alice, item(report, ""), workload.PutOptions{Name: "a.txt", ContentType: "text/plain"}, strings.NewReader("added"))
	if err != nil {
		t.Fatal(err)
	}
	other := workload.Ref{Workload: "documents", Container: "others", Item: "x"}
	w.MustPut(t, wt.Bob, other, []byte("x"))

	w.Clock.Add(time.Hour)
	op := w.MustReencrypt(t, report)
	if op.State != operation.Done || op.Percent() != 100 {
		t.Fatalf("%+v", op)
	}
	want := workload.Renewal{Container: w.Row(t, wt.Contoso, item(report, "item0")).Container, Counted: true, Containers: 1, TotalContainers: 1, Items: 5, TotalItems: 5, Bytes: 305_006, TotalBytes: 305_006, Destroyed: 1}
	if got, ok := workload.RenewalOf(op); !ok || got != want {
		t.Errorf("progress %+v, want %+v", got, want)
	}
	wantVersions(t, w, report, 2)
	wantVersions(t, w, other, 1)
	for _, n := range sizes {
		ref := item(report, fmt.Sprint("item", n))
		wantContent(t, w, wt.Alice, ref, wt.Content(n))
		old, now := before[ref.Item], w.Row(t, wt.Contoso, ref)
		if now.KeyVersion != 2 || now.Blob == old.Blob || bytes.Equal(now.ItemKey, old.ItemKey) {
			t.Errorf("%s: %+v, was %+v", ref, now, old)
		}
		if now.Version != old.Version || now.Modified != old.Modified || now.Created != old.Created || now.Size != old.Size {
			t.Errorf("%s changed: %+v, was %+v", ref, now, old)
		}
	}
	head, err := w.Items.Head(t.Context(), wt.Alice, added.Ref)
	if diff := cmp.Diff(added, head); err != nil || diff != "" {
		t.Errorf("%v (-before +after):\n%s", err, diff)
	}
	if again, created, err := w.Items.Add(t.Context(), wt.Alice, item(report, ""), workload.PutOptions{}, strings.NewReader("added")); err != nil || created || again.Item != added.Item {
		t.Errorf("the same content has another id: %+v, %v, %v", again, created, err)
	}
	sweep(t, w)
	wantBlobs(t, w, 6)
	wantContent(t, w, wt.Bob, other, []byte("x"))
	if n := len(w.Entries(t, wt.Contoso, "containerkey.destroy")); n != 1 {
		t.Errorf("%d entries of destroyed keys, want 1", n)
	}
}

// An old row, put back from a backup of the database, does not open any more.
func TestReencryptedOldRowDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, report, []byte("secret"))
	old := w.Row(t, wt.Contoso, report)
	w.MustReencrypt(t, report)
	err := w.DB.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `UPDATE items SET item_key = $1, metadata = $2, blob_id = $3, key_version = 1`, old.ItemKey, old.Metadata, old.Blob)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = read(t, w, wt.Alice, report)
	wantCode(t, "reading a restored row", err, fault.Corrupt)
}

// interfering runs something once, just before the n-th blob of a re-encryption is committed.
type interfering struct {
	workload.Blobs
	armed atomic.Bool
	fn    func()
}

func (b *interfering) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := b.Blobs.Create(ctx, id)
	return pausedWriter{w, func() {
		if b.armed.Swap(false) {
			b.fn()
		}
	}}, err
}

// What is replaced or deleted while it is encrypted anew stays replaced or deleted; writers
// and readers are not held up.
func TestReencryptBesideWriters(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, w *wt.World){
		"replaced": func(t *testing.T, w *wt.World) { w.MustPut(t, wt.Alice, report, []byte("new")) },
		"deleted": func(t *testing.T, w *wt.World) {
			if err := w.Items.Delete(t.Context(), wt.Alice, report); err != nil {
				t.Error(err)
			}
		},
		"deleted and written again": func(t *testing.T, w *wt.World) {
			if err := w.Items.Delete(t.Context(), wt.Alice, report); err != nil {
				t.Error(err)
			}
			w.MustPut(t, wt.Alice, report, []byte("new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobs := &interfering{}
			w := wt.New(t, func(c *workload.Config) { blobs.Blobs, c.Blobs = c.Blobs, blobs })
			w.MustPut(t, wt.Alice, report, []byte("old"))
			blobs.fn = func() {
				wantContent(t, w, wt.Alice, report, []byte("old"))
				change(t, w)
				sweep(t, w)
			}
			blobs.armed.Store(true)
			if op := w.MustReencrypt(t, report); op.State != operation.Done {
				t.Fatalf("%+v", op)
			}
			sweep(t, w)
			wantVersions(t, w, report, 2)
			if name == "deleted" {
				_, err := read(t, w, wt.Alice, report)
				wantCode(t, "reading what was deleted", err, fault.NotFound)
				wantBlobs(t, w, 0)
				return
			}
			wantContent(t, w, wt.Alice, report, []byte("new"))
			wantBlobs(t, w, 1)
		})
	}
}

func destroyGeneration(t *testing.T, w *wt.World, id string) {
	t.Helper()
	err := w.DB.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		destroyed, err := store.DestroyGeneration(ctx, q, wt.Contoso, id, w.Clock.Now())
		if err == nil && !destroyed {
			err = errors.New("the generation is needed")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	w.Keys.Drop(wt.Contoso, id)
}

// An upload that began before and ends after the old keys are gone is stored under the new
// one; a download that is under way is not cut off.
func TestReencryptBesideSlowTransfers(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	content := wt.Content(500_000)
	w.MustPut(t, wt.Alice, report, content)
	download, err := w.Items.Open(t.Context(), wt.Alice, report)
	if err != nil {
		t.Fatal(err)
	}
	defer download.Close()
	half := make([]byte, 250_000)
	if _, err := io.ReadFull(download, half); err != nil {
		t.Fatal(err)
	}
	upload, renewed := bytes.NewReader(content), false
	body := readerFunc(func(p []byte) (int, error) {
		if n, err := upload.Read(p[:min(len(p), 100_000)]); n > 0 && !renewed {
			renewed = true
			old := w.Policies.InForceNow(t, wt.Contoso).Generation
			w.Policies.NewGeneration(t, wt.Contoso, 0)
			if op := w.MustReencrypt(t, report); op.State != operation.Done {
				t.Errorf("%+v", op)
			}
			destroyGeneration(t, w, old) // nothing is under it any more
			return n, err
		} else {
			return n, err
		}
	})
	slow := item(report, "slow")
	if _, _, err := w.Items.Put(t.Context(), wt.Alice, slow, workload.PutOptions{}, body); err != nil {
		t.Fatalf("an upload across the end of the old key: %v", err)
	}
	wantContent(t, w, wt.Alice, slow, content)
	if v := w.Row(t, wt.Contoso, slow).KeyVersion; v != 2 {
		t.Errorf("it is under version %d of the key, want 2", v)
	}
	wantVersions(t, w, report, 2)
	w.Clock.Add(2 * time.Minute) // leases are renewed
	rest, err := io.ReadAll(download)
	if err != nil || !bytes.Equal(append(half, rest...), content) {
		t.Errorf("a download across it: %d bytes, %v", len(rest), err)
	}
}

// A fused store stops working after a number of writes, and with it all that would come
// after, as the program does when it is killed there.
type fusedStore struct {
	workload.Store
	left *atomic.Int64
}

func (f fusedStore) pass() error {
	if f.left.Add(-1) < 0 {
		return errInjected
	}
	return nil
}

func (f fusedStore) Intend(ctx context.Context, i workload.Intent) error {
	return errors.Join(f.pass(), f.unless(func() error { return f.Store.Intend(ctx, i) }))
}

func (f fusedStore) RaiseFloor(ctx context.Context, tenant, container string, version int) error {
	return errors.Join(f.pass(), f.unless(func() error { return f.Store.RaiseFloor(ctx, tenant, container, version) }))
}

func (f fusedStore) SetSecret(ctx context.Context, c workload.Container, from int) error {
	return errors.Join(f.pass(), f.unless(func() error { return f.Store.SetSecret(ctx, c, from) }))
}

func (f fusedStore) Condemn(ctx context.Context, i workload.Intent) (doomed bool, err error) {
	err = errors.Join(f.pass(), f.unless(func() error { doomed, err = f.Store.Condemn(ctx, i); return err }))
	return doomed, err
}

func (f fusedStore) Exchange(ctx context.Context, row workload.Row, from string, now time.Time) (replaced bool, err error) {
	err = errors.Join(f.pass(), f.unless(func() error { replaced, err = f.Store.Exchange(ctx, row, from, now); return err }))
	if f.left.Load() == 0 { // done, and its answer never arrived
		f.left.Store(-1)
		return false, errInjected
	}
	return replaced, err
}

func (f fusedStore) DestroyVersions(ctx context.Context, tenant, container string, floor int) (n int, err error) {
	err = errors.Join(f.pass(), f.unless(func() error { n, err = f.Store.DestroyVersions(ctx, tenant, container, floor); return err }))
	return n, err
}

// unless runs fn while the fuse holds.
func (f fusedStore) unless(fn func() error) error {
	if f.left.Load() < 0 {
		return nil
	}
	return fn()
}

// Killed after any write, every item is whole all the way, the work goes on where it was, and
// in the end there is one blob for each item and one key.
func TestCrashDuringReencryption(t *testing.T) {
	t.Parallel()
	for n := int64(0); ; n++ {
		left := &atomic.Int64{}
		left.Store(1 << 40)
		w := wt.New(t, func(c *workload.Config) { c.Store = fusedStore{c.Store, left} })
		for i := range 3 {
			w.MustPut(t, wt.Alice, item(report, fmt.Sprint(i)), wt.Content(i*70_000))
		}
		if _, _, err := w.Items.Add(t.Context(), wt.Alice, item(report, ""), workload.PutOptions{}, strings.NewReader("added")); err != nil {
			t.Fatal(err)
		}
		left.Store(n)
		killed := w.MustReencrypt(t, report)
		finished := killed.State == operation.Done && left.Load() >= 0
		left.Store(1 << 40)
		for i := range 3 {
			wantContent(t, w, wt.Alice, item(report, fmt.Sprint(i)), wt.Content(i*70_000))
		}
		if !finished {
			op, err := w.Runner.Start(t.Context(), killed) // what a new claim sees
			if err != nil {
				t.Fatal(err)
			}
			if op = w.Finish(t, op); op.State != operation.Done {
				t.Fatalf("killed after %d writes, then: %+v", n, op)
			}
		}
		for i := range 3 {
			wantContent(t, w, wt.Alice, item(report, fmt.Sprint(i)), wt.Content(i*70_000))
		}
		sweep(t, w)
		wantBlobs(t, w, 4)
		if versions := w.KeyVersions(t, wt.Contoso, report); len(versions) != 1 || versions[0] < 2 {
			t.Fatalf("killed after %d writes: versions %v", n, versions)
		}
		if finished {
			return
		}
		if n > 40 {
			t.Fatal("it never finishes")
		}
	}
}

// Stopped anywhere and begun anew after another one has encrypted the same container: what it was at
// is gone, or on its way out, and it does not look for that.
func TestReencryptGoesOnAfterAnother(t *testing.T) {
	t.Parallel()
	for n, finished := int64(1), false; !finished; n += 3 {
		left := &atomic.Int64{}
		left.Store(1 << 40)
		w := wt.New(t, func(c *workload.Config) { c.Store = fusedStore{c.Store, left} })
		for i := range 2 {
			w.MustPut(t, wt.Alice, item(report, fmt.Sprint(i)), wt.Content(i*4000))
		}
		left.Store(n)
		stopped := w.MustReencrypt(t, report)
		finished = stopped.State == operation.Done
		for _, cut := range []int64{4, 1 << 40} { // another one that is stopped as well, and one that is not
			left.Store(cut)
			w.MustReencrypt(t, report)
			left.Store(1 << 40)
			op, err := w.Runner.Start(t.Context(), stopped)
			if err != nil {
				t.Fatal(err)
			}
			if op = w.Finish(t, op); op.State != operation.Done {
				t.Fatalf("stopped after %d writes, then another after %d: %+v", n, cut, op)
			}
		}
		for i := range 2 {
			wantContent(t, w, wt.Alice, item(report, fmt.Sprint(i)), wt.Content(i*4000))
		}
		if n > 40 {
			t.Fatal("it never finishes")
		}
	}
}

// One damaged item is named and left with the keys it needs; everything else is under new ones.
func TestReencryptLeavesADamagedItem(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	for _, id := range []string{"a", "b", "c"} {
		w.MustPut(t, wt.Alice, item(report, id), wt.Content(100_000))
	}
	wt.FlipByte(t, w.BlobPath(t, wt.Contoso, item(report, "b")), 80_000)
	op := w.MustReencrypt(t, report)
	if op.State != operation.Failed || !strings.HasPrefix(op.Error, "1 items do not open") || op.Hint == "" {
		t.Errorf("%+v", op)
	}
	wantVersions(t, w, report, 1, 2)
	for id, want := range map[string]int{"a": 2, "b": 1, "c": 2} {
		if got := w.Row(t, wt.Contoso, item(report, id)).KeyVersion; got != want {
			t.Errorf("%s is under version %d, want %d", id, got, want)
		}
	}
	if err := w.Items.Delete(t.Context(), wt.Alice, item(report, "b")); err != nil {
		t.Fatal(err)
	}
	if op := w.MustReencrypt(t, report); op.State != operation.Done {
		t.Errorf("without it: %+v", op)
	}
	wantVersions(t, w, report, 3)
}

// A blob that does not read back as it was written never takes the place of the old one.
type lyingBlobs struct {
	workload.Blobs
	lying atomic.Bool
}

func (l *lyingBlobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := l.Blobs.Create(ctx, id)
	return lyingWriter{w, l}, err
}

type lyingWriter struct {
	workload.BlobWriter
	blobs *lyingBlobs
}

func (w lyingWriter) Write(p []byte) (int, error) {
	if w.blobs.lying.Load() && len(p) > 40 {
		p = bytes.Clone(p)
		p[len(p)-20] ^= 1
	}
	return w.BlobWriter.Write(p)
}

func TestReencryptReadsBack(t *testing.T) {
	t.Parallel()
	blobs := &lyingBlobs{}
	w := wt.New(t, func(c *workload.Config) { blobs.Blobs, c.Blobs = c.Blobs, blobs })
	w.MustPut(t, wt.Alice, report, wt.Content(200_000))
	before := w.Row(t, wt.Contoso, report)
	blobs.lying.Store(true)
	op := w.MustReencrypt(t, report)
	if op.State != operation.Failed || !strings.Contains(op.Error, "does not read back") {
		t.Errorf("on a disk that lies: %+v", op)
	}
	if now := w.Row(t, wt.Contoso, report); !cmp.Equal(before, now) {
		t.Errorf("the item changed:\n%s", cmp.Diff(before, now))
	}
	blobs.lying.Store(false)
	sweep(t, w)
	wantBlobs(t, w, 1)
	wantContent(t, w, wt.Alice, report, wt.Content(200_000))
}

// CK-284, CK-285, CK-286, CK-287, CK-290, CK-291: chats take new data only, so what was there
// stays under the policy of before; deep re-encryption of the new policy brings it over.
func TestReencryptPolicyBringsOldChatsOver(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.Policies.NewDataOnly = true
	chat := workload.Ref{Workload: "teams", Container: "general", Item: "old"}
	w.MustPut(t, wt.Alice, chat, []byte("hello"))
	first := w.Policies.InForceNow(t, wt.Contoso)
	w.Policies.NewPolicy(t, wt.Contoso)
	second := w.Policies.InForceNow(t, wt.Contoso)
	w.MustPut(t, wt.Alice, item(chat, "new"), []byte("again"))
	wantVersions(t, w, chat, 1, 2)
	wantPolicies(t, w, chat, first.Policy, second.Policy)
	op, err := w.Items.Reencrypt(t.Context(), wt.Admin, workload.Scope{Policy: &policy.Policy{Tenant: wt.Contoso, ID: second.Policy, Family: policy.MultiWorkload}})
	if err != nil {
		t.Fatal(err)
	}
	if op = w.Finish(t, op); op.State != operation.Done {
		t.Fatalf("%+v", op)
	}
	wantPolicies(t, w, chat, second.Policy)
	wantContent(t, w, wt.Alice, chat, []byte("hello"))
	wantContent(t, w, wt.Alice, item(chat, "new"), []byte("again"))
}

// wantPolicies checks under which policies the versions of a container's key are.
func wantPolicies(t *testing.T, w *wt.World, ref workload.Ref, want ...string) {
	t.Helper()
	rows := store.NewWorkload(w.DB)
	c, err := rows.Container(t.Context(), wt.Contoso, ref.Workload, ref.Container)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := rows.Versions(t.Context(), wt.Contoso, c.ID)
	var got []string
	for _, k := range keys {
		got = append(got, k.Policy)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("under %v, want %v, %v", got, want, err)
	}
}

// Who may start it: administrators of a family that covers the content, recorded before.
func TestReencryptDoor(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, letter, []byte("x"))
	w.MustPut(t, wt.Alice, report, []byte("x"))
	mailbox, folder := workload.Scope{Container: item(letter, "")}, workload.Scope{Container: item(report, "")}
	with := func(roles ...directory.Role) directory.Caller {
		c := wt.Admin
		c.Roles = roles
		return c
	}
	for _, tt := range []struct {
		name  string
		who   directory.Caller
		scope workload.Scope
		want  fault.Code
	}{
		{"Exchange administrator, mailbox", with(directory.ExchangeAdministrator), mailbox, ""},
		{"compliance administrator, folder", with(directory.ComplianceAdministrator), folder, ""},
		{"reader", with(directory.GlobalReader), mailbox, fault.Forbidden},
		{"its owner", wt.Alice, mailbox, fault.Forbidden},
		{"operator of the service", wt.Operator, mailbox, fault.Forbidden},
		{"the service itself", directory.SystemCaller(wt.Contoso, "test", "x"), mailbox, fault.Forbidden},
		{"another tenant's administrator", directory.Caller{Tenant: wt.Fabrikam, ID: "x", Kind: directory.User, Roles: wt.Admin.Roles}, folder, fault.NotFound},
		{"another tenant's policy", wt.Admin, workload.Scope{Policy: &policy.Policy{Tenant: wt.Fabrikam, ID: "p", Family: policy.MultiWorkload}}, fault.NotFound},
		{"a workload nobody knows", wt.Admin, workload.Scope{Container: workload.Ref{Workload: "fax", Container: "x"}}, fault.NotFound},
		{"no container", wt.Admin, workload.Scope{Container: workload.Ref{Workload: "documents", Container: "none"}}, fault.NotFound},
		{"nobody", directory.Caller{}, mailbox, fault.Unauthenticated},
	} {
		if _, err := w.Items.Reencrypt(t.Context(), tt.who, tt.scope); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	decisions := map[audit.Decision]int{}
	for _, e := range w.Entries(t, wt.Contoso, "content.reencrypt") {
		decisions[e.Decision]++
	}
	if decisions[audit.Allow] != 2 || decisions[audit.Deny] != 4 {
		t.Errorf("recorded %v", decisions)
	}
	w.Audit.SetFailing(true)
	_, err := w.Items.Reencrypt(t.Context(), wt.Admin, folder)
	wantCode(t, "without a record", err, fault.Unavailable)
}

// Held and resumed in the middle, it goes on where it was.
func TestReencryptIsHeld(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	for i := range 20 {
		w.MustPut(t, wt.Alice, item(report, fmt.Sprintf("%02d", i)), wt.Content(4000))
	}
	op, err := w.Items.Reencrypt(t.Context(), wt.Admin, workload.Scope{Container: item(report, "")})
	if err != nil {
		t.Fatal(err)
	}
	rows := store.NewOperation(w.DB)
	if _, err := rows.Limit(t.Context(), op.Tenant, op.ID, 2_000, time.Now()); err != nil { // two seconds an item: it is held long before it is done
		t.Fatal(err)
	}
	stop := w.Work(t)
	await := func(what string, ok func(operation.Operation) bool) operation.Operation {
		t.Helper()
		for range 60_000 {
			now, err := rows.Get(t.Context(), op.Tenant, op.ID)
			if err != nil {
				t.Fatal(err)
			}
			if ok(now) {
				return now
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("never %s", what)
		return op
	}
	await("in work", func(o operation.Operation) bool { return o.Done > 0 })
	if _, err := rows.Pause(t.Context(), op.Tenant, op.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.Runner.Wake()
	held := await("held", func(o operation.Operation) bool { return o.State == operation.Paused })
	if r, _ := workload.RenewalOf(held); r.Items >= 20 || held.Percent() <= 0 {
		t.Errorf("held at %+v, %v %%", r, held.Percent())
	}
	stop()
	if _, err := rows.Limit(t.Context(), op.Tenant, op.ID, 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Resume(t.Context(), op.Tenant, op.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := w.Finish(t, op); got.State != operation.Done {
		t.Errorf("%+v", got)
	}
	wantVersions(t, w, report, 2)
}

// A listing that began before and ends after the old keys are gone shows every item whole.
type listingStore struct {
	workload.Store
	between func()
}

func (l *listingStore) Items(ctx context.Context, tenant, container, after string, limit int) ([]workload.Row, error) {
	rows, err := l.Store.Items(ctx, tenant, container, after, limit)
	if fn := l.between; fn != nil {
		l.between = nil
		fn()
	}
	return rows, err
}

func (l *listingStore) Item(ctx context.Context, tenant, container, id string) (workload.Row, error) {
	row, err := l.Store.Item(ctx, tenant, container, id)
	if fn := l.between; fn != nil {
		l.between = nil
		fn()
	}
	return row, err
}

func TestReencryptBesideReaders(t *testing.T) {
	t.Parallel()
	listing := &listingStore{}
	w := wt.New(t, func(c *workload.Config) { listing.Store, c.Store = c.Store, listing })
	w.MustPut(t, wt.Alice, report, []byte("whole"))
	renew := func() {
		if op := w.MustReencrypt(t, report); op.State != operation.Done {
			t.Errorf("%+v", op)
		}
		sweep(t, w)
	}
	listing.between = renew
	if items, err := w.Items.List(t.Context(), wt.Alice, report.Workload, report.Container, "", 0); err != nil || len(items) != 1 || items[0].Damaged {
		t.Errorf("listing: %+v, %v", items, err)
	}
	listing.between = renew
	if head, err := w.Items.Head(t.Context(), wt.Alice, report); err != nil || head.Size != 5 {
		t.Errorf("head: %+v, %v", head, err)
	}
	listing.between = renew
	wantContent(t, w, wt.Alice, report, []byte("whole"))
	wantVersions(t, w, report, 4)
}
