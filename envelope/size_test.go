package envelope

import (
	"math"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"pgregory.net/rapid"
)

// Lengths around the boundaries of segments, for small segments and for real ones.
func TestSizes(t *testing.T) {
	t.Parallel()
	k, aad := NewKey(), Bind("test 1")
	for _, p := range []params{small, {segment: minSegment, rotation: 3}, content, {segment: maxSegment, rotation: rotation}} {
		payload := p.segment - segmentOverhead
		for _, n := range []int{0, 1, 2, payload - 1, payload, payload + 1, 2*payload - 1, 2 * payload, 2*payload + 1, 3 * payload} {
			plain := noise(max(0, n))
			sealed := mustSeal(t, k, aad, plain, p)
			if want := sealedSize(int64(len(plain)), p.segment); int64(len(sealed)) != want {
				t.Errorf("%d bytes in segments of %d: sealed %d, sealedSize says %d", n, p.segment, len(sealed), want)
			}
			wantOpens(t, k, aad, sealed, plain, p.rotation)
			if p == content && SealedSize(int64(len(plain))) != int64(len(sealed)) {
				t.Errorf("SealedSize(%d) = %d, want %d", n, SealedSize(int64(len(plain))), len(sealed))
			}
		}
	}
}

func TestPlainSizeIsInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.Int64Range(0, int64(content.segment-segmentOverhead)*maxSegments).Draw(t, "plain")
		if got, err := PlainSize(SealedSize(plain)); err != nil || got != plain {
			t.Fatalf("PlainSize(SealedSize(%d)) = %d, %v", plain, got, err)
		}
	})
}

func TestSizeLimits(t *testing.T) {
	t.Parallel()
	most := int64(content.segment-segmentOverhead) * maxSegments
	for plain, want := range map[int64]int64{
		0: 106, 1: 107, 65504: 74 + 65536, 65505: 74 + 65536 + 33,
		most: 74 + 65536*maxSegments, most + 1: -1, math.MaxInt64: -1, -1: -1, math.MinInt64: -1,
	} {
		if got := SealedSize(plain); got != want {
			t.Errorf("SealedSize(%d) = %d, want %d", plain, got, want)
		}
	}
	for _, sealed := range []int64{math.MinInt64, -1, 0, 73, 74, 105, 74 + 65536 + 1, 74 + 65536 + 31, 74 + 65536*maxSegments + 32, math.MaxInt64} {
		if got, err := PlainSize(sealed); !fault.Is(err, fault.Corrupt) {
			t.Errorf("PlainSize(%d) = %d, %v; want fault.Corrupt", sealed, got, err)
		}
	}
}

// The specification allows 2^40 segments, the last of them only as the final one.
func TestTooManySegments(t *testing.T) {
	t.Parallel()
	m, _, err := newMessage(NewKey(), nil, small)
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, m.payload())
	if _, err := m.sealSegment(nil, plain, maxSegments-1, false); !fault.Is(err, fault.TooLarge) {
		t.Errorf("an inner segment at the last position: error %v, want fault.TooLarge", err)
	}
	if _, err := m.sealSegment(nil, plain, maxSegments, true); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a segment behind the last position: error %v, want fault.TooLarge", err)
	}
	sealed, err := m.sealSegment(nil, plain, maxSegments-1, true)
	if err != nil {
		t.Errorf("the last segment: %v", err)
	}
	if _, err := m.openSegment(nil, sealed, maxSegments-1, true); err != nil {
		t.Errorf("opening the last segment: %v", err)
	}
}
