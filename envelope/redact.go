package envelope

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A hidden value is out of reach for whatever walks values: fmt and reflection stop at a
// function. A pointer would not do: fmt follows it for a verb it does not know for pointers,
// such as %s, and calls no method of ours on a Key in an unexported field.
type hidden[T any] func() *T

func hide[T any](v *T) hidden[T] { return func() *T { return v } }

const redacted = "envelope.Key(redacted)"

var errMarshal = errors.New("envelope: a key cannot be marshalled; wrap it under another key")

// String says nothing about the bytes.
func (k Key) String() string { return redacted }

// GoString says nothing about the bytes.
func (k Key) GoString() string { return redacted }

// Format says nothing about the bytes, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue says nothing about the bytes.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText always fails: a key leaves the program wrapped or not at all.
func (k Key) MarshalText() ([]byte, error) { return nil, errMarshal }

// MarshalJSON always fails, as MarshalText does.
func (k Key) MarshalJSON() ([]byte, error) { return nil, errMarshal }

// MarshalBinary always fails, as MarshalText does; gob asks for it.
func (k Key) MarshalBinary() ([]byte, error) { return nil, errMarshal }
