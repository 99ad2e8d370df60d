package face

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	want := errors.New("refused")
	if err := Guard(func() error { return want }); err != want {
		t.Errorf("an error became %v", err)
	}
	if err := Guard(func() error { panic("boom") }); !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a panic became %v", err)
	}
	defer func() {
		if p := recover(); p != any(http.ErrAbortHandler) {
			t.Errorf("an abort became %v", p)
		}
	}()
	_ = Guard(func() error { panic(http.ErrAbortHandler) })
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	a := NewAnswer(httptest.NewRecorder())
	if _, err := a.Write([]byte("x")); err != nil || a.Status() != 200 {
		t.Errorf("a body alone: %d, %v", a.Status(), err)
	}
	a = NewAnswer(httptest.NewRecorder())
	a.WriteHeader(404)
	if a.Status() != 404 {
		t.Errorf("status = %d", a.Status())
	}
	if a.Left(); a.Status() != statusLeft || a.Text == "" {
		t.Errorf("a client that left: %d %q", a.Status(), a.Text)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", 10 * time.Second: "10"} {
		h := http.Header{}
		RetryAfter(h, fault.New(fault.Throttled, "wait").WithRetry(after))
		if got := h.Get("Retry-After"); got != want {
			t.Errorf("%v: %s, want %s", after, got, want)
		}
	}
}
