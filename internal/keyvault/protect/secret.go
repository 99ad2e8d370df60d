package protect

// A Secret is a private member of a key on its way in. Whatever walks values (fmt, slog,
// encoding/json) stops at the function, so that nothing prints the bytes by accident. The
// zero Secret is a member that was not given.
type Secret struct{ reveal func() []byte }

// NewSecret takes b over: it is cleared by Destroy.
func NewSecret(b []byte) Secret { return Secret{func() []byte { return b }} }

// IsZero reports whether the member was not given.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Destroy clears the bytes.
func (s Secret) Destroy() { clear(s.bytes()) }

func (s Secret) bytes() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}
