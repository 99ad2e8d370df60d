package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
	"testing"
	"time"
)

var benchSizes = []int{256, 4 << 10, 64 << 10, 1 << 20, 64 << 20}

// BenchmarkSeal and BenchmarkOpen run each size beside raw AES-256-GCM with a kept key,
// random nonces and reused buffers. "of-raw" is the share of the raw speed that is left.
func BenchmarkSeal(b *testing.B) {
	k, aad := NewKey(), Bind("bench 1", "tenant", "item")
	raw := rawGCM(b)
	for _, n := range benchSizes {
		plain, dst := noise(n), make([]byte, 0, SealedSize(int64(n)))
		beside(b, n, func() error {
			_, err := Seal(dst, k, aad, plain)
			return err
		}, func() error {
			raw.Seal(dst, nil, plain, nil)
			return nil
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	k, aad := NewKey(), Bind("bench 1", "tenant", "item")
	raw := rawGCM(b)
	for _, n := range benchSizes {
		plain, dst := noise(n), make([]byte, 0, n)
		sealed, rawSealed := mustSeal(b, k, aad, plain, content), raw.Seal(nil, nil, plain, nil)
		beside(b, n, func() error {
			_, err := Open(dst, k, aad, sealed)
			return err
		}, func() error {
			_, err := raw.Open(dst, nil, rawSealed, nil)
			return err
		})
	}
}

// beside measures ours, and raw in turns between, so that a slow moment of the machine hits
// both.
func beside(b *testing.B, n int, ours, raw func() error) {
	b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
		b.SetBytes(int64(n))
		b.ReportAllocs()
		var rawTime time.Duration
		rawTurns, turn := 0, max(1, (1<<20)/n)
		for i := 0; i < b.N; i++ {
			if i%turn == 0 {
				b.StopTimer()
				start := time.Now()
				repeat(b, turn, raw)
				rawTime += time.Since(start)
				rawTurns += turn
				b.StartTimer()
			}
			repeat(b, 1, ours)
		}
		perRaw := float64(rawTime) / float64(rawTurns)
		b.ReportMetric(perRaw, "raw-ns/op")
		b.ReportMetric(perRaw/(float64(b.Elapsed())/float64(b.N)), "of-raw")
	})
}

func repeat(b *testing.B, turns int, do func() error) {
	for range turns {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
}

func rawGCM(b *testing.B) cipher.AEAD {
	key := make([]byte, KeySize)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

// BenchmarkSegment is what the length of a content segment was chosen by: throughput of
// one message of 4 MiB, and the time to open it and read one byte.
func BenchmarkSegment(b *testing.B) {
	k, plain := NewKey(), noise(4<<20)
	for _, segment := range []int{16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		p := params{segment: segment, rotation: rotation}
		dst := make([]byte, 0, sealedSize(int64(len(plain)), segment))
		b.Run(fmt.Sprintf("seal/%dKiB", segment>>10), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if _, err := seal(dst, k, nil, plain, p); err != nil {
					b.Fatal(err)
				}
			}
		})
		r := mustRandom(b, k, nil, mustSeal(b, k, nil, plain, p), rotation)
		one := make([]byte, 1)
		b.Run(fmt.Sprintf("byte/%dKiB", segment>>10), func(b *testing.B) {
			for b.Loop() {
				if _, err := r.ReadAt(one, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream seals and opens 16 MiB through the streams, as the service does it.
func BenchmarkStream(b *testing.B) {
	k, plain := NewKey(), noise(16<<20)
	sealed := mustSeal(b, k, nil, plain, content)
	b.Run("Writer", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		b.ReportAllocs()
		for b.Loop() {
			w, err := NewWriter(io.Discard, k, nil)
			if err == nil {
				_, err = io.Copy(w, struct{ io.Reader }{bytes.NewReader(plain)})
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Reader", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := NewReader(bytes.NewReader(sealed), k, nil)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkWrapKey(b *testing.B) {
	kek, key, aad := NewKey(), NewKey(), Bind("bench 1", "tenant", "item")
	wrapped, err := WrapKey(kek, key, aad)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Wrap", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := WrapKey(kek, key, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unwrap", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := UnwrapKey(kek, wrapped, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}
