package eventlog

import (
	"testing"
)

// BenchmarkWrite is what a request pays for its record.
func BenchmarkWrite(b *testing.B) {
	l, err := Open(Config{Folder: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	r := record("contoso", "contoso-east", 200)
	b.ReportAllocs()
	for b.Loop() {
		l.Write(r)
	}
	b.StopTimer()
	if err := l.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, loss := range l.Lost() {
		b.ReportMetric(float64(loss.Records)/float64(b.N), "lost/op")
	}
}
