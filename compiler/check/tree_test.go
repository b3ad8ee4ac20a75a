package check

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// questions asks some random questions, each in a branch with random conditions on
// those before it.
func questions(rng *rand.Rand) *checker {
	k := newChecker(nil, "random")
	for i := range 1 + rng.IntN(6) {
		c := k.rootContext()
		for range rng.IntN(3) {
			if i == 0 {
				break
			}
			p, o := k.asked[rng.IntN(i)], k.asked[rng.IntN(i)]
			c.under = k.both(p.under, c.under)
			cond := about(rng, p.d)
			if rng.IntN(2) == 0 {
				c.under = k.both(o.under, c.under)
				cond = apply([]string{"and", "or", "=="}[rng.IntN(3)], cond, about(rng, o.d))
			}
			if rng.IntN(5) == 0 {
				cond = apply("not", cond)
			}
			c.under = k.within(c.under, cond)
		}
		kind, n := space.OneOf, 2+rng.IntN(2)
		if rng.IntN(3) == 0 {
			kind = space.Subset
		}
		labels := []string{"a", "b", "c"}[:n]
		d := k.decide(c.named(fmt.Sprintf("q%d", i)), "", kind, labels, diag.Span{})
		if kind == space.Subset {
			d.Min = rng.IntN(2)
			d.Max = d.Min + rng.IntN(n-d.Min+1)
		}
	}
	return k
}

func apply(fn string, args ...*sym.Scalar) *sym.Scalar {
	s, err := sym.Apply(fn, args...)
	if err != nil {
		panic(err)
	}
	return s
}

// about is a random condition on one decision.
func about(rng *rand.Rand, d *space.Decision) *sym.Scalar {
	if d.Kind == space.Subset {
		a, b := sym.Has(d, rng.IntN(len(d.Alts))), sym.Has(d, rng.IntN(len(d.Alts)))
		return []*sym.Scalar{a, a, apply("not", a), apply("and", a, b), apply("==", a, b)}[rng.IntN(5)]
	}
	cases := make([]*sym.Scalar, len(d.Alts))
	for i := range cases {
		cases[i] = sym.Const(rng.IntN(2) == 0)
	}
	return sym.Switch(d, cases)
}

// asked enumerates the answers by what the questions say alone: in the order in
// which they are asked, each where all of its conditions hold.
func asked(k *checker) map[string]bool {
	answers := map[*space.Decision]int64{}
	taken := func(d *space.Decision) int64 { return answers[d] }
	found := map[string]bool{}
	var try func(i int)
	try = func(i int) {
		if i == len(k.asked) {
			found[written(k, taken)] = true
			return
		}
		q := k.asked[i]
		values := []int64{space.Inactive}
		if holds(q.under, taken) {
			values = nil
			for v := int64(0); v < 1<<len(q.d.Alts); v++ {
				if q.d.Kind == space.Subset {
					n := 0
					for j := range q.d.Alts {
						n += int(v >> j & 1)
					}
					if n >= q.d.Min && n <= q.d.Max {
						values = append(values, v)
					}
				} else if v < int64(len(q.d.Alts)) {
					values = append(values, v)
				}
			}
		}
		for _, v := range values {
			answers[q.d] = v
			try(i + 1)
		}
	}
	try(0)
	return found
}

func holds(b *branch, taken sym.Taken) bool {
	if b == nil {
		return true
	}
	if !holds(b.up, taken) {
		return false
	}
	v, err := b.cond.Eval(taken)
	return err == nil && v == true
}

func written(k *checker, taken sym.Taken) string {
	out := ""
	for _, q := range k.asked {
		out += fmt.Sprint(taken(q.d), " ")
	}
	return out
}

// TestTree compares the architectures of the tree that grows from random questions
// with an enumeration that knows no tree.
func TestTree(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	twins, whole := 0, 0
	for i := range 3000 {
		k := questions(rng)
		want := asked(k)
		for _, q := range k.asked {
			q.d.Address = q.scope.address()
		}
		root, answers := k.tree()
		s, err := space.New("random", root)
		if err != nil {
			t.Fatalf("tree %d: %v", i, err)
		}
		plan := lower.NewPlan(s, &lower.Body{}, answers)
		got := map[string]bool{}
		for g := range s.All() {
			got[written(k, plan.Taken(g))] = true
		}
		if s.Size().Int64() != int64(len(want)) || len(got) != len(want) {
			t.Fatalf("tree %d: %s architectures, %d different answers, want %d", i, s.Size(), len(got), len(want))
		}
		for g := range want {
			if !got[g] {
				t.Fatalf("tree %d lacks %s", i, g)
			}
		}
		for _, as := range answers {
			if len(as) > 1 {
				twins++
			}
			if len(as) > 0 && as[0].Sets != nil {
				whole++
			}
		}
	}
	if twins < 300 || whole < 300 {
		t.Errorf("%d decisions with twins, %d subsets taken as a whole: too few to tell", twins, whole)
	}
}
