package store

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"

	"github.com/customerkey/customerkey/internal/fault"
)

// maxJoined bounds how many writes share one commit, and with it how long the first waits.
const maxJoined = 256

// A writer owns the one connection that writes to an SQLite file. Its goroutine gives waiting
// writes their turn, one after the other, each inside a savepoint of one transaction, and
// commits once for all of them: the flush to disk, which costs most, is shared.
//
// A function runs on the goroutine of its caller, so that a panic or a runtime.Goexit in it
// stays there and undoes its own savepoint only.
type writer struct {
	conn  *sql.Conn
	stmts *statements
	queue chan *turn    // closed by stop
	done  chan struct{} // closed when the goroutine has ended
}

// A turn is one waiting write. Exactly one of these happens: the caller leaves before start
// was received, or start and then ran are exchanged and result brings the outcome.
type turn struct {
	ctx    context.Context
	start  chan *session // writer to caller: run now, on this
	ran    chan error    // caller to writer: what the function returned; buffered
	result chan error    // writer to caller: what became of it; buffered

	failed error // what the function returned; kept for result until the commit
}

// startWriter takes the only connection of db and starts the goroutine; stop ends it.
func startWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		conn:  conn,
		stmts: newStatements(conn),
		queue: make(chan *turn),
		done:  make(chan struct{}),
	}
	go w.run()
	return w, nil
}

// stop ends the goroutine and frees the connection. No write may be waiting or come after.
func (w *writer) stop() {
	close(w.queue)
	<-w.done
}

// write waits for its turn, runs fn and returns when the shared commit is durable.
func (w *writer) write(ctx context.Context, fn transaction) error {
	t := &turn{ctx: ctx, start: make(chan *session), ran: make(chan error, 1), result: make(chan error, 1)}
	select {
	case w.queue <- t:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case s := <-t.start:
		t.call(s, fn)
		return <-t.result
	case err := <-t.result: // the transaction could not begin
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errUnfinished is the outcome of a function that left by panic or runtime.Goexit.
var errUnfinished = errors.New("the function did not return")

// call runs fn and hands its outcome to the writer, also on the way of a panic.
func (t *turn) call(s *session, fn transaction) {
	err := errUnfinished
	defer func() {
		s.over = true
		if err == nil {
			err = s.failed
		}
		t.ran <- err
	}()
	err = fn(t.ctx, s)
}

func (w *writer) run() {
	defer close(w.done)
	defer w.stmts.close()
	for t := range w.queue {
		w.transaction(t)
	}
}

// transaction runs first and whatever else is waiting, and answers each one, only when all is
// durable. That goes for refusals, too: one may come from a row that another function has
// written in the same transaction, and whoever is refused must find that row when it looks.
func (w *writer) transaction(first *turn) {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		first.result <- err
		return
	}
	var joined []*turn // ran, wait for the commit
	for t, served := first, 1; t != nil; t, served = w.next(served), served+1 {
		ok, err := w.serve(t)
		if err != nil {
			w.abandon(append(joined, t), err)
			return
		}
		if ok {
			joined = append(joined, t)
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		w.abandon(joined, err)
		return
	}
	for _, t := range joined {
		t.result <- t.failed
	}
}

// next returns a write that is waiting now, or nil if there is none or enough were served.
func (w *writer) next(served int) *turn {
	if served == maxJoined {
		return nil
	}
	select {
	case t := <-w.queue:
		return t
	default:
		return nil
	}
}

// serve gives t its turn inside a savepoint. ok means that it ran and must be answered after
// the commit; otherwise its caller has left. An error means that the transaction as a whole is
// lost.
func (w *writer) serve(t *turn) (ok bool, err error) {
	if err := w.exec("SAVEPOINT turn"); err != nil {
		return false, err
	}
	select {
	case t.start <- &session{statements: w.stmts}:
	case <-t.ctx.Done(): // the caller has left or is about to: nothing ran
		return false, w.exec("RELEASE turn")
	}
	t.failed = <-t.ran
	if t.failed == nil {
		return true, w.exec("RELEASE turn")
	}
	if err := errors.Join(w.exec("ROLLBACK TO turn"), w.exec("RELEASE turn")); err != nil {
		// SQLite has ended the transaction by itself, and only this error knows why.
		if cause, ok := errors.AsType[*sqlite.Error](t.failed); ok {
			err = cause
		}
		return false, err
	}
	return true, nil
}

// abandon rolls the whole transaction back and tells everyone in it why.
func (w *writer) abandon(turns []*turn, err error) {
	_ = w.exec("ROLLBACK") // fails where SQLite has rolled back already: no transaction is open either way
	err = explain(err)
	if !fault.Is(err, fault.Unavailable) {
		err = fault.Wrap(fault.Unavailable, err, "the change could not be saved").WithHint("nothing of it was kept; try again")
	}
	for _, t := range turns {
		t.result <- err
	}
}

// exec runs a statement of the writer's own.
func (w *writer) exec(query string) error {
	_, err := w.stmts.exec(context.Background(), query)
	return err
}
