package encode_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/encode"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

const ops = `
op f(x: [c, h, w], out: int = c, kernel: int = 3) -> [out, h, w]
op g(x: [c, h, w]) -> [c, h, w]
op h(x: [c, h, w]) -> [c, h, w]
op skip(x: [c, h, w]) -> [c, h, w] { identity = true }
op zero(x: [c, h, w]) -> [c, h, w] { absent = true }
op join(xs: set) -> [sum(xs.c), xs.h, xs.w]
`

// compile compiles a space given as text.
func compile(t *testing.T, src string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load("test.nas", func(name string) ([]byte, error) {
		if name == "test.nas" {
			return []byte(ops + src), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	if len(diags) > 0 {
		t.Fatalf("%s\n%v", src, diags)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 {
		t.Fatalf("%s\n%v", src, diags)
	}
	return s
}

// TestAdjacencyTellsGraphsApart encodes all of small spaces that isolate a rule of
// the language each. Architectures of one vector are one graph.
func TestAdjacencyTellsGraphsApart(t *testing.T) {
	for _, c := range []struct{ name, src string }{
		{"choices in place", `space s(x: [4, 8, 8]) = x -> (f | g | skip) * 3`},
		{"a tied choice", `space s(x: [4, 8, 8]) { o = f | g | zero  return sum([x -> o -> (g | zero), x -> h -> o]) }`},
		{"an alternative of several operations", `
			block two = f -> g
			space s(x: [4, 8, 8]) = x -> (two | g | two -> h) * 2`},
		{"depths", `space s(x: [4, 8, 8]) = x -> (f | g) * (0..2) -> h -> (f | g) * (1..2)`},
		{"a tied depth", `space s(x: [4, 8, 8]) { d = 1..3  return x -> (f | g) * d -> h -> (f | g) * d }`},
		{"attributes", `space s(x: [4, 8, 8]) { k = 1 | 3  c = 4 | 8
			return x -> f(kernel: k, out: c) -> (f(kernel: k + 2) | f(out: 2 * c) | g) }`},
		{"a shape", `space s(x: [3, r, r], r = 8..10) = x -> (f | g)`},
		{"edges", `
			block e = zero | skip | g
			cell c(x) { node n[3] = sum(e(prev))  return n[2] }
			space s(x: [4, 8, 8]) = x -> c -> c`},
		{"picks", `
			cell c(a, b) { node n[2] = g(sum(any of prev))  return sum(any of prev) }
			space s(x: [4, 8, 8]) = x -> f -> h -> c`},
		{"picks that leave gaps", `
			cell c(a) { node n[2] = (f | g)(sum(any of prev))  return join(1.. of prev) }
			space s(x: [4, 8, 8]) = x -> c -> f(out: 4)`},
		{"operations on picks", `
			block e = skip | g | h
			cell c(a, b) { node n[2] = sum(e(2 of prev))  return join(n) }
			space s(x: [4, 8, 8]) = x -> f -> g -> c`},
		{"cells among the alternatives", `
			cell m[2](x) { node n[2] = sum((zero | g)(prev))  return n[1] }
			cell top(x) { block e = zero | 1 of m  node n[2] = sum(e(prev))  return n[1] }
			space s(x: [4, 8, 8]) = x -> top`},
		{"a cell for each use of a block", `
			block b(x) { cell c(y) = f | g | skip  return x -> c -> c }
			space s(x: [4, 8, 8]) = x -> b -> h -> b`},
		{"conditions", `space s(x: [4, 8, 8]) { k = 1..3  return if k > 2 then x -> (f | g) else x -> h }`},
		{"a grammar", `
			block m(fuel = 2) = f | g | m(fuel: fuel - 1) -> m(fuel: fuel - 1) if fuel > 0
			space s(x: [4, 8, 8]) = x -> m`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compile(t, c.src)
			e, err := s.Encoding(encode.AdjacencyKind)
			if err != nil {
				t.Fatal(err)
			}
			met := map[string]graph.Digest{}
			graphs := map[graph.Digest]bool{}
			for g := range s.All() {
				bound, err := s.Bind(g)
				if err != nil {
					t.Fatal(err)
				}
				v, err := e.Encode(g)
				if err != nil {
					t.Fatal(err)
				}
				key, hash := fmt.Sprint(v), bound.Hash()
				if other, known := met[key]; known && other != hash {
					t.Fatalf("%s has the vector of another graph:\n%v\n%v", s.Format(g), e.Columns(), v)
				}
				met[key], graphs[hash] = hash, true
			}
			if len(graphs) < 2 || len(met) < len(graphs) {
				t.Errorf("%d graphs have %d vectors", len(graphs), len(met))
			}
		})
	}
}

// TestColumns reads the columns of a small space.
func TestColumns(t *testing.T) {
	s := compile(t, `
		block e = zero | skip | f(kernel: 1 | 5)
		cell c(a) { node v = e(a)  return sum(any of [a, v]) }
		space s(x: [4, 8, 8]) = x -> c -> g * (1..2)`)
	for kind, want := range map[encode.Kind][]string{
		encode.OneHotKind: {
			"c.v.e = zero", "c.v.e = skip", "c.v.e = f(kernel: 1 | 5)", "c.v.e.kernel = 1", "c.v.e.kernel = 5",
			"c.pick = a", "c.pick = v", "depth = 1", "depth = 2",
		},
		encode.AdjacencyKind: {
			"c.v = skip", "c.v.f.kernel = 1", "c.v.f.kernel = 5", "c.sum <- c.a", "c.sum <- c.v", "g[1] = g", "s <- g[0]",
		},
		encode.PathKind: {
			"c: a", "c: a -> f(kernel: 1)", "c: a -> f(kernel: 5)", "s: x", "s: x -> g",
		},
	} {
		e, err := s.Encoding(kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Columns(); !slices.Equal(got, want) {
			t.Errorf("%s has the columns %q, want %q", kind, got, want)
		}
	}
	if _, err := s.Encoding("none"); err == nil {
		t.Error("there is an encoding none")
	}
}

// TestOrdinal: neighbouring values of a range are closer than others.
func TestOrdinal(t *testing.T) {
	s := compile(t, `space s(x: [4, 8, 8]) = x -> (f | g) * (1..3)`)
	e, err := s.Encoding(encode.OrdinalKind)
	if err != nil {
		t.Fatal(err)
	}
	var g space.Genotype
	for g = range s.All() {
		if slices.Contains(s.Labels(g), space.Labelled{Address: "depth", Label: "2"}) {
			break
		}
	}
	v, err := e.Encode(g)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for i, name := range e.Columns() {
		got[name] = v[i]
	}
	if got["depth = 1"] != 1 || got["depth = 2"] != 1 || got["depth = 3"] != 0 {
		t.Errorf("depth 2 is %v", got)
	}
	if _, err := e.Encode(g[1:]); err == nil {
		t.Error("a genotype of another space is encoded")
	}
}

// TestTooManyPaths: they are listed instead.
func TestTooManyPaths(t *testing.T) {
	s := compile(t, `space s(x: [4, 8, 8]) = x -> (f | g) * 20`)
	if _, err := s.Encoding(encode.PathKind); !errors.Is(err, encode.ErrTooManyPaths) {
		t.Errorf("2^20 paths: %v", err)
	}
	g, err := s.Parse("0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := s.Bind(g)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := encode.PathsOf(bound)
	if err != nil || len(paths) != 1 || len(paths[0].Paths) != 1 {
		t.Errorf("the paths of one architecture: %v, %v", paths, err)
	}
}
