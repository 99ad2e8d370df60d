package service

import (
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// The service carries out its rows, each of them, and no other.
func TestEveryRowIsServed(t *testing.T) {
	t.Parallel()
	for _, r := range table() {
		if r.Side != cmdlet.Service || r.serve == nil {
			t.Errorf("%s: side %s, has a function: %v", r.Name, r.Side, r.serve != nil)
		}
	}
}
