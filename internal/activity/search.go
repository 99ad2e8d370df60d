package activity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
)

const (
	// readPage is how many entries are in memory at a time.
	readPage = 500
	// longestCommand bounds how long after its beginning the end of a command is looked for: the
	// limit of row CK-344, and what writing it down may take.
	longestCommand = 16 * time.Minute
	// clockSlack is how far back a clock may have been set without hiding records from a search
	// that says from when.
	clockSlack = 24 * time.Hour
)

// A Query says which records are wanted. Zero fields want all.
type Query struct {
	Below      int64     // records whose Index is less; 0: from the newest
	From, To   time.Time // From <= Time < To
	Operations []string  // any of these, in any case of letters
	Users      []string  // name or id of who gave the command is any of these, in any case
	Objects    []string  // id or target is any of these, in any case
}

// wants reports whether a record is one of those asked for.
func (q Query) wants(r Record) bool {
	among := func(list []string, any ...string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(want string) bool {
			return slices.ContainsFunc(any, func(have string) bool { return strings.EqualFold(want, have) })
		})
	}
	return (q.From.IsZero() || !r.Time.Before(q.From)) && (q.To.IsZero() || r.Time.Before(q.To)) &&
		among(q.Operations, r.Operation) && among(q.Users, r.Caller.Name, r.Caller.ID) && among(q.Objects, r.Object, r.Target)
}

// Search calls see for each record of the caller's organization that is wanted, the newest first
// by its place in the log. It stops at the first error of see, and returns it. It reads the log
// backwards, a page at a time, down to a day before q.From.
func (s *Service) Search(ctx context.Context, caller directory.Caller, q Query, see func(Record) error) error {
	if err := s.mayRead(ctx, caller); err != nil {
		return err
	}
	head, err := s.c.Log.Head(ctx, caller.Tenant)
	if err != nil {
		return err
	}
	b := backward{s: s, tenant: caller.Tenant, top: head.Size, ends: map[string]audit.Entry{}}
	if q.Below > 0 && q.Below < b.top {
		if err := b.startBelow(ctx, q.Below); err != nil {
			return err
		}
	}
	for b.top > 0 && !b.before(q.From) {
		found, err := b.page(ctx)
		if err != nil {
			return err
		}
		for _, stored := range slices.Backward(found) {
			if r, ok := b.record(stored); ok && q.wants(r) {
				if err := see(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// A backward goes through a log from its end to its beginning. So it meets the end of a command
// before its beginning, and remembers it until then: as many as there were commands under way.
type backward struct {
	s      *Service
	tenant string
	top    int64                  // the entries below are still to be read
	newest time.Time              // of the last page
	ends   map[string]audit.Entry // by the key of their command
}

// keyOf tells the commands of a log apart.
func keyOf(e audit.Entry) string { return e.Caller.Request + " " + e.Object }

// startBelow begins below an index, after looking above it for the ends of commands from below.
func (b *backward) startBelow(ctx context.Context, below int64) error {
	begun := map[string]bool{} // above, so that their ends are not wanted
	var since time.Time
	for after := below - 1; after < b.top; {
		page, err := b.s.c.Log.Find(ctx, b.tenant, after, readPage, runAction, endAction)
		if err != nil {
			return err
		}
		if page.Seen == 0 {
			break
		}
		for _, stored := range page.Found {
			e := stored.Entry
			switch key := keyOf(e); {
			case e.Action == runAction:
				begun[key] = true
			case e.Action == endAction && !begun[key]:
				b.ends[key] = e
			}
		}
		if since.IsZero() {
			since = page.Until
		} else if page.Until.After(since.Add(longestCommand)) {
			break
		}
		after = page.Last
	}
	b.top = below
	return nil
}

// page returns what the next page downwards has of commands, in the log's order.
func (b *backward) page(ctx context.Context) ([]audit.Stored, error) {
	from := max(0, b.top-readPage)
	page, err := b.s.c.Log.Find(ctx, b.tenant, from-1, int(b.top-from), runAction, endAction)
	if err != nil {
		return nil, err
	}
	b.top, b.newest = from, page.Until
	return page.Found, nil
}

// before reports whether all of the last page was written so long before t that what lies below
// was too.
func (b *backward) before(t time.Time) bool {
	return !t.IsZero() && !b.newest.IsZero() && b.newest.Before(t.Add(-clockSlack))
}

// record returns the record of a command at its beginning.
func (b *backward) record(stored audit.Stored) (Record, bool) {
	e := stored.Entry
	key := keyOf(e)
	switch e.Action {
	case endAction:
		b.ends[key] = e
	case runAction:
		var end *audit.Entry
		if found, ok := b.ends[key]; ok && e.Decision == audit.Allow {
			end = &found
		}
		delete(b.ends, key)
		return recordOf(stored, end), true
	}
	return Record{}, false
}
