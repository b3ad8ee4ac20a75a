package count_test

import (
	"io/fs"
	"math"
	"math/big"
	"math/bits"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/compiler/count"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/spaces"
)

// load compiles the last space of a source.
func load(t testing.TB, src string) *lower.Plan {
	t.Helper()
	p, diags := resolve.Load("s.nas", func(name string) ([]byte, error) {
		if name == "s.nas" {
			return []byte(src), nil
		}
		return nil, fs.ErrNotExist
	})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	name := p.Root.Order[len(p.Root.Order)-1]
	plan, diags := check.Space(p, p.Root.Names[name].Decl.(*syntax.Template), p.Root, nil)
	if len(diags) > 0 {
		t.Fatalf("%s\n%v", src, diags)
	}
	return plan
}

// shipped is a shipped space with a requirement put before its result.
func shipped(t testing.TB, file, require string) *lower.Plan {
	t.Helper()
	src, err := spaces.Files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	i := strings.LastIndex(text, "    return image")
	return load(t, text[:i]+"    require "+require+"\n"+text[i:])
}

// TestAgainstGraphs compares counts with building the graph of every architecture.
func TestAgainstGraphs(t *testing.T) {
	const head = `import { zero, skip, relu, relu_conv_bn, conv_bn, max_pool, avg_pool, sep_conv, fit, align, global_pool, linear } from "std/vision"
block edge = zero | skip | relu_conv_bn
block kept = skip | relu_conv_bn(kernel: 3 | 5)
block pair(a, b) = sum([relu(a), relu_conv_bn(b)])
block twice(a, b) = sum([a, a])
block maybe(x) = relu_conv_bn(relu(x)) | relu(relu(x)) | x
`
	sums := 0
	for _, src := range []string{
		// Metrics of a cell.
		`cell c(x) { node n[3] = sum(edge(prev)) REQUIRE return n[2] }
space s(image: [8, 8, 8]) = image -> c -> c`,
		`cell c(a, b) { node n[3] = sum(kept(2 of prev)) REQUIRE return concat(n) }
space s(image: [8, 8, 8]) = image -> c`,
		`cell c(x) { node n[3] = (relu | max_pool(kernel: 3))(sum(any of prev)) REQUIRE return mean(any of prev) }
space s(image: [8, 8, 8]) = image -> c -> fit(out: 4, height: 8, width: 8)`,
		// Selections that name vertices, bodies that hand an input on, nested bodies.
		`cell c(x) {
    y = relu(x)
    node v = y | conv_bn(x) | conv_bn(y, kernel: 1) | x
    node w = maybe(v)
    node u = maybe(w) | zero(w)
    node r = pair(v, u)
    node q = twice(r, v)
    REQUIRE
    return sum([relu(q), r, skip(y)])
}
space s(image: [8, 8, 8]) = image -> c`,
		// Decisions of the scope, elastic depth, nested presence.
		`block layer(out: int) = conv_bn(kernel: 1 | 3, out: out) | sep_conv(kernel: 3 | 5, out: out) | conv_bn(out: out) -> edge
space s(image: [8, 8, 8]) -> [10] { w = 8 | 16  d = 1..2  REQUIRE return image -> layer(out: w) * d -> global_pool -> linear(out: 10) }`,
		`space s(image: [3, r, r], r = 8..16 by 4) -> [10] { a = 4..12 by 4  b = 4..12 by 4  c = 4..12 by 4  REQUIRE
return image -> conv_bn(out: a) -> conv_bn(out: b) -> conv_bn(out: c) -> global_pool -> linear(out: 10) }`,
		// A scope that exists under an alternative only, and one below some depths.
		`block big(x) { k = 1 | 3 | 5  REQUIRE return conv_bn(x, kernel: k) -> kept }
space s(image: [8, 8, 8]) = image -> (relu | big | max_pool(kernel: 3)) -> big * (0..2)`,
		`cell m[2](x) { node n[2] = sum(edge(prev)) REQUIRE return n[1] }
space s(image: [8, 8, 8]) = image -> (zero | 1 of m) -> kept`,
	} {
		for _, require := range []string{
			"edges <= 3", "edges == 4 or edges == 2", "depth >= 3", "depth == 2", "params <= 1_000", "params > 700 and edges > 2",
			"macs <= 60K", "not (macs > 90K) and depth < 4", "params / max(edges, 1) < 400", "edges >= 1 and params * 2 > macs / 64",
			"params % 3 == 0",
		} {
			full := head + strings.Replace(src, "REQUIRE", "require "+require+"\n", 1)
			s := load(t, full)
			enumerated, summed, built := count.Ways(s)
			if enumerated == nil || enumerated.Cmp(built) != 0 {
				t.Errorf("%v of %s by terms, %v by graphs\n%s", enumerated, s.Space.Size(), built, full)
			}
			if summed != nil {
				sums++
				if summed.Cmp(built) != 0 {
					t.Errorf("%v of %s by sums, %v by graphs\n%s", summed, s.Space.Size(), built, full)
				}
			}
		}
	}
	if sums < 25 {
		t.Errorf("only %d counts by sums were compared", sums)
	}
}

