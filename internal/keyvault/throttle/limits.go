package throttle

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits are the numbers of KV-107. Each is how many operations of one kind a vault does in a
// window if it does nothing else.
//
//	{
//	  "seconds": 10,
//	  "subscription": 5,
//	  "rsa2048": {"create": 20, "createHsm": 10, "other": 4000, "otherHsm": 2000},
//	  "rsa3072": {"create": 20, "createHsm": 10, "other": 1000, "otherHsm": 500},
//	  "rsa4096": {"create": 20, "createHsm": 10, "other": 500, "otherHsm": 250}
//	}
type Limits struct {
	Seconds      int   `json:"seconds"`      // how long a window is: 1 to 3600
	Subscription int   `json:"subscription"` // a subscription's budget in budgets of a vault: 1 to 1000
	RSA2048      Sizes `json:"rsa2048"`      // also elliptic curves, and what is not about one key
	RSA3072      Sizes `json:"rsa3072"`
	RSA4096      Sizes `json:"rsa4096"`
}

// Sizes are the limits for keys of one size: 1 to 1,000,000 each.
type Sizes struct {
	Create    int `json:"create"`    // making a key or a version
	CreateHSM int `json:"createHsm"` // the same for a key of a -HSM type
	Other     int `json:"other"`     // everything else
	OtherHSM  int `json:"otherHsm"`
}

// Azure returns the published numbers (KV-107).
func Azure() Limits {
	return Limits{
		Seconds: 10, Subscription: 5,
		RSA2048: Sizes{20, 10, 4000, 2000},
		RSA3072: Sizes{20, 10, 1000, 500},
		RSA4096: Sizes{20, 10, 500, 250},
	}
}

const (
	longestWindow       = 3600
	largestSubscription = 1000
	largestLimit        = 1_000_000
	longestFile         = 64 << 10
)

// Read reads Limits from JSON; members that are left out are Azure's. A member that is unknown
// or out of bounds is fault.Invalid.
func Read(r io.Reader) (Limits, error) {
	l := Azure()
	text, err := io.ReadAll(io.LimitReader(r, longestFile+1))
	if err != nil {
		return l, fault.Wrap(fault.Unavailable, err, "the throttling limits cannot be read")
	}
	if len(text) > longestFile {
		return l, fault.New(fault.Invalid, "the throttling limits are longer than %d bytes", longestFile)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fault.Wrap(fault.Invalid, err, "the throttling limits are no JSON object of known members")
	}
	if d.More() {
		return l, fault.New(fault.Invalid, "the throttling limits are followed by something else")
	}
	return l, l.check()
}

func (l Limits) check() error {
	if l.Seconds < 1 || l.Seconds > longestWindow {
		return outOfBounds("seconds", longestWindow)
	}
	if l.Subscription < 1 || l.Subscription > largestSubscription {
		return outOfBounds("subscription", largestSubscription)
	}
	for _, s := range []Sizes{l.RSA2048, l.RSA3072, l.RSA4096} {
		for _, n := range []int{s.Create, s.CreateHSM, s.Other, s.OtherHSM} {
			if n < 1 || n > largestLimit {
				return outOfBounds("every number of operations", largestLimit)
			}
		}
	}
	return nil
}

func outOfBounds(what string, most int) error {
	return fault.New(fault.Invalid, "throttling limits: %s must be from 1 to %d", what, most)
}

// An Op is what a request costs by.
type Op struct {
	Create   bool // makes a key or a version
	Hardware bool // the key is of a -HSM type
	Bits     int  // of an RSA key; 0 for a curve, or where no key is known
}

// budget is what a vault has in a window. It is the square of the largest limit and more, so
// that shares, which are rounded down, add up to the limits exactly.
const budget int64 = 1 << 40

// share is what one operation takes of a budget.
func (l Limits) share(op Op) int64 { return budget / int64(l.most(op)) }

// most is how many such operations fit into a window.
func (l Limits) most(op Op) int {
	s := l.RSA2048
	switch {
	case op.Bits > 3072:
		s = l.RSA4096
	case op.Bits > 2048:
		s = l.RSA3072
	}
	switch {
	case op.Create && op.Hardware:
		return s.CreateHSM
	case op.Create:
		return s.Create
	case op.Hardware:
		return s.OtherHSM
	}
	return s.Other
}
