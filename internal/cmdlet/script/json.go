package script

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

const (
	usualDepth = 16
	mostDepth  = 32
)

// jsonWriter is ConvertTo-Json.
type jsonWriter struct {
	collector
	call   *cmdlet.Call
	next   stage
	depth  int
	indent string // "" without line breaks
	array  bool
	cut    bool // something lay too deep
	b      strings.Builder
}

func newJSON(r *run, call *cmdlet.Call, next stage) (stage, error) {
	j := &jsonWriter{collector: collector{run: r}, call: call, next: next, depth: usualDepth, indent: "  ", array: call.Args.On("AsArray")}
	if call.Args.Has("Depth") {
		j.depth = int(call.Args.Int("Depth"))
	}
	if j.depth < 1 || j.depth > mostDepth {
		return nil, runtimeError("-Depth is a number from 1 to %d", mostDepth)
	}
	if call.Args.On("Compress") {
		j.indent = ""
	}
	return j, nil
}

func (j *jsonWriter) end(ctx context.Context) error {
	var v any = j.list
	switch {
	case len(j.list) == 0 && !j.array:
		return nil
	case len(j.list) == 1 && !j.array:
		v = j.list[0]
	case len(j.list) == 0:
		v = []any{}
	}
	if err := j.write(ctx, v, 0); err != nil {
		return err
	}
	if j.cut {
		j.call.Warn("what lies deeper than -Depth %d is written as text", j.depth)
	}
	return j.next.take(ctx, j.b.String())
}

func (j *jsonWriter) write(ctx context.Context, v any, depth int) error {
	if err := j.spend(ctx, 1); err != nil {
		return err
	}
	switch t := v.(type) {
	case []any:
		if depth <= j.depth {
			return j.writeAll(ctx, '[', ']', len(t), depth, func(i int) error { return j.write(ctx, t[i], depth+1) })
		}
	case *cmdlet.Object:
		if depth <= j.depth {
			return j.writeAll(ctx, '{', '}', len(t.Fields), depth, func(i int) error {
				if err := j.scalar(ctx, t.Fields[i].Name); err != nil {
					return err
				}
				j.b.WriteString(map[bool]string{true: ":", false: ": "}[j.indent == ""])
				return j.write(ctx, t.Fields[i].Value, depth+1)
			})
		}
	case time.Time:
		return j.scalar(ctx, t.UTC().Format(time.RFC3339Nano))
	case nil, string, bool, int64, float64, cmdlet.GUID:
		return j.scalar(ctx, v)
	}
	text, err := j.text(ctx, v)
	if err != nil {
		return err
	}
	j.cut = true
	return j.scalar(ctx, text)
}

// writeAll writes what stands between two brackets.
func (j *jsonWriter) writeAll(ctx context.Context, open, closing byte, n, depth int, write func(int) error) error {
	j.b.WriteByte(open)
	for i := range n {
		if i > 0 {
			j.b.WriteByte(',')
		}
		j.newline(depth + 1)
		if j.b.Len() > mostText { // lists in lists, all empty, have no values that are counted
			return limit("a text has at most %d bytes", mostText)
		}
		if err := write(i); err != nil {
			return err
		}
	}
	if n > 0 {
		j.newline(depth)
	}
	j.b.WriteByte(closing)
	return nil
}

func (j *jsonWriter) newline(depth int) {
	if j.indent != "" {
		j.b.WriteByte('\n')
		j.b.WriteString(strings.Repeat(j.indent, depth))
	}
}

func (j *jsonWriter) scalar(ctx context.Context, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return runtimeError("%s cannot be written as JSON", typeName(v))
	}
	text := bytes.TrimRight(b.Bytes(), "\n")
	if j.b.Len()+len(text) > mostText {
		return limit("a text has at most %d bytes", mostText)
	}
	j.b.Write(text)
	return j.spend(ctx, len(text)/textStep)
}
