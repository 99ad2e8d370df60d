package api

import (
	"net/http"
	"strings"
)

const (
	mostWarnings   = 10  // in headers; all are in the body
	longestWarning = 300 // bytes of one in a header
)

// setWarnings repeats warnings in headers (row CK-338), one line each, for clients that look
// there. A header has no place for many, for long ones, or for letters beyond ASCII.
func setWarnings(h http.Header, warnings []string) {
	for _, text := range warnings[:min(len(warnings), mostWarnings)] {
		plain := strings.Map(func(r rune) rune {
			switch {
			case r < ' ' || r == 0x7f:
				return ' '
			case r > 0x7f:
				return '?'
			}
			return r
		}, text)
		h.Add("X-Warnings", plain[:min(len(plain), longestWarning)])
	}
}