// TestConditional compares counts with graphs where what exists and what it costs
// depends on several decisions, or on what was picked.
func TestConditional(t *testing.T) {
	const head = `import { skip, relu, conv_bn, zero } from "std/vision"
block kept = skip | conv_bn(kernel: 3 | 5)
`
	enumerated := 0
	for _, src := range []string{
		`space s(image: [8, 8, 8]) { a = 1 | 2  b = 1 | 3  REQUIRE return if a + b > 3 then image -> kept else image -> conv_bn(kernel: b) }`,
		`block inner(x) { k = 1 | 3  REQUIRE return conv_bn(x, kernel: k) -> kept }
space s(image: [8, 8, 8]) { a = 1 | 2  b = 1 | 3  return if a + b > 3 then image -> inner else image -> kept }`,
		`block inner(x) { k = 1 | 3  REQUIRE return conv_bn(x, kernel: k) }
space s(image: [8, 8, 8]) { d = 1 | 2  e = 0 | 1  return image -> inner * (d + e) }`,
		`space s(image: [8, 8, 8]) { d = 1 | 2 | 3  w = 8..(8 * d) by 8  REQUIRE return image -> conv_bn(out: w) -> kept }`,
		`space s(image: [8, 8, 8]) { v = 1..2 of [8, 16, 24]  REQUIRE return image -> conv_bn(out: sum(v)) -> conv_bn(out: max(v)) }`,
		`space s(image: [8, 8, 8]) { REQUIRE return image -> (1.. of [relu, skip, conv_bn(kernel: 1 | 3)]) -> sum }`,
		`space s(image: [8, 8, 8]) { s = 1.. of [image, relu(image), conv_bn(image)]  REQUIRE return sum(1 of s) -> (kept if len(s) > 1 | relu) }`,
		`space s(image: [8, 8, 8]) { s = any of [image, relu(image)]  REQUIRE return image -> kept * len(s) }`,
		`cell c(x) { d = 2..3  node n[d] = sum(kept(1.. of prev))  REQUIRE return sum(n) }
space s(image: [8, 8, 8]) = image -> c`,
		`space s(image: [8, 8, 8]) { cell c(xs: set) { y = sum(kept(xs))  return y }
REQUIRE return sum([c(1.. of [image, relu(image)]), c([image, image])]) }`,
		`space s(image: [8, 8, 8]) { a = image -> (relu | kept)  k = 1 | 3
w = if k > 1 then (8 | 16) else 8
REQUIRE return a -> conv_bn(kernel: k, out: w) }`,
	} {
		for _, require := range []string{"edges <= 3", "depth >= 2", "params <= 1_000", "params > 700 and depth < 4", "macs <= 60K or edges == 1"} {
			full := head + strings.Replace(src, "REQUIRE", "require "+require+"\n", 1)
			s := load(t, full)
			got, err := count.Of(s)
			byTerms, summed, built := count.Ways(s)
			if err != nil || got.Cmp(built) != 0 {
				t.Errorf("%v (%v) of %s, %v by graphs\n%s", got, err, s.Space.Size(), built, full)
			}
			if summed != nil && summed.Cmp(built) != 0 {
				t.Errorf("%v of %s by sums, %v by graphs\n%s", summed, s.Space.Size(), built, full)
			}
			if byTerms != nil {
				enumerated++
			}
		}
	}
	t.Log(enumerated, "without graphs")
}

