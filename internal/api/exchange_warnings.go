package api

import "strings"

const (
	mostWarnings   = 10  // in headers; all are in the body
	longestWarning = 300 // bytes of one in a header
)

// warnings returns what the command has warned of, also if it failed behind that, and repeats it
// in headers (row CK-338) for clients that look there: a line each. A header has no place for
// many, for long ones, or for letters beyond ASCII.
func (in *invocation) warnings() []string {
	for _, text := range in.warned[:min(len(in.warned), mostWarnings)] {
		plain := strings.Map(func(r rune) rune {
			switch {
			case r < ' ' || r == 0x7f:
				return ' '
			case r > 0x7f:
				return '?'
			}
			return r
		}, text)
		in.out.Add("X-Warnings", plain[:min(len(plain), longestWarning)])
	}
	if in.warned == nil {
		return []string{}
	}
	return in.warned
}
