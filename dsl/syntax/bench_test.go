package syntax

import (
	"bytes"
	"testing"
)

// BenchmarkParse reads about 100 KB of source.
func BenchmarkParse(b *testing.B) {
	var src bytes.Buffer
	for src.Len() < 100_000 {
		for _, s := range samples(b) {
			// Imports come first only once.
			src.Write(s[bytes.Index(s, []byte("/// Costs")):])
		}
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Parse("bench.nas", src.Bytes()); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
