package face

import (
	"net/http"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// RetryAfter says in whole seconds when to try again: not before the fault's time, and one
// second where it has none (KV-97, KV-98).
func RetryAfter(h http.Header, f *fault.Error) {
	after := (f.Retry + time.Second - 1) / time.Second
	h.Set("Retry-After", strconv.FormatInt(max(1, int64(after)), 10))
}
