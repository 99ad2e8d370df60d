package main

import (
	"os"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
)

// readThrottle turns the value of --throttle into what limits the vaults: nothing for "off",
// the published numbers for "azure", and otherwise those of a file (throttle.Limits).
func readThrottle(value string) (*throttle.Throttle, error) {
	switch value {
	case "off":
		return nil, nil
	case "azure":
		return throttle.New(throttle.Azure())
	}
	f, err := os.Open(value)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the throttling limits cannot be read").
			WithHint("give --throttle off, azure, or a JSON file such as {\"rsa2048\": {\"other\": 4000}}")
	}
	defer f.Close()
	limits, err := throttle.Read(f)
	if err != nil {
		return nil, err
	}
	return throttle.New(limits)
}
