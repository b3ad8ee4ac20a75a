package spaces_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// TestNASBench201Unique counts the cells that differ in three ways. The first two
// are exact and independent of one another, the hash of the bound graph and
// [canonical], and agree on every pair of cells. The third is the paper's rule: two
// texts may stand for one network and one text for several.
func TestNASBench201Unique(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas")
	ops := []nasbench201.Op{nasbench201.None, nasbench201.Skip, nasbench201.Conv1x1, nasbench201.Conv3x3, nasbench201.AvgPool} // as the space lists them
	hash := newRelation[graph.Digest]()                                                                                        // by exact form
	flat := newRelation[string]()                                                                                              // the same with nested sums opened
	skips, zeros, zerosFlat := newRelation[string](), newRelation[string](), newRelation[string]()
	connected := 0
	for g := range s.All() {
		var a nasbench201.Arch
		for i, v := range g {
			a[i] = ops[v]
		}
		b, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		exact, open := canonical(a, false), canonical(a, true)
		hash.add(exact, b.Hash())
		flat.add(exact, open)
		skips.add(exact, a.Unique(false))
		zeros.add(exact, a.Unique(true))
		zerosFlat.add(open, a.Unique(true))
		if a.Connected() {
			connected++
		}
	}
	if connected != 15284 {
		t.Errorf("%d cells connect input and output, want 15284", connected)
	}
	for _, c := range []struct{ what, got, want string }{
		{"hash", hash.String(), "6334 of 6334: 0 unite 0, 0 are split into 0"},
		{"sums opened", flat.String(), "5425 of 6334: 513 unite 1422, 0 are split into 0"},
		{"skips", skips.String(), "12751 of 6334: 391 unite 930, 655 are split into 7611"},
		{"skips and zeros", zeros.String(), "6466 of 6334: 791 unite 1780, 484 are split into 1605"},
		{"skips and zeros, sums opened", zerosFlat.String(), "6466 of 5425: 644 unite 1300, 721 are split into 2418"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}

// TestNASBench201Texts are the two faults of the paper's rule.
func TestNASBench201Texts(t *testing.T) {
	for _, c := range []struct {
		what, a, b string
		text, same bool
	}{
		{"one 3x3 convolution read twice, or two of them",
			"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|",
			"|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|", true, false},
		{"the identity, with other absent edges",
			"|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
			"|none~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|skip_connect~2|", false, true},
	} {
		a, err1 := nasbench201.ParseArch(c.a)
		b, err2 := nasbench201.ParseArch(c.b)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if (a.Unique(true) == b.Unique(true)) != c.text {
			t.Errorf("%s: %s and %s", c.what, a.Unique(true), b.Unique(true))
		}
		if (canonical(a, true) == canonical(b, true)) != c.same {
			t.Errorf("%s: %s and %s", c.what, canonical(a, true), canonical(b, true))
		}
	}
}

// relation holds which exact forms meet which names.
type relation[N comparable] struct {
	names map[string]map[N]bool
	forms map[N]map[string]bool
}

func newRelation[N comparable]() *relation[N] {
	return &relation[N]{map[string]map[N]bool{}, map[N]map[string]bool{}}
}

func (r *relation[N]) add(form string, name N) {
	if r.names[form] == nil {
		r.names[form] = map[N]bool{}
	}
	if r.forms[name] == nil {
		r.forms[name] = map[string]bool{}
	}
	r.names[form][name], r.forms[name][form] = true, true
}

func (r *relation[N]) String() string {
	var unite, united, split, into int
	for _, f := range r.forms {
		if len(f) > 1 {
			unite, united = unite+1, united+len(f)
		}
	}
	for _, n := range r.names {
		if len(n) > 1 {
			split, into = split+1, into+len(n)
		}
	}
	return fmt.Sprintf("%d of %d: %d unite %d, %d are split into %d", len(r.forms), len(r.names), unite, united, split, into)
}

// canonical is a text that two cells share exactly when one is the other with its
// vertices and edges renamed: what computes the output, written down from the output
// backwards, every tensor once, in that order of the operands of sums that gives the
// least text. With opened, a sum that another sum reads is written out in it.
func canonical(a nasbench201.Arch, opened bool) string {
	var c cell201
	terms := [4][]int{{c.tensor("x")}} // of each vertex, what it adds up
	sums := [4]int{}
	value := func(v int) int {
		if len(terms[v]) == 1 {
			return terms[v][0]
		}
		if sums[v] == 0 {
			sums[v] = c.tensor("+", terms[v]...)
		}
		return sums[v]
	}
	i := 0
	for v := 1; v < 4; v++ {
		for u := range v {
			op := a[i]
			i++
			switch {
			case op == nasbench201.None || len(terms[u]) == 0:
			case op != nasbench201.Skip:
				terms[v] = append(terms[v], c.tensor(op.String(), value(u)))
			case opened:
				terms[v] = append(terms[v], terms[u]...)
			default:
				terms[v] = append(terms[v], value(u))
			}
		}
	}
	if len(terms[3]) == 0 {
		return "nothing"
	}
	output := value(3)
	best := ""
	c.orders(0, func() {
		if text := c.text(output); best == "" || text < best {
			best = text
		}
	})
	return best
}

// cell201 is what a cell computes.
type cell201 struct {
	ops   []string
	reads [][]int
}

func (c *cell201) tensor(op string, reads ...int) int {
	c.ops, c.reads = append(c.ops, op), append(c.reads, slices.Clone(reads))
	return len(c.ops) - 1
}

// orders calls do for every order of the operands of every sum.
func (c *cell201) orders(from int, do func()) {
	for from < len(c.ops) && c.ops[from] != "+" {
		from++
	}
	if from == len(c.ops) {
		do()
		return
	}
	var permute func(k int)
	r := c.reads[from]
	permute = func(k int) {
		if k == len(r) {
			c.orders(from+1, do)
			return
		}
		for i := k; i < len(r); i++ {
			r[k], r[i] = r[i], r[k]
			permute(k + 1)
			r[k], r[i] = r[i], r[k]
		}
	}
	permute(0)
}

func (c *cell201) text(output int) string {
	var b strings.Builder
	var seen []int
	var write func(t int)
	write = func(t int) {
		if i := slices.Index(seen, t); i >= 0 {
			fmt.Fprintf(&b, "%d", i)
			return
		}
		seen = append(seen, t)
		b.WriteString(c.ops[t] + "(")
		for _, r := range c.reads[t] {
			write(r)
			b.WriteByte(',')
		}
		b.WriteByte(')')
	}
	write(output)
	return b.String()
}
