package policy_test

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestMain keeps the state machine short unless somebody asks for more, with -rapid.checks
// or RAPID_CHECKS.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", strconv.Itoa(max(25/slow, 3))); err != nil {
			panic(err)
		}
	}
	storetest.Main(m)
}
