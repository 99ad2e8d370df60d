package eventlog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/customerkey/customerkey/internal/fault"
)

// A folder keeps the records of each vault and hour in a file of its own, below the tenant's
// own container. What follows the tenant is laid out as in Azure's storage account:
//
//	{tenant}/insights-logs-auditevent/resourceId=/SUBSCRIPTIONS/{id}/RESOURCEGROUPS/{group}/
//	  PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{vault}/y=2026/m=03/d=01/h=12/m=00/PT1H.json
//
// The hour is that of writing, in UTC. Files are opened for each batch and closed, so moving or
// removing one, also the present hour's, does no harm. Nothing is ever removed here.
type folder struct {
	root *os.Root
	lock *flock.Flock
	now  func() time.Time
}

const (
	container = "insights-logs-auditevent"
	fileName  = "PT1H.json"
)

// openFolder makes the folder if it is not there, takes it for this process alone, and mends
// the newest file of each vault, which a crash may have torn.
func openFolder(name string, now func() time.Time) (*folder, error) {
	cannot := func(err error) error {
		return fault.Wrap(fault.Unavailable, err, "the key vault log folder %s cannot be used", name).
			WithHint("give a folder that can be written, or leave the log out")
	}
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, cannot(err)
	}
	lock := flock.New(filepath.Join(name, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, cannot(err)
	}
	if !held {
		return nil, fault.New(fault.Conflict, "another server writes to the key vault log folder %s", name).
			WithHint("give this server a folder of its own")
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, cannot(errors.Join(err, lock.Close()))
	}
	f := &folder{root: root, lock: lock, now: now}
	if err := f.mend("."); err != nil {
		return nil, cannot(errors.Join(err, f.close()))
	}
	return f, nil
}

func (f *folder) close() error { return errors.Join(f.root.Close(), f.lock.Close()) }

// write appends a batch, and returns how many of its records could not be written.
func (f *folder) write(batch []Record) (lost int, err error) {
	var errs []error
	for v, records := range byVault(batch) {
		if err := f.append(v, records); err != nil {
			lost += len(records)
			errs = append(errs, err)
		}
	}
	return lost, errors.Join(errs...)
}

// byVault gives the records of each vault in their order.
func byVault(batch []Record) map[vault][]Record {
	of := map[vault][]Record{}
	for _, r := range batch {
		v := vault{r.Tenant, r.Resource}
		of[v] = append(of[v], r)
	}
	return of
}

func (f *folder) append(v vault, records []Record) error {
	texts := make([][]byte, len(records))
	for i, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		texts[i] = text
	}
	name := path.Join(v.folder(), f.now().UTC().Format("y=2006/m=01/d=02/h=15/m=00"), fileName)
	file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.root.MkdirAll(path.Dir(name), 0o700); err == nil {
			file, err = f.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		}
	}
	if err != nil {
		return err
	}
	return errors.Join(appendRecords(file, f.keepTorn(name), texts), file.Close())
}

// folder is where a vault's files are. Names of groups may be too long for a file system.
func (v vault) folder() string {
	parts := strings.Split(v.resource, "/")
	for i, part := range parts {
		if len(part) > 200 {
			sum := sha256.Sum256([]byte(part))
			parts[i] = hex.EncodeToString(sum[:])
		}
	}
	return path.Join(v.tenant, container, "resourceId=", strings.Join(parts, "/"))
}

// mend looks below a folder for the newest file of each vault and mends it.
func (f *folder) mend(dir string) error {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if err != nil {
		return err
	}
	newest := ""
	for _, e := range entries { // by name, so the last is the newest
		switch {
		case !e.IsDir():
		case isTime(e.Name()):
			newest = path.Join(dir, e.Name())
		default:
			if err := f.mend(path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if newest == "" {
		return nil
	}
	for range 4 { // m, d, h, m
		if newest, err = f.last(newest); newest == "" || err != nil {
			return err
		}
	}
	return f.mendFile(path.Join(newest, fileName))
}

// isTime reports whether a folder is one of "y=2006".
func isTime(name string) bool { return strings.HasPrefix(name, "y=") }

// last returns the last folder in dir, "" if there is none.
func (f *folder) last(dir string) (string, error) {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	name := ""
	for _, e := range entries {
		if e.IsDir() {
			name = path.Join(dir, e.Name())
		}
	}
	return name, err
}

func (f *folder) mendFile(name string) error {
	file, err := f.root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = mend(file, f.keepTorn(name))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("mending %s: %w", name, err)
	}
	return nil
}

// keepTorn returns what keeps the torn end of a file, beside it.
func (f *folder) keepTorn(name string) func(io.Reader) error {
	return func(torn io.Reader) error {
		file, err := f.root.OpenFile(name+".torn", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, torn)
		return errors.Join(err, file.Close())
	}
}
