package policy_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// A copied is a copy of both databases of a world, as a backup has them.
type copied struct{ service, availability string } // folders

func (w *world) backUp() copied {
	w.t.Helper()
	synctest.Wait()
	return copied{copyDB(w.t, w.db), copyDB(w.t, w.spareDB)}
}

// copyDB copies the files of a database that nobody writes to.
func copyDB(t testing.TB, db *store.DB) (folder string) {
	t.Helper()
	var path string
	err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path)
	})
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for _, end := range []string{"", "-wal"} {
		raw, err := os.ReadFile(path + end)
		if os.IsNotExist(err) && end != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "copy.db"+end), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// restored is a world over copies of databases, which shares with this one what no restore
// reaches: vaults, sealing keys, the other copies of the ledger. It has started as a node does.
func (w *world) restored(from copied) *world {
	w.t.Helper()
	open := func(folder string, areas []store.Area) *store.DB {
		db, err := store.OpenSQLite(w.t.Context(), filepath.Join(folder, "copy.db"), areas...)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { _ = db.Close() })
		return db
	}
	r := &world{t: w.t, vaults: w.vaults, db: open(from.service, store.ServiceAreas()), spareDB: open(from.availability, store.AvailabilityAreas())}
	r.rows = store.NewPolicy(r.db)
	r.log = &recorder{Log: must(audit.New(audit.Config{Store: store.NewAudit(r.db), Key: w.logKeys[0], Name: "service"}))}
	r.spareLog = must(audit.New(audit.Config{Store: store.NewAudit(r.spareDB), Key: w.logKeys[1], Name: "availability"}))
	r.spare = availability.Config{Store: store.NewAvailability(r.spareDB), Seal: w.spare.Seal, Audit: r.spareLog}
	r.departing = departing{
		ledgerKey: w.ledgerKey, families: w.families, operator: w.operator,
		places: []purge.Place{store.NewPurgeLedger(r.spareDB), w.places[1], w.places[2]},
	}
	r.assemble(nil)
	if err := r.service.RepeatPurges(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	r.work()
	return r
}

// A mover is an organization whose files and chats were under one policy, then under another,
// which is left; files were encrypted anew meanwhile.
type mover struct {
	*leaver
	living, leaving policy.Policy
	before, between copied // under the first policy; under the second
}

func (w *world) mover() *mover {
	w.t.Helper()
	c := &mover{leaver: &leaver{tenant: w.tenant()}}
	c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
	if _, err := w.requests.AddOfficer(w.t.Context(), c.admin, string(policy.MultiWorkload), c.officer.ID); err != nil {
		w.t.Fatal(err)
	}
	draft := policy.Draft{Family: policy.MultiWorkload, Name: "Living", KeyURIs: c.spare[:], Enabled: true}
	c.living = must(w.service.Create(w.t.Context(), c.admin, draft))
	c.mustAssign("Living")
	c.mustSeal("teams", "chat")
	c.others, c.items = c.items, nil
	c.mustSeal("documents", "anew")
	w.work()
	c.before = w.backUp()
	c.leaving = c.mustCreate("Leaving")
	c.p = c.leaving
	c.mustAssign("Leaving")
	w.work()
	c.mustEncryptAnew("documents", "anew")
	c.mustSeal("documents", "anew", "late")
	c.mustSeal("teams", "chat")
	w.work()
	c.between = w.backUp()
	c.mine, c.items = c.items, nil
	return c
}

// mustEncryptAnew gives a container a new version of its key and destroys the others, as deep
// re-encryption does in the end.
func (c *tenant) mustEncryptAnew(workload, name string) {
	c.t.Helper()
	box := container(c.id, workload, name)
	o := must(c.world.keys.Renew(c.t.Context(), c.admin, box, must(c.service.InForce(c.t.Context(), box))))
	defer o.Close()
	if n, err := store.NewWorkload(c.db).DestroyVersions(c.t.Context(), c.id, box.ID, o.Version()); n == 0 || err != nil {
		c.t.Fatalf("%d versions destroyed, %v", n, err)
	}
}

func (c *mover) mustPurge() {
	c.t.Helper()
	c.shutOut()
	r, err := c.service.RequestPurge(c.t.Context(), c.admin, policy.MultiWorkload, "Leaving", leaving)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mustApprove(r)
	c.wait(purgeWait + time.Minute)
	c.work()
	if got := c.outcome(r); got.State != request.Done {
		c.t.Fatalf("%s: %s", got.State, got.Outcome)
	}
	c.letIn()
	c.wantReadable("after the purge", false)
}

// in looks at the organization in another world. What was sealed there stays there.
func (c *mover) in(w *world) *mover {
	inside := *c.tenant
	inside.world, inside.items = w, nil
	return &mover{leaver: &leaver{tenant: &inside, officer: c.officer, p: c.p, mine: c.mine, others: c.others}, living: c.living}
}