// TestNASBench101 counts the wirings of one to nine edges by another way: over all
// upper triangular matrices of seven vertices, with vertices removed that are on no
// path from the first to the last.
func TestNASBench101(t *testing.T) {
	if testing.Short() {
		t.Skip("two million matrices")
	}
	s := load(t, `import { conv_bn_relu, max_pool } from "std/vision"
block vertex = conv_bn_relu(kernel: 1) | conv_bn_relu(kernel: 3) | max_pool(kernel: 3)
cell module(x) {
    node v[5] = vertex(sum(any of prev))
    require edges >= 1 and edges <= 9
    return mean(any of prev)
}
space s(image: [8, 8, 8]) = image -> module`)
	got, err := count.Of(s)
	if err != nil {
		t.Fatal(err)
	}
	var wirings int64
	for code := range 1 << 21 {
		var row [7]uint8 // row[i]: the vertices that i leads to
		at := 0
		for i := range 7 {
			for j := i + 1; j < 7; j++ {
				row[i] |= uint8(code>>at&1) << j
				at++
			}
		}
		forward, backward := uint8(1), uint8(1<<6)
		for i := range 7 {
			if forward>>i&1 == 1 {
				forward |= row[i]
			}
		}
		for i := 5; i >= 0; i-- {
			if row[i]&backward != 0 {
				backward |= 1 << i
			}
		}
		edges := 0
		for i := range 7 {
			if keep := forward & backward; keep>>i&1 == 1 {
				edges += bits.OnesCount8(row[i] & keep)
			}
		}
		if edges >= 1 && edges <= 9 {
			wirings++
		}
	}
	if want := big.NewInt(wirings * 243); got.Cmp(want) != 0 {
		t.Errorf("%s, want %s", got, want)
	}
	if wirings != 1_538_083 {
		t.Errorf("%d wirings", wirings)
	}
}

// TestSizes counts the widths of the NATS-Bench size space under several bounds in
// three ways.
func TestSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds 32,768 graphs several times")
	}
	for _, require := range []string{
		"params <= 150K", "params <= 250K and c1 <= 32", "macs <= 20M or c5 == 8", "params * 100 < macs",
	} {
		p := shipped(t, "natssize/natssize.nas", require)
		enumerated, summed, built := count.Ways(p)
		if enumerated == nil || enumerated.Cmp(built) != 0 {
			t.Errorf("%s: %v by terms, %v by graphs", require, enumerated, built)
		}
		if two := strings.Contains(require, "< macs"); !two && (summed == nil || summed.Cmp(built) != 0) {
			t.Errorf("%s: %v by sums, %v by graphs", require, summed, built)
		}
	}
}

// TestOnceForAll compares the number of networks of at most 6M params with a
// uniform sample: within five standard errors.
func TestOnceForAll(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	p := shipped(t, "ofa/ofa.nas", "params <= 6M")
	n, err := count.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	share, _ := new(big.Rat).SetFrac(n, p.Space.Size()).Float64()
	const draws = 1000
	rng := stream.New(1, "ofa", 0)
	inside := 0
	for range draws {
		v, err := p.Violated(p.Space.Sample(rng))
		if err != nil {
			t.Fatal(err)
		}
		if v == nil {
			inside++
		}
	}
	if got, e := float64(inside)/draws, math.Sqrt(share*(1-share)/draws); math.Abs(got-share) > 5*e {
		t.Errorf("%v are %.4f of all; of %d drawn %.4f are inside", n, share, draws, got)
	}
	if want := "419300763575331970450"; n.String() != want {
		t.Errorf("%s, want %s", n, want)
	}
}
