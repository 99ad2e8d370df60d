package script

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// csvWriter is ConvertTo-Csv: a line of names, made from the first object, and a line for each.
type csvWriter struct {
	*run
	ending
	next      stage
	delimiter string
	names     []string // nil before the first object
}

func newCSV(r *run, call *cmdlet.Call, next stage) (stage, error) {
	w := &csvWriter{run: r, next: next, delimiter: ","}
	if call.Args.Has("Delimiter") {
		w.delimiter = call.Args.Text("Delimiter")
	}
	if utf8.RuneCountInString(w.delimiter) != 1 || strings.ContainsAny(w.delimiter, "\"\r\n") {
		return nil, runtimeError("-Delimiter is one character, and no quote or line break")
	}
	return w, nil
}

func (w *csvWriter) take(ctx context.Context, v any) error {
	o, ok := v.(*cmdlet.Object)
	if !ok {
		return runtimeError("only objects can be written as CSV, not %s", typeName(v)).WithHint("make one of it: ForEach-Object { ... } | Select-Object")
	}
	if w.names == nil {
		cells := make([]string, len(o.Fields))
		w.names = make([]string, len(o.Fields))
		for i, f := range o.Fields {
			w.names[i], cells[i] = f.Name, inQuotes(f.Name)
		}
		if err := w.next.take(ctx, strings.Join(cells, w.delimiter)); err != nil {
			return err
		}
	}
	cells := make([]string, len(w.names))
	for i, name := range w.names {
		cell, err := w.cell(ctx, o.Get(name))
		if err != nil {
			return err
		}
		cells[i] = cell
	}
	line := strings.Join(cells, w.delimiter)
	if line == "" {
		line = inQuotes("") // readers pass over an empty line
	}
	return w.next.take(ctx, line)
}

// cell is a value in quotes; nothing at all for $null.
func (w *csvWriter) cell(ctx context.Context, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case time.Time:
		return inQuotes(v.UTC().Format(time.RFC3339)), nil
	}
	text, err := w.text(ctx, v)
	return inQuotes(text), err
}

func inQuotes(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// csvFile is Export-Csv.
type csvFile struct {
	stage
	file *outFile
}

func newCSVFile(r *run, call *cmdlet.Call, _ stage) (stage, error) {
	file := newFile(r, call)
	inner, err := newCSV(r, call, file)
	return &csvFile{inner, file}, err
}

func (c *csvFile) end(ctx context.Context) error { return c.file.end(ctx) }
func (c *csvFile) release()                      { c.file.release() }
