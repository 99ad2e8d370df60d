package workload_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

var benchSizes = []int{4 << 10, 1 << 20}

func BenchmarkPut(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			w, content, n := wt.New(b, nil), wt.Content(size), 0
			b.SetBytes(int64(size))
			for b.Loop() {
				ref := report
				ref.Item = fmt.Sprint(n % 100)
				n++
				if _, _, err := w.Items.Put(b.Context(), wt.Alice, ref, workload.PutOptions{}, bytes.NewReader(content)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			w := wt.New(b, nil)
			w.MustPut(b, wt.Alice, report, wt.Content(size))
			b.SetBytes(int64(size))
			for b.Loop() {
				c, err := w.Items.Open(b.Context(), wt.Alice, report)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, c); n != int64(size) || err != nil {
					b.Fatal(n, err)
				}
				c.Close()
			}
		})
	}
}
