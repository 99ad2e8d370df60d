package seal

import "context"

// A Row is a stored thing that is sealed.
type Row struct {
	Place  string   // where it is: sorts, and is never ""
	Parts  []string // what its binding is made of
	Sealed []byte
}

// A Swap puts New into a place that still holds Old.
type Swap struct {
	Place    string
	Old, New []byte
}

// Rows is a table, or a folder, of things that are sealed under one seal.
type Rows interface {
	Count(ctx context.Context) (int64, error)
	// List returns things by Place, those after one, at most limit.
	List(ctx context.Context, after string, limit int) ([]Row, error)
	// Swap makes the swaps at once. One whose place is empty or holds something else by now is left
	// out, without an error.
	Swap(ctx context.Context, swaps []Swap) error
}

// A Shelf is Rows with the knowledge of what each of them is bound to.
type Shelf struct {
	Name string // "private keys", for people
	rows Rows
	bind func(parts []string) []byte
}

// NewShelf returns a Shelf. bind returns the binding that a row was sealed with.
func NewShelf(name string, rows Rows, bind func(parts []string) []byte) Shelf {
	return Shelf{Name: name, rows: rows, bind: bind}
}

// batch is how many things are re-sealed in one transaction.
const batch = 100

// A pass is what one walk along a shelf came to.
type pass struct {
	moved int
	stuck map[ID]int // things that do not open, by the key they name; "" for none
	cause error      // why the first of them does not
	place string     // where that one is
}

// walk re-seals everything on the shelf that is not under the current key of s. It calls seen
// with the number of things that it has dealt with.
func (h Shelf) walk(ctx context.Context, s *Seal, seen func(n int)) (p pass, err error) {
	p.stuck = map[ID]int{}
	for after := ""; ; {
		rows, err := h.rows.List(ctx, after, batch)
		if err != nil || len(rows) == 0 {
			return p, err
		}
		var swaps []Swap
		for _, row := range rows {
			if s.Fresh(row.Sealed) {
				continue
			}
			fresh, err := s.Reseal(h.bind(row.Parts), row.Sealed)
			if err != nil {
				id, _ := Under(row.Sealed)
				p.stuck[id]++
				if p.cause == nil {
					p.cause, p.place = err, row.Place
				}
				continue
			}
			swaps = append(swaps, Swap{Place: row.Place, Old: row.Sealed, New: fresh})
		}
		if len(swaps) > 0 {
			if err := h.rows.Swap(ctx, swaps); err != nil {
				return p, err
			}
		}
		p.moved += len(swaps)
		seen(len(rows))
		after = rows[len(rows)-1].Place
	}
}
