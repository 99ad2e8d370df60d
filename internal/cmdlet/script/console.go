package script

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// A console shows values: text and numbers as they are, objects in runs of one layout.
type console struct {
	*run
	out     io.Writer
	width   int
	printer show.Printer
	format  cmdlet.Format
	wrap    bool
}

// A laidOut value is an object that Format-List or Format-Table has laid out.
type laidOut struct {
	object *cmdlet.Object
	format cmdlet.Format
	wrap   bool // nothing is cut
}

func (c *console) take(ctx context.Context, v any) error {
	if err := c.spend(ctx, 1); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return c.each(ctx, v, c)
	case *cmdlet.Object:
		return c.object(v, c.layout(v), false)
	case laidOut:
		return c.object(v.object, v.format, v.wrap)
	}
	text, err := c.text(ctx, v)
	if err != nil {
		return err
	}
	return c.line(text)
}

func (c *console) end(context.Context) error { return c.close() }

// layout is how an object is shown that nobody has laid out: as its command does, else as its
// type does, else by PowerShell's rule, a table for at most four properties.
func (c *console) layout(o *cmdlet.Object) cmdlet.Format {
	const fewest = 4
	if o.Layout != "" {
		return o.Layout
	}
	for _, v := range c.views {
		if v.Type == o.Type && o.Type != "" {
			if v.Summary {
				return cmdlet.TableFormat
			}
			return cmdlet.ListFormat
		}
	}
	if len(o.Fields) <= fewest || o.Type == cmdlet.HashtableType {
		return cmdlet.TableFormat
	}
	return cmdlet.ListFormat
}

func (c *console) object(o *cmdlet.Object, format cmdlet.Format, wrap bool) error {
	if o.IsReport() && format != cmdlet.JSONFormat && o.Layout == format {
		return nil // the sentences of -WhatIf say the same
	}
	if c.printer != nil && (c.format != format || c.wrap != wrap) {
		if err := c.close(); err != nil {
			return err
		}
	}
	if c.printer == nil {
		width := c.width
		if wrap {
			width = 0
		}
		c.printer, c.format, c.wrap = show.NewPrinter(c.out, format, width, c.views), format, wrap
	}
	for _, o := range entries(o, format) {
		plain, err := cmdlet.Snapshot(o)
		if err != nil {
			return err
		}
		if err := c.printer.Print(plain); err != nil {
			return unwritten(err)
		}
	}
	return nil
}

// nothing shows that there are no objects, as JSON.
func (c *console) nothing() error {
	if err := c.close(); err != nil {
		return err
	}
	c.printer, c.format = show.NewPrinter(c.out, cmdlet.JSONFormat, 0, c.views), cmdlet.JSONFormat
	return nil
}

// entries is an object as printers see it: a hash table is a row for each of its names.
func entries(o *cmdlet.Object, format cmdlet.Format) []*cmdlet.Object {
	if o.Type != cmdlet.HashtableType || format == cmdlet.JSONFormat {
		return []*cmdlet.Object{o}
	}
	rows := make([]*cmdlet.Object, len(o.Fields))
	for i, f := range o.Fields {
		rows[i] = &cmdlet.Object{Type: "DictionaryEntry", Fields: []cmdlet.Field{{Name: "Name", Value: f.Name}, {Name: "Value", Value: f.Value}}}
	}
	return rows
}

// line writes text. On a terminal nothing in it can drive the terminal.
func (c *console) line(text string) error {
	if err := c.close(); err != nil {
		return err
	}
	if c.width > 0 {
		text = safe(text)
	}
	if _, err := io.WriteString(c.out, text+"\n"); err != nil {
		return unwritten(err)
	}
	return nil
}

// close ends what is being printed.
func (c *console) close() error {
	if c.printer == nil {
		return nil
	}
	err := c.printer.Close()
	c.printer = nil
	if err != nil {
		return unwritten(err)
	}
	return nil
}

// unwritten ends the script: whoever read the output is gone, or the disk is full.
func unwritten(err error) error {
	return fatal{fault.Wrap(fault.Internal, err, "the output cannot be written")}
}

// safe keeps line breaks and tabs of a text, and makes the rest printable. It takes no more
// room than the text, however many lines that has.
func safe(text string) string {
	var b strings.Builder
	for rest := strings.ReplaceAll(text, "\r\n", "\n"); rest != ""; {
		end := strings.IndexAny(rest, "\n\t")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(cmdlet.Printable(rest[:end]))
		if end < len(rest) {
			b.WriteByte(rest[end])
			end++
		}
		rest = rest[end:]
	}
	return b.String()
}

// say writes a line for the user that is no value.
func say(w io.Writer, what, text string) { fmt.Fprintf(w, "%s: %s\n", what, cmdlet.Printable(text)) }
