package compiler

import (
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// ops are small operations for spaces written in tests.
const ops = `
op f(x: [c, h, w], out: int = c, kernel: int = 3, expand: int = 1, stride: int = 1, se = false, act = "relu")
    -> [out, ceil(h / stride), ceil(w / stride)] { params = out * c * kernel ^ 2 }
op g(x: [c, h, w]) -> [c, h, w]
op h(x: [c, h, w]) -> [c, h, w]
op zero(x: [c, h, w]) -> [c, h, w] { absent = true }
op merge(xs: set, out: int = 0) -> [if out > 0 then out else xs.c, xs.h, xs.w]
`

// compile compiles a space given as text.
func compile(t *testing.T, src string) *Space {
	t.Helper()
	m, diags := Load("test.nas", func(name string) ([]byte, error) {
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

func pow(a, b int64) *big.Int { return new(big.Int).Exp(big.NewInt(a), big.NewInt(b), nil) }

func mul(xs ...*big.Int) string {
	out := big.NewInt(1)
	for _, x := range xs {
		out.Mul(out, x)
	}
	return out.String()
}

// TestSizes computes sizes that are known: of published spaces, and of small ones
// that isolate one rule each.
func TestSizes(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a choice in place is decided at each repetition", `
			space s(x: [4, 8, 8]) = x -> (f | g) * 3`, "8"},
		{"a named choice is decided once", `
			space s(x: [4, 8, 8]) { o = f | g  return x -> o -> o -> o }`, "2"},
		{"a block is decided at each use, a cell once", `
			block b = f | g
			cell c(x) { return x -> b -> b }
			space s(x: [4, 8, 8]) = x -> b -> c -> c`, "8"},
		{"a cell in a block is decided once per use of the block", `
			block b(x) { cell c(y) = f | g   return x -> c -> c }
			space s(x: [4, 8, 8]) = x -> b -> b`, "4"},
		{"a cell without tensors is an operation decided once", `
			cell c = f | g
			space s(x: [4, 8, 8]) = x -> c -> c -> c`, "2"},
		{"elastic depth sums over depths", `
			space s(x: [4, 8, 8]) = x -> (f | g) * (1..3)`, "14"},
		{"depth 0 is the identity", `
			space s(x: [4, 8, 8]) = x -> (f | g) * (0..2)`, "7"},
		{"a named depth ties two stages", `
			space s(x: [4, 8, 8]) { d = 1..3  return x -> (f | g) * d -> h -> (f | g) * d }`, "84"},
		{"a guard may depend on a decision", `
			space s(x: [4, 8, 8]) { k = 1 | 2  return x -> (f if k > 1 | g | h if k > 1) }`, "4"},
		{"what a condition decides exists only where it holds", `
			space s(x: [4, 8, 8]) { k = 1..3  return if k > 2 then x -> (f | g) else x -> h }`, "4"},
		{"an index may be a decision", `
			space s(x: [4, 8, 8]) { i = 0..2  return x -> f(out: [8, 16, 24][i]) }`, "3"},
		{"k of n", `
			cell c(a, b) { node n[3] = sum((f | g)(2 of prev))  return n[2] }
			space s(x: [4, 8, 8]) = x -> c`, "144"}, // 2 * 1, 2 * 3, 2 * 6: the op is decided once per node
		{"any of", `
			cell c(a) { node n[2] = merge(any of prev)  return n[1] }
			space s(x: [4, 8, 8]) = x -> c`, "8"},
		{"0 of a set is no decision", `
			cell c(a) { node n = sum([f(a), sum(0 of [a])])  return n }
			space s(x: [4, 8, 8]) = x -> c`, "1"},
		{"a range of k", `
			cell c(a, b) { node n = sum(1..2 of prev)  return n }
			space s(x: [4, 8, 8]) = x -> c`, "3"},
		{"recursion with fuel", `
			block m(fuel = 3) = f | g | h | m(fuel: fuel - 1) -> m(fuel: fuel - 1) if fuel > 0
			space s(x: [4, 8, 8]) = x -> m`, "21612"}, // a(n) = 3 + a(n-1)^2: 3, 12, 147, 21612
		{"NAS-Bench-101, wirings and ops without its edge limit", `
			block vertex = f(kernel: 1) | f(kernel: 3) | g
			cell module(x, out: int) { node v[5] = vertex(sum(any of prev))  return merge(any of prev, out: out) }
			space s(x: [4, 8, 8]) = x -> module(out: 4)`, "509607936"}, // 2^21 * 3^5
		{"NAS-Bench-1Shot1 space 2", `
			block vertex = f(kernel: 1) | f(kernel: 3) | g
			cell module(x, out: int) {
				node v1 = vertex(sum(1 of prev))
				node v2 = vertex(sum(1 of prev))
				node v3 = vertex(sum(2 of prev))
				node v4 = vertex(sum(2 of prev))
				return merge(3 of prev, out: out)
			}
			space s(x: [4, 8, 8]) = x -> module(out: 4)`, "29160"}, // 360 * 3^4
		{"hierarchical motifs", `
			block primitive = zero | f | g | h | f(kernel: 5) | f(kernel: 7) | f(kernel: 1)
			cell motif[6](x) { node n[3] = merge(primitive(prev))  return n[2] }
			cell top(x) { block edge = zero | 1 of motif  node n[4] = merge(edge(prev))  return n[3] }
			space s(x: [4, 8, 8]) = x -> top -> f(stride: 2) -> top`, mul(pow(7, 46))},
		{"Once-for-all", `
			block layer(out: int, stride = 1, se: bool, act: string)
			    = f(kernel: 3 | 5 | 7, expand: 3 | 4 | 6, out: out, stride: stride, se: se, act: act)
			block stage(out: int, stride: int, se: bool, act: string)
			    = layer(out: out, stride: stride, se: se, act: act)
			    -> layer(out: out, se: se, act: act) * (1..3)
			space ofa(image: [3, r, r], r: int = 128..224 by 4, width = 1.0) {
			    w = round_to([16, 24, 40, 80, 112, 160, 960, 1280] * width, 8)
			    return image -> f(out: w[0], stride: 2)
			        -> stage(out: w[1], stride: 2, se: false, act: "relu")
			        -> stage(out: w[2], stride: 2, se: true, act: "relu")
			        -> stage(out: w[3], stride: 2, se: false, act: "h_swish")
			        -> stage(out: w[4], stride: 1, se: true, act: "h_swish")
			        -> stage(out: w[5], stride: 2, se: true, act: "h_swish")
			}`, mul(big.NewInt(25), pow(7371, 5))},
		{"k of operations is a set of results", `
			space s(x: [4, 8, 8]) = sum((2 of [f, g, h])(x))`, "3"},
		{"k of operations in a chain", `
			space s(x: [4, 8, 8]) = x -> (1..2 of [f, g, h]) -> sum -> (any of [f, g]) -> sum`, "24"}, // (3 + 3) * 4
		{"a block that picks operations, at each use", `
			block b(x) = sum((2 of [f, g, h, zero])(x))
			space s(x: [4, 8, 8]) = x -> b -> b`, "36"},
		{"picked operations on a picked set", `
			space s(x: [4, 8, 8]) = sum((2 of [f, g, h])(1 of [x, f(x)]))`, "6"},
		{"blocks among picked operations are decided where they are picked", `
			block b = f | g
			space s(x: [4, 8, 8]) = sum((1..2 of [b, h])(x))`, "5"}, // b: 2, h: 1, both: 2
		{"k of values", `
			space s(x: [4, 8, 8]) { v = 2 of [1, 2, 3]  return x -> f(out: sum(v)) -> f(out: max(v)) -> f(out: min(v)) -> f(out: len(v)) }`, "3"},
		{"k of values, and a condition on them", `
			space s(x: [4, 8, 8]) { v = any of [1, 2, 3]  return if 2 in v then x -> (f | g) else x -> h }`, "12"}, // 4 * 2 + 4
		{"an index into what was picked", `
			space s(x: [4, 8, 8]) { v = 2 of [8, 16, 24]  return x -> f(out: v[0..1]) }`, "6"},
		{"choosing from what was chosen before", `
			space s(x: [4, 8, 8]) { a = f(x)  b = g(x)  s = 2 of [x, a, b]  return sum(1 of s) }`, "6"},
		{"choosing from any of a set", `
			space s(x: [4, 8, 8]) { a = f(x)  b = g(x)  s = 1.. of [x, a, b]  return sum(1 of s) }`, "12"}, // 3*1 + 3*2 + 1*3
		{"choosing a range from any of a set, with operations", `
			block b = f | g
			space s(x: [4, 8, 8]) { a = f(x)  b1 = g(x)  s = 1.. of [x, a, b1]  return sum(b(1..len(s) of s)) }`, "56"}, // of m members 3^m - 1: 3*2 + 3*8 + 26
		{"choosing from chosen values", `
			space s(x: [4, 8, 8]) { v = 2.. of [8, 16, 24]  return x -> f(out: 1 of v) }`, "9"}, // 3*2 + 3
		{"the number to choose is a decision", `
			space s(x: [4, 8, 8]) { k = 1..2  return sum(k of [x, f(x), g(x)]) }`, "6"},
		{"a repetition by the size of a pick", `
			space s(x: [4, 8, 8]) { s = any of [x, g(x)]  return sum([x -> (f | g) * (1 + len(s)), sum(s)]) }`, "18"}, // 2 + 2*4 + 8
		{"a condition on what was picked", `
			space s(x: [4, 8, 8]) { a = g(x)  s = 1.. of [x, a]  return sum([sum(s), if a in s then x -> (f | h) else x]) }`, "5"}, // 2 + 2 + 1
		{"a guard on how many were picked", `
			space s(x: [4, 8, 8]) { s = 1.. of [x, f(x), g(x)]  return sum(s) -> (f | g if len(s) > 1 | h if len(s) > 2) }`, "12"}, // 3 + 3*2 + 3
		{"an index into a picked set", `
			space s(x: [4, 8, 8]) { s = 2 of [x, f(x), g(x)]  return s[0] }`, "3"},
		{"a cell that takes a set", `
			block b = f | g
			cell c(xs: set) = sum(b(xs))
			space s(x: [4, 8, 8]) = sum([c([x, h(x)]), c([h(x), x])])`, "4"},
		{"a cell that takes a picked set", `
			cell c(xs: set) { node n = sum(1 of prev)  return n }
			space s(x: [4, 8, 8]) = c([x, f(x), h(x)])`, "3"},
		{"a cell on what was picked", `
			cell c(xs: set) = sum(xs) -> (f | g)
			space s(x: [4, 8, 8]) = c(2 of [x, f(x), h(x)])`, "6"},
		{"a cell of a set and a tensor", `
			cell c(x, ys: set) = sum([x, sum((f | g)(ys))])
			space s(x: [4, 8, 8]) = c(x, 1.. of [x, h(x)])`, "6"},
		{"a decision under two independent ones", `
			space s(x: [4, 8, 8]) { a = 1 | 2  b = 1 | 2 | 3
				return if a > 1 and b > 1 then x -> (f | g) else x -> h }`, "8"}, // 4 + 2*2
		{"a choice named before, among nested conditions", `
			space s(x: [4, 8, 8]) { a = 1 | 2  b = 1 | 2
				return if a > 1 then (if b > 1 then x -> (f | g) -> (f | g) else x) else x -> (f | h) }`, "9"}, // b is decided in any case: 4+1, 2*2
		{"a choice between operations that decide further, used under a condition", `
			space s(x: [4, 8, 8]) { k = 1 | 2  o = f -> (f | g) | h  block b = f | g
				return x -> o -> (if k > 1 then b -> o else h) }`, "9"}, // (2+1) * (1 + 2)
		{"a decision under an item and another decision", `
			space s(x: [4, 8, 8]) { k = 1 | 2  s = 1 of [x, g(x)]
				return sum(if k > 1 then (f | g)(s) else s) }`, "6"},
		{"a block for each that was picked, under a condition", `
			block b = f | g
			space s(x: [4, 8, 8]) { k = 1 | 2  s = 1.. of [x, g(x)]
				return sum(if k > 1 then b(s) else s) }`, "11"}, // 3 + (2 + 2 + 4)
		{"a repetition by two decisions", `
			space s(x: [4, 8, 8]) { d = 1 | 2  e = 0 | 1  return x -> (f | g) * (d + e) }`, "18"}, // 2 + 4 + 4 + 8
		{"a repetition by a decision made under another", `
			space s(x: [4, 8, 8]) { d = 1 | 2  e = if d > 1 then 1..2 else 3  return x -> (f | g) * e }`, "14"}, // 8 + 2 + 4
		{"a repetition of nothing, or more", `
			space s(x: [4, 8, 8]) { d = 0 | 1  e = 0 | 1  return x -> (f | g) * (d * e) }`, "5"},
		{"a range that ends at a decision", `
			space s(x: [4, 8, 8]) { d = 1 | 2 | 3  return x -> f(out: 8..(8 * d) by 8) }`, "6"},
		{"a depth up to a decision", `
			space s(x: [4, 8, 8]) { d = 1 | 2  return x -> (f | g) * (1..d) }`, "8"}, // 2 + (2 + 4)
		{"an array of vertices whose size is decided", `
			cell c(x) { d = 1..3  node n[d] = sum((f | g)(1 of prev))  return sum(n) }
			space s(x: [4, 8, 8]) = x -> c`, "58"}, // 2 + 2*4 + 2*4*6
		{"the last vertex of such an array", `
			block b = f | g
			cell c(x) { d = 1..2  node n[d] = sum(b(prev))  return n[d - 1] }
			space s(x: [4, 8, 8]) = x -> c`, "10"}, // 2 + 2*4
		{"picking from vertices whose number is decided", `
			cell c(x) { d = 1..2  node n[d] = f(x)  return sum(1 of n) }
			space s(x: [4, 8, 8]) = x -> c`, "3"},
		{"an array of cells whose size is decided", `
			let d = 1..2
			cell m[d](x) = f | g
			space s(x: [4, 8, 8]) = x -> 1 of m`, "12"}, // m are decided once, taken or not: 2*2*(1+2)
		{"two results of a chain across an elastic depth", `
			block pair(a, b) = sum([a, b])
			space s(x: [4, 8, 8]) = x -> (f | g) * (1..2) -> pair`, "6"},
		{"two results across depth zero", `
			block pair(a, b) = sum([a, b])
			space s(x: [4, 8, 8]) = x -> (f | g) * (0..2) -> h -> pair -> (f | g) * (0..1) -> pair`, "21"},
		{"three results across two depths", `
			block triple(a, b, c) = sum([a, b, c])
			space s(x: [4, 8, 8]) = x -> f * (0..2) -> g * (0..2) -> triple`, "9"},
		{"the largest of what was picked", `
			space s(x: [4, 8, 8]) { s = 1.. of [x, f(x, out: 8), f(x, out: 12)]  return merge(s, out: max(s.c)) }`, "7"},
		{"one of two shapes was picked", `
			space s(x: [4, 8, 8]) = sum(1 of [f(x, out: 8), f(x, out: 12)]) -> f`, "2"},
		{"the sets of two alternatives", `
			space s(x: [4, 8, 8]) { k = 1 | 2  return sum(if k > 1 then [x, f(x)] else [g(x)]) }`, "2"},
		{"the lists of two alternatives", `
			space s(x: [4, 8, 8]) { k = 1 | 2  w = if k > 1 then [8, 16] else [12, 4]  return x -> f(out: w[0]) -> f(out: w[1]) }`, "2"},
		{"an absent alternative in place is none for what was picked", `
			space s(x: [4, 8, 8]) = sum((zero | f | g)(1 of [x, h(x)]))`, "4"},
		{"and in a chain", `
			space s(x: [4, 8, 8]) = 1.. of [x, h(x)] -> (f | zero | g) -> sum`, "6"},
		{"of what was not picked it is one", `
			space s(x: [4, 8, 8]) = sum((zero | f | g)([x, h(x)]))`, "3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compile(t, c.src)
			if got := s.Size().String(); got != c.want {
				for _, d := range s.Decisions {
					t.Logf("%s: %s of %d", d.Address, d.Kind, len(d.Alts))
				}
				t.Fatalf("%s architectures, want %s", got, c.want)
			}
			some := func(yield func(space.Genotype) bool) {
				rng := stream.New(3, "sizes", 0)
				for range 20 {
					if !yield(s.Sample(rng)) {
						return
					}
				}
			}
			if s.Size().IsInt64() && s.Size().Int64() <= 1000 {
				some = s.All()
			}
			for g := range some {
				a, err := s.Bind(g)
				if err != nil {
					t.Fatalf("%s: %v", s.Format(g), err)
				}
				if err := a.Validate(); err != nil {
					t.Fatalf("%s: %v", s.Format(g), err)
				}
			}
		})
	}
}

// TestFoldOfNothing checks that a fold of an empty set is an absent tensor: what
// reads it alone is absent too, and what adds it is the same without it.
func TestFoldOfNothing(t *testing.T) {
	const cell = `cell c(x) { %s }
		space s(image: [4, 8, 8]) = image -> c`
	plain := bound(t, fmt.Sprintf(cell, `node a = f(x)  return a`))
	for _, body := range []string{
		`node n = sum(0 of [x])  node a = f(x)  return sum([n, a])`,
		`node n = g(sum(0 of [x]))  node a = f(x)  return sum([a, n])`,
		`node n = mean(0 of [x])  node a = f(x)  return sum([h(n), a])`,
	} {
		if g := bound(t, fmt.Sprintf(cell, body)); g.Hash() != plain.Hash() {
			t.Errorf("%s is not the same as f(x):\n%s", body, g.Live().Text())
		}
	}
}

// TestInPicked checks that a tensor is in a picked set where it was picked.
func TestInPicked(t *testing.T) {
	s := compile(t, `
		op wide(x: [c, h, w], double: bool) -> [c, h, w]
		cell c(a) {
			b = g(a)
			some = any of [a, b]
			return sum([wide(a, double: a in some), sum(some)])
		}
		space s(x: [4, 8, 8]) = x -> c`)
	for g := range s.All() {
		a, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Contains(s.Labels(g)[0].Label, "a")
		for _, n := range a.Walk() {
			if n.Op == "wide" && n.Attr("double") != want {
				t.Errorf("of %s, a in some is %v", s.Labels(g)[0].Label, n.Attr("double"))
			}
		}
	}
}

// bound is the architecture of a space of size one.
func bound(t *testing.T, src string) *graph.Graph {
	t.Helper()
	g, err := compile(t, src).Bind(space.Genotype{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
