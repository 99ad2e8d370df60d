package envelope

import (
	"fmt"

	"github.com/customerkey/customerkey/internal/fault"
)

// IsCorrupt reports whether err says that sealed bytes do not open: they were changed, cut
// off, extended or moved, or the key or the associated data is not theirs. Which of these
// it was, nobody can tell. Errors of a source or a destination are not of this kind.
func IsCorrupt(err error) bool { return fault.Is(err, fault.Corrupt) }

// errCorrupt is the one error for sealed bytes that do not open. It does not say which
// check failed: that would tell more to whoever made the bytes than to whoever reads it.
func errCorrupt() error {
	return fault.New(fault.Corrupt, "the sealed bytes do not open").
		WithHint("they were changed, cut off or moved, or sealed under another key; put back the copy from your backup")
}

// errTooLong is returned where a message would need more than maxSegments segments.
func errTooLong() error {
	return fault.New(fault.TooLarge, "the content is longer than one sealed message can hold")
}

// errSource tells a failing source of sealed bytes apart from bytes that do not open.
func errSource(err error) error { return fmt.Errorf("reading sealed bytes: %w", err) }
