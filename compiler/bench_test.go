package compiler

import (
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/encode"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

func benchSpace(b *testing.B, path string) *Space {
	b.Helper()
	m, diags := Load("../"+path, os.ReadFile)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	return s
}

var benchSpaces = []string{
	"spaces/nasbench201/nasbench201.nas", "spaces/darts/darts.nas", "spaces/quickstart/quickstart.nas",
	"spaces/transnasbench101/macro.nas", "spaces/ofa/ofa.nas", "spaces/autoformer/autoformer.nas",
}

// BenchmarkCompile reads, checks and compiles every space that is shipped.
func BenchmarkCompile(b *testing.B) {
	paths, err := filepath.Glob("../spaces/*/*.nas")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		path = strings.TrimPrefix(path, "../")
		b.Run(strings.TrimSuffix(filepath.Base(path), ".nas"), func(b *testing.B) {
			for b.Loop() {
				benchSpace(b, path)
			}
		})
	}
}

func BenchmarkSample(b *testing.B) {
	for _, path := range benchSpaces {
		b.Run(path, func(b *testing.B) {
			s := benchSpace(b, path)
			rng := stream.New(1, "bench", 0)
			b.ReportAllocs()
			for b.Loop() {
				s.Sample(rng)
			}
		})
	}
}

// BenchmarkSampleInto draws into one genotype, without garbage.
func BenchmarkSampleInto(b *testing.B) {
	for _, path := range benchSpaces {
		b.Run(path, func(b *testing.B) {
			s := benchSpace(b, path)
			rng := stream.New(1, "bench", 0)
			g := s.Sample(rng)
			b.ReportAllocs()
			for b.Loop() {
				s.SampleInto(g, rng)
			}
		})
	}
}

func BenchmarkMutate(b *testing.B) {
	for _, path := range benchSpaces {
		b.Run(path, func(b *testing.B) {
			s := benchSpace(b, path)
			rng := stream.New(1, "bench", 0)
			g := s.Sample(rng)
			b.ReportAllocs()
			for b.Loop() {
				g = s.Mutate(rng, g)
			}
		})
	}
}

func BenchmarkUnrankAndRank(b *testing.B) {
	for _, path := range benchSpaces {
		b.Run(path, func(b *testing.B) {
			s := benchSpace(b, path)
			r := new(big.Int).Rsh(s.Size(), 1)
			b.ReportAllocs()
			for b.Loop() {
				g, err := s.Unrank(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Rank(g); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBindAndHash(b *testing.B) {
	for _, path := range benchSpaces {
		b.Run(path, func(b *testing.B) {
			s := benchSpace(b, path)
			rng := stream.New(1, "bench", 0)
			gs := make([]space.Genotype, 256)
			for i := range gs {
				gs[i] = s.Sample(rng)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				g, err := s.Bind(gs[i%len(gs)])
				if err != nil {
					b.Fatal(err)
				}
				g.Hash()
				i++
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, path := range benchSpaces {
		for _, kind := range encode.Kinds {
			b.Run(path+"/"+string(kind), func(b *testing.B) {
				s := benchSpace(b, path)
				e, err := s.Encoding(kind)
				if errors.Is(err, encode.ErrTooManyPaths) {
					b.Skip(err)
				} else if err != nil {
					b.Fatal(err)
				}
				g := s.Sample(stream.New(1, "bench", 0))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Encode(g); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
