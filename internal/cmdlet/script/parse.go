package script

import "github.com/customerkey/customerkey/internal/fault"

// maxScript bounds the text of a script in bytes.
const maxScript = 1 << 20

// Parse reads the text of a script. Errors are fault.Invalid with reason "ParserError"; their
// message begins with "line L, column C:".
func Parse(text string) (*Script, error) {
	if len(text) > maxScript {
		return nil, fault.New(fault.Invalid, "a script has at most %d bytes, this one %d", maxScript, len(text)).WithReason(ReasonParser)
	}
	return &Script{}, nil
}

// ReasonParser marks errors of reading a script.
const ReasonParser = "ParserError"
