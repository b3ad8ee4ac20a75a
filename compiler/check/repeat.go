package check

import (
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// times takes a scalar as a number of repetitions known here.
func (k *checker) times(s *sym.Scalar, at diag.Span) (int, bool) {
	if k.isOpen(s, at, "a repetition") {
		return 0, false
	}
	v, known := s.Value()
	if !known {
		k.unsupported(at, "a repetition that depends on more than one decision")
		return 0, false
	}
	n, ok := v.(int64)
	if !ok || n < 0 {
		k.diags.Add("E0303", at, "an operation is repeated a whole number of times, not %v", v)
		return 0, false
	}
	if n > maxRepeat {
		k.diags.Add("E0411", at, "%d repetitions are more than nasc allows (%d)", n, maxRepeat)
		return 0, false
	}
	return int(n), true
}

func constants(s []*sym.Scalar) []any {
	out := make([]any, len(s))
	for i, x := range s {
		out[i], _ = x.Value()
	}
	return out
}

// elastic evaluates the operation of `op * depth` as often as the greatest depth
// needs it. What repetition i decides exists only from depth i+1 on.
func (k *checker) elastic(e *syntax.Binary, c context, decide func([]string) *space.Decision, values []any) value {
	out := &elastic{at: e.Span()}
	labels := make([]string, len(values))
	most := 0
	for i, v := range values {
		n, ok := v.(int64)
		if !ok || n < 0 || n > maxRepeat {
			_, _ = k.times(sym.Const(v), e.Y.Span())
			return bad{}
		}
		labels[i] = graph.FormatValue(v)
		out.counts = append(out.counts, int(n))
		most = max(most, int(n))
	}
	if len(values) == 1 {
		return k.repeatFixed(e, c, most)
	}
	if out.on = decide(labels); out.on == nil {
		return bad{}
	}
	at := k.owners[out.on.Alts[0].Sub].group
	for i := range most {
		var g *space.Group
		if c.group != nil && k.above(c.group, at) {
			g = &space.Group{}
			var deep []*space.Alt
			for j, n := range out.counts {
				if n > i {
					deep = append(deep, out.on.Alts[j])
				}
			}
			k.spend(len(deep), e.Span())
			k.share(g, out.on, at, deep)
		}
		v := k.eval(e.X, c.in(g).named(""))
		if _, isBad := v.(bad); isBad {
			return v
		}
		out.steps = append(out.steps, v)
		out.groups = append(out.groups, g)
	}
	return out
}

// repeatFixed evaluates an operation expression n times, one after the other.
func (k *checker) repeatFixed(e *syntax.Binary, c context, n int) value {
	f := &flow{}
	for range n {
		v := k.eval(e.X, c.named(""))
		if _, isBad := v.(bad); isBad {
			return v
		}
		f.steps = append(f.steps, v)
	}
	return f
}
