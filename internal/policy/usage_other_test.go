//go:build !unix

package policy_test

import "time"

func processorTime() time.Duration { return 0 }
