package store

import (
	"context"
	"errors"
	"sync"

	"github.com/customerkey/customerkey/internal/fault"
)

// errUndone ends a transaction of which nothing shall stay.
var errUndone = errors.New("undone on purpose")

// Undone returns a view of d on which writes leave no trace. Each transaction makes those anew
// that were made on the view before, sees what they have left, and is rolled back: whoever uses
// the view finds his own changes on top of the rows as they are, and nobody else finds anything.
// What a row refuses is refused here too, in the same words.
//
// A view is for one short piece of work, such as telling what a command would do: it keeps the
// functions that it was handed, and on SQLite what it reads behind a change holds up the others.
// It need not be closed.
func (d *DB) Undone() *DB {
	return &DB{engine: &undone{of: d}, changes: changes{shared: true}}
}

// undone is the engine of a view.
type undone struct {
	of *DB

	mu   sync.Mutex
	made []transaction
}

func (u *undone) read(ctx context.Context, fn transaction) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.made) == 0 {
		return u.of.Read(ctx, fn)
	}
	return u.try(ctx, fn)
}

func (u *undone) write(ctx context.Context, fn transaction) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	err := u.try(ctx, fn)
	if err == nil {
		u.made = append(u.made, fn)
	}
	return err
}

// try runs fn behind what was made before, and puts all back.
func (u *undone) try(ctx context.Context, fn transaction) error {
	var result error
	err := u.of.within(ctx, func(ctx context.Context, q DBTX) error {
		result = nil
		for _, earlier := range u.made {
			if err := earlier(ctx, q); err != nil {
				return fault.Wrap(fault.Conflict, err, "the rows were changed by somebody else meanwhile").WithHint("try again")
			}
		}
		if result = fn(ctx, q); result != nil {
			return result
		}
		return errUndone
	}, u.of.engine.write)
	if result == nil && errors.Is(err, errUndone) {
		return nil
	}
	return err
}

func (u *undone) close() error { return nil }
