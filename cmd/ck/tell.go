package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// tell is fmt.Fprintf for texts that others have chosen, names first of all: nothing in them drives
// the terminal, turns what stands beside them, or makes up lines and columns of its own.
func tell(w io.Writer, format string, args ...any) {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = cmdlet.Printable(text)
		}
	}
	fmt.Fprintf(w, format, args...)
}

// tellJSON writes v as one line of JSON, which is as safe to look at.
func tellJSON(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(cmdlet.PrintableJSON(line), '\n'))
	return err
}
