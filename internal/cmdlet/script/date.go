package script

import (
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

func newDate(r *run, call *cmdlet.Call, next stage) (stage, error) {
	return maker{next, func() (any, error) { return r.date(call.Args) }}, nil
}

// date is what Get-Date yields: a time, or text with -Format. A text without an offset is of
// the session's zone, so that 12/31/9999 is that zone's midnight (row CK-210).
func (r *run) date(args cmdlet.Args) (any, error) {
	t := r.c.Now().In(r.c.Zone)
	switch given := args.Value("Date").(type) {
	case nil:
		if args.Has("Date") {
			return nil, runtimeError("-Date is $null")
		}
	case time.Time:
		t = given
	case string:
		parsed, ok := cmdlet.ParseTime(strings.TrimSpace(given), r.c.Zone)
		if !ok {
			return nil, runtimeError("%q is no time", given).WithHint("write it as 12/31/9999, 12/27/2016 12:01 AM, 2027-01-31 or 2027-01-31T08:00:00Z")
		}
		t = parsed
	default:
		return nil, runtimeError("-Date is a time, not %s", typeName(given))
	}
	if args.On("AsUTC") {
		t = t.UTC()
	}
	if !args.Has("Format") {
		return t, nil
	}
	return formatTime(t, args.Text("Format"))
}

// standard are the formats of one letter, as .NET's invariant culture has them. Those that
// end in Z are of the time in UTC.
func standard(letter string) (pattern string, utc bool) {
	switch letter {
	case "d":
		return "MM/dd/yyyy", false
	case "D":
		return "dddd, dd MMMM yyyy", false
	case "t":
		return "HH:mm", false
	case "T":
		return "HH:mm:ss", false
	case "f":
		return "dddd, dd MMMM yyyy HH:mm", false
	case "F":
		return "dddd, dd MMMM yyyy HH:mm:ss", false
	case "g":
		return "MM/dd/yyyy HH:mm", false
	case "G":
		return "MM/dd/yyyy HH:mm:ss", false
	case "s":
		return "yyyy-MM-ddTHH:mm:ss", false
	case "u":
		return "yyyy-MM-dd HH:mm:ssZ", true
	case "o", "O":
		return "yyyy-MM-ddTHH:mm:ss.fffffffK", false
	}
	return letter, false
}

// parts are the runs of letters that stand for a part of a time, and what Go calls that part.
func parts() map[string]string {
	return map[string]string{
		"yyyy": "2006", "yy": "06", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1", "dddd": "Monday", "ddd": "Mon", "dd": "02", "d": "2",
		"HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5", "tt": "PM", "zzz": "-07:00", "K": "Z07:00",
	}
}

// formatTime writes a time by a format string of .NET. Letters that stand for nothing are
// written as they are.
func formatTime(t time.Time, format string) (string, error) {
	const longest = 1000
	if len(format) > longest {
		return "", limit("a format has at most %d bytes", longest)
	}
	if len(format) == 1 {
		pattern, utc := standard(format)
		if format = pattern; utc {
			t = t.UTC()
		}
	}
	known := parts()
	var b strings.Builder
	for i := 0; i < len(format); {
		c := format[i]
		n := 1
		for i+n < len(format) && format[i+n] == c {
			n++
		}
		run := format[i : i+n]
		switch {
		case c == '\'' || c == '"':
			inner, _, closed := strings.Cut(format[i+1:], string(c))
			if !closed {
				return "", runtimeError("the format %q has a quotation without an end", format)
			}
			b.WriteString(inner)
			n = len(inner) + 2
		case c == '\\' && i+1 < len(format):
			b.WriteByte(format[i+1])
			n = 2
		case run == "H":
			b.WriteString(strings.TrimPrefix(t.Format("15"), "0"))
		case c == 'f' && n <= 9:
			b.WriteString(t.Format("." + strings.Repeat("0", n))[1:])
		case known[run] != "":
			b.WriteString(t.Format(known[run]))
		default:
			b.WriteString(run)
		}
		i += n
	}
	return b.String(), nil
}
