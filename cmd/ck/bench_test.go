package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/importer"
)

// BenchmarkImport brings content in as ck import does: over TLS, into a server in a process of
// its own, durable when acknowledged. An operation is one message or file.
func BenchmarkImport(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("mail/%dKiB", size>>10), func(b *testing.B) {
			benchmarkImport(b, size, "exchange", "bob@contoso.example", false)
		})
		b.Run(fmt.Sprintf("files/%dKiB", size>>10), func(b *testing.B) {
			benchmarkImport(b, size, "documents", "bench", true)
		})
	}
}

func benchmarkImport(b *testing.B, size int, workload, container string, named bool) {
	w := newWorld(b)
	content := make([]byte, size)
	fill(content)
	b.SetBytes(int64(size))
	tally := &importer.Tally{}
	start := time.Now()
	b.ResetTimer()
	err := importer.Import(b.Context(), importer.Target{Client: w.items, Workload: workload, Container: container}, copies(content, b.N, named), importer.Options{Tally: tally})
	b.StopTimer()
	if err != nil || tally.Done.Load() != int64(b.N) {
		b.Fatalf("%d of %d were imported: %v", tally.Done.Load(), b.N, err)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "items/s")
	b.ReportMetric(rawSeal(content), "rawAES-MB/s")
}

// copies gives n things of the same length and different content.
func copies(content []byte, n int, named bool) iter.Seq[importer.Thing] {
	return func(yield func(importer.Thing) bool) {
		for i := range n {
			head := []byte(fmt.Sprintf("Subject: %d %d\n\n", i, rand.Int64()))
			thing := importer.Thing{From: fmt.Sprint(i), Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(content[len(head):]))), nil
			}}
			if named {
				thing.ID = fmt.Sprintf("%03d/%d", i%1000, i)
			}
			if !yield(thing) {
				return
			}
		}
	}
}

// rawSeal measures bare AES-256-GCM on the same content in the same run, in MB/s: the limit to
// stand beside.
func rawSeal(content []byte) float64 {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	out := make([]byte, 0, len(content)+aead.Overhead())
	start, n := time.Now(), 0
	for ; time.Since(start) < 100*time.Millisecond; n++ {
		aead.Seal(out, nil, content, nil)
	}
	return float64(n) * float64(len(content)) / time.Since(start).Seconds() / 1e6
}
