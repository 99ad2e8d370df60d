package cmdlet

import "strings"

// An Answer is what somebody says who is asked whether a change may go ahead.
type Answer int

// The answers, as PowerShell offers them. Those for all hold for the rest of a command.
const (
	No Answer = iota
	NoToAll
	Yes
	YesToAll
)

// Choices is what a question offers.
const Choices = "[Y] Yes  [A] Yes to All  [N] No  [L] No to All (default is N): "

// Allows reports whether the change may go ahead.
func (a Answer) Allows() bool { return a == Yes || a == YesToAll }

// ForAll reports whether the answer holds for the questions that follow.
func (a Answer) ForAll() bool { return a == NoToAll || a == YesToAll }

// ParseAnswer reads what somebody has typed, in any case. Nothing is No; a word that is no
// answer is false, and is to be asked about again.
func ParseAnswer(text string) (Answer, bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "y", "yes":
		return Yes, true
	case "a", "yes to all":
		return YesToAll, true
	case "", "n", "no":
		return No, true
	case "l", "no to all":
		return NoToAll, true
	}
	return No, false
}