// wantAtRest fails unless people can write everywhere, and no work goes on for ever.
func (c *mover) wantAtRest(when string) {
	c.t.Helper()
	for _, at := range [][2]string{{"documents", "anew"}, {"documents", "late"}, {"teams", "chat"}, {"exchange", "alice"}} {
		if err := c.seal(at[0], at[1]); err != nil {
			c.t.Errorf("%s: writing in %s/%s: %v", when, at[0], at[1], err)
		}
	}
	if err := c.reopen(); err != nil {
		c.t.Errorf("%s: what was written since does not open: %v", when, err)
	}
	c.mustAssign("Living")
	c.work()
	if st := c.mustStatus("Living"); st.Percent != 100 || st.Operation.State != operation.Done {
		c.t.Errorf("%s: %v %% of the policy that lives, its work is %s: %s", when, st.Percent, st.Operation.State, st.Operation.Error)
	}
	if err := c.reopen(); err != nil {
		c.t.Errorf("%s: after the move: %v", when, err)
	}
}

var purgeTenants = func(c *policy.Config) { c.Purging.Families = []policy.Family{policy.Mailbox, policy.MultiWorkload} }

// olderOf returns the ways to put back databases of a backup: one, the other, both.
func (w *world) olderOf(backup copied) map[string]copied {
	w.t.Helper()
	fresh := func(folder string) string { // each is written to
		to := w.t.TempDir()
		if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
			w.t.Fatal(err)
		}
		return to
	}
	now := w.backUp()
	return map[string]copied{
		"an older service database":      {fresh(backup.service), fresh(now.availability)},
		"an older availability database": {fresh(now.service), fresh(backup.availability)},
		"both older":                     {fresh(backup.service), fresh(backup.availability)},
	}
}

// CK-257: content that was encrypted anew under the policy that is left lies in a backup of before
// under another one, which lives, by a version of its container's key that was destroyed long ago.
// It stays shut there too. Who writes is not kept from it.
func TestPurgedContentStaysShutUnderAnotherPolicy(t *testing.T) {
	inWorld(t, purgeTenants, func(t *testing.T, w *world) {
		c := w.mover()
		c.shutOut()
		plan, _, err := w.service.PlanPurge(t.Context(), c.admin, policy.MultiWorkload, "Leaving", false)
		if err != nil || plan.OlderKeys != 1 || plan.ContainerKeys != 3 || plan.Containers != 3 {
			t.Errorf("the dry run: %+v, %v", plan, err)
		}
		c.mustPurge()
		for when, from := range w.olderOf(c.before) {
			r := c.in(w.restored(from))
			r.wantReadable(when, false)
			r.wantAtRest(when)
			r.wantReadable(when+", later", false)
		}
	})
}

// A backup has content under the policy that was purged which had left it before: nothing opens
// it, and nothing else is in the way of whom it belongs to.
func TestAnOlderDatabaseIsOfUseAfterAPurge(t *testing.T) {
	inWorld(t, purgeTenants, func(t *testing.T, w *world) {
		c := w.mover()
		stays := c.mine[:len(c.mine)-1] // files: they follow, the chat does not
		c.mustAssign("Living")
		w.work()
		c.mine = c.mine[len(stays):]
		c.mustPurge()
		if err := c.opens(c.admin, stays[1:]); err != nil {
			t.Errorf("what had left before: %v", err)
		}
		for when, from := range w.olderOf(c.between) {
			r := c.in(w.restored(from))
			r.wantReadable(when, false)
			r.wantAtRest(when)
		}
	})
}

// CK-257: content that is encrypted anew in part only is not purged: a backup has what came over
// under a policy that lives, by a version of the key that is there still. Once it is finished it is.
func TestWhatIsEncryptedAnewInPartIsNotPurged(t *testing.T) {
	inWorld(t, purgeTenants, func(t *testing.T, w *world) {
		c := &leaver{tenant: w.tenant()}
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
		if _, err := w.requests.AddOfficer(t.Context(), c.admin, string(policy.MultiWorkload), c.officer.ID); err != nil {
			t.Fatal(err)
		}
		c.mustSeal("teams", "chat")
		c.p = c.mustCreate("Leaving")
		c.mustAssign("Leaving")
		w.work()
		box, rows := container(c.id, "teams", "chat"), store.NewWorkload(w.db)
		if err := rows.AddContainer(t.Context(), workload.Container{Tenant: c.id, Workload: "teams", Name: "chat", ID: box.ID, Created: w.now()}); err != nil {
			t.Fatal(err)
		}
		anew := must(w.keys.Renew(t.Context(), c.admin, box, must(w.service.InForce(t.Context(), box))))
		defer anew.Close()
		if err := rows.RaiseFloor(t.Context(), c.id, box.ID, anew.Version()); err != nil {
			t.Fatal(err)
		}
		c.shutOut()
		_, err := w.service.RequestPurge(t.Context(), c.admin, policy.MultiWorkload, "Leaving", leaving)
		wantFault(t, "in part", err, fault.Conflict, "NotSettled")
		if _, obstacle, err := w.service.PlanPurge(t.Context(), c.admin, policy.MultiWorkload, "Leaving", false); err != nil || fault.As(obstacle).Reason != "NotSettled" {
			t.Errorf("the dry run sees %v in its way, %v", obstacle, err)
		}
		if _, err := rows.DestroyVersions(t.Context(), c.id, box.ID, anew.Version()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.RequestPurge(t.Context(), c.admin, policy.MultiWorkload, "Leaving", leaving); err != nil {
			t.Errorf("finished: %v", err)
		}
	})
}
