package show

import (
	"bufio"
	"io"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A Printer shows objects as they come. Close shows what is left and returns the first
// error of writing.
type Printer interface {
	Print(cmdlet.Object) error
	Close() error
}

// NewPrinter returns a printer of the given format. width is the terminal's, in cells; 0
// means that nothing is to be cut. Memory is bounded whatever the number of objects.
func NewPrinter(w io.Writer, format cmdlet.Format, width int, views []cmdlet.View) Printer {
	out := output{bufio.NewWriter(w)}
	switch format {
	case cmdlet.JSONFormat:
		return &jsonPrinter{out: out}
	case cmdlet.TableFormat:
		return &tablePrinter{out: out, width: width, views: views}
	}
	return &listPrinter{out: out, views: views}
}

// output is buffered text. Its first error stays, and Flush returns it.
type output struct{ *bufio.Writer }

func (o output) put(texts ...string) {
	for _, text := range texts {
		_, _ = o.WriteString(text)
	}
}

// A jsonPrinter writes one array, an object a line.
type jsonPrinter struct {
	out  output
	some bool
}

func (p *jsonPrinter) Print(o cmdlet.Object) error {
	text, err := cmdlet.MarshalPlain(plain(o))
	if err != nil {
		return err
	}
	lead := "[\n"
	if p.some {
		lead = ",\n"
	}
	p.some = true
	p.out.put(lead, string(cmdlet.PrintableJSON(text)))
	return nil
}

func (p *jsonPrinter) Close() error {
	end := "[]\n"
	if p.some {
		end = "\n]\n"
	}
	p.out.put(end)
	return p.out.Flush()
}

// A listPrinter writes "Name : value" lines, an empty line between objects.
type listPrinter struct {
	out   output
	views []cmdlet.View
}

func (p *listPrinter) Print(o cmdlet.Object) error {
	if o.Type == cmdlet.TextType {
		p.out.put(strings.Join(paragraphs(plain(o)), "\n"), "\n")
		return p.out.Flush()
	}
	lines := cmdlet.ViewOf(p.views, o).List
	longest := 0
	for _, line := range lines {
		longest = max(longest, cells(cmdlet.Printable(line.Label)))
	}
	for _, line := range lines {
		label := fit(cmdlet.Printable(line.Label), longest, false)
		for i, text := range paragraphs(o.Get(line.Property)) {
			if i == 0 {
				p.out.put(strings.TrimRight(label+" : "+text, " ") + "\n")
			} else {
				p.out.put(strings.Repeat(" ", longest+3) + text + "\n")
			}
		}
	}
	p.out.put("\n")
	return p.out.Flush()
}

func (p *listPrinter) Close() error { return p.out.Flush() }

// plain returns the text of an object that is one, and any other object itself.
func plain(o cmdlet.Object) any {
	if o.Type == cmdlet.TextType {
		return o.Get("Value")
	}
	return o
}

// paragraphs returns the lines that a value takes in a list: one for each nested object
// and for each line of a text, at least one.
func paragraphs(value any) []string {
	switch v := value.(type) {
	case []cmdlet.Object:
		if len(v) > 0 {
			texts := make([]string, len(v))
			for i, o := range v {
				texts[i] = cmdlet.Show(o)
			}
			return texts
		}
	case string:
		lines := strings.Split(strings.ReplaceAll(v, "\r\n", "\n"), "\n")
		for i := range lines {
			lines[i] = cmdlet.Printable(lines[i])
		}
		return lines
	}
	return []string{cmdlet.Show(value)}
}
