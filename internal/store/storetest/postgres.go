package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// server is the one PostgreSQL of the test binary; the first test that asks starts it.
var server postgres

type postgres struct {
	ready bool // Main was called, so someone will stop the server
	start sync.Once
	err   error // why it could not start
	dir   string
	admin *sql.DB
	stdin io.Closer
	proc  *exec.Cmd
	made  atomic.Int64 // databases
}

var errNoPostgres = errors.New("PostgreSQL is not installed (looked for initdb in /usr/lib/postgresql/*/bin and PATH)")

// database makes a copy of a database, for one test, and returns its address.
func (p *postgres) database(t testing.TB, template string) string {
	t.Helper()
	name := p.create(t, template)
	t.Cleanup(func() {
		if _, err := p.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dropping a database: %v", err)
		}
	})
	return p.dsn(name)
}

// create makes a copy of a database, on the server that it starts if need be, and returns its name.
func (p *postgres) create(t testing.TB, template string) string {
	t.Helper()
	if !p.ready {
		t.Fatal("storetest: write func TestMain(m *testing.M) { storetest.Main(m) }")
	}
	p.start.Do(func() { p.err = p.run() })
	if errors.Is(p.err, errNoPostgres) && os.Getenv("CK_REQUIRE_POSTGRES") != "1" {
		t.Skip(p.err)
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	name := fmt.Sprintf("test_%d", p.made.Add(1))
	if _, err := p.admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	return name
}

func (p *postgres) dsn(name string) string {
	return fmt.Sprintf("host=%s user=customerkey dbname=%s sslmode=disable", p.dir, name)
}

// run makes a data folder and starts the server on a Unix socket in it.
func (p *postgres) run() error {
	bin, err := findPostgres()
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp(shortTempDir(), "ck-pg-"); err != nil {
		return err
	}
	if err := giveAway(p.dir); err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "customerkey",
		"--locale=C", "--encoding=UTF8", "--auth=trust", "--no-sync", "--no-instructions")
	initdb.Dir = p.dir
	dropRoot(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := p.launch(bin, data); err != nil {
		return err
	}
	if p.admin, err = sql.Open("pgx", p.dsn("postgres")); err != nil {
		return err
	}
	return p.await()
}

// watched starts a program and stops it when standard input ends, which is also when the test
// binary dies in any way; then it removes the folder named first.
const watched = `dir=$1; shift; "$@" & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$dir"`

func (p *postgres) launch(bin, data string) error {
	p.proc = exec.Command("sh", "-c", watched, "sh", p.dir,
		filepath.Join(bin, "postgres"), "-D", data, "-k", p.dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	p.proc.Dir = p.dir
	dropRoot(p.proc)
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own copy
	p.proc.Stdout, p.proc.Stderr = log, log
	if p.stdin, err = p.proc.StdinPipe(); err != nil {
		return err
	}
	return p.proc.Start()
}

// await returns when the server answers.
func (p *postgres) await() error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = p.admin.Ping(); err == nil {
			return nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, log)
}

// stop ends the server and removes its folder. It does nothing if none was started.
func (p *postgres) stop() {
	if p.admin != nil {
		p.admin.Close()
	}
	if p.stdin != nil {
		p.stdin.Close()
		p.proc.Wait() //nolint:errcheck // it was told to quit
	}
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

// findPostgres returns the folder of the newest PostgreSQL's programs.
func findPostgres() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // sorted; the pattern is valid
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNoPostgres
	}
	return filepath.Dir(path), nil
}

// shortTempDir keeps the socket's path under the 107 bytes that the system allows.
func shortTempDir() string {
	if dir := os.TempDir(); len(dir) < 60 {
		return dir
	}
	return "/tmp"
}
