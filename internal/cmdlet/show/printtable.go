package show

import (
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

const (
	sampleRows   = 100 // rows looked at to choose the widths; later ones are cut to fit
	narrowest    = 8   // cells below which no column is squeezed while another could be left out
	betweenCells = 1
)

// A tablePrinter writes a header, dashes and a row for each object. It holds back the first
// rows to see how wide the columns have to be.
type tablePrinter struct {
	out   output
	width int
	views []cmdlet.View

	kind    string // type of the objects in the table at hand
	columns []tableColumn
	held    []cmdlet.Object
	open    bool // header written
}

type tableColumn struct {
	cmdlet.Column
	width int
	right bool
}

func (p *tablePrinter) Print(o cmdlet.Object) error {
	if o.Type != p.kind {
		p.begin()
		p.end()
		p.kind = o.Type
	}
	if p.open {
		p.row(o)
		return p.out.Flush()
	}
	if p.held = append(p.held, o); len(p.held) >= sampleRows {
		p.begin()
		return p.out.Flush()
	}
	return nil
}

func (p *tablePrinter) Close() error {
	p.begin()
	p.end()
	return p.out.Flush()
}

// begin chooses the columns and writes the header and the rows held back.
func (p *tablePrinter) begin() {
	if len(p.held) == 0 {
		return
	}
	p.columns = p.columns[:0]
	for _, c := range cmdlet.ViewOf(p.views, p.held[0]).Table {
		p.columns = append(p.columns, measure(c, p.held))
	}
	p.squeeze()
	p.out.put("\n")
	p.line(func(c tableColumn) string { return cmdlet.Printable(c.Label) })
	p.line(func(c tableColumn) string { return strings.Repeat("-", min(c.width, cells(cmdlet.Printable(c.Label)))) })
	for _, o := range p.held {
		p.row(o)
	}
	p.held, p.open = nil, true
}

func (p *tablePrinter) end() {
	if p.open {
		p.out.put("\n")
	}
	p.open = false
}

func (p *tablePrinter) row(o cmdlet.Object) {
	p.line(func(c tableColumn) string { return cmdlet.Show(o.Get(c.Property)) })
}

func (p *tablePrinter) line(text func(tableColumn) string) {
	var b strings.Builder
	for i, c := range p.columns {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", betweenCells))
		}
		if t := text(c); p.width == 0 && cells(t) > c.width {
			b.WriteString(t) // not a terminal: out of line is better than cut off
		} else {
			b.WriteString(fit(t, c.width, c.right))
		}
	}
	p.out.put(strings.TrimRight(b.String(), " ") + "\n")
}

// measure returns the column with the width and side that the rows ask for.
func measure(c cmdlet.Column, rows []cmdlet.Object) tableColumn {
	t := tableColumn{Column: c, width: max(1, cells(cmdlet.Printable(c.Label))), right: true} // never 0: a later row may have something to show
	numbers := 0
	for _, o := range rows {
		v := o.Get(c.Property)
		t.width = max(t.width, cells(cmdlet.Show(v)))
		if isNumber(v) {
			numbers++
		} else if v != nil {
			t.right = false
		}
	}
	t.right = t.right && numbers > 0
	return t
}

// squeeze makes the table fit the terminal: the widest columns give way first, and when all
// are narrow the last ones are left out.
func (p *tablePrinter) squeeze() {
	if p.width == 0 {
		return
	}
	for {
		over := p.total() - p.width
		if over <= 0 {
			return
		}
		widest := 0
		for i, c := range p.columns {
			if c.width > p.columns[widest].width {
				widest = i
			}
		}
		switch c := &p.columns[widest]; {
		case c.width > narrowest:
			c.width = max(narrowest, c.width-over, p.second(widest))
		case len(p.columns) > 1:
			p.columns = p.columns[:len(p.columns)-1]
		default:
			c.width = max(1, p.width)
			return
		}
	}
}

func (p *tablePrinter) total() int {
	sum := betweenCells * (len(p.columns) - 1)
	for _, c := range p.columns {
		sum += c.width
	}
	return sum
}

// second returns the width to which the widest column may go before another is the widest,
// always less than it is now.
func (p *tablePrinter) second(widest int) int {
	second := 0
	for i, c := range p.columns {
		if i != widest {
			second = max(second, c.width)
		}
	}
	return min(second, p.columns[widest].width-1)
}
