package directory

import (
	"crypto/rand"
	"encoding/base64"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/fault"
)

// MinPassword and MaxPassword bound the length of a password, in characters and bytes.
const (
	MinPassword = 12
	MaxPassword = 256
)

// letters for what people read and type: no vowels, so no words, and nothing that looks
// like something else.
const (
	consonants = "BCDFGHJKLMNPQRSTVWXZ"
	mixed      = "BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz23456789"
)

// GeneratePassword returns a random password of four groups of five, about 110 bits.
func GeneratePassword() string {
	text := pick(mixed, 20)
	return text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:]
}

// checkPassword refuses passwords that are too short to resist guessing or too long to be one.
func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < MinPassword || len(password) > MaxPassword || !utf8.ValidString(password) {
		return fault.New(fault.Invalid, "a password has at least %d characters and at most %d bytes", MinPassword, MaxPassword).
			WithReason(WeakPassword).WithHint("several words with spaces between them are fine")
	}
	return nil
}

// pick returns n letters of alphabet, each equally likely.
func pick(alphabet string, n int) string {
	text := make([]byte, 0, n)
	limit := byte(256 / len(alphabet) * len(alphabet)) // beyond it the first letters would come too often
	for len(text) < n {
		var b [32]byte
		rand.Read(b[:])
		for _, v := range b {
			if v < limit && len(text) < n {
				text = append(text, alphabet[int(v)%len(alphabet)])
			}
		}
	}
	return string(text)
}

// randomText returns n random bytes in base64url.
func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
