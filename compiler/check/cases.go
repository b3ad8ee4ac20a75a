package check

import (
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// cases evaluates what depends on the values of some scalars: a condition, a
// guard, an index. Where they are known, f is called once. Where they depend on
// decisions, f is called for every combination of values that can occur, each
// time with decisions going below the alternatives for which it holds, and the
// results are joined.
func (k *checker) cases(on []*sym.Scalar, c context, at diag.Span, f func(values []any, c context) value) value {
	d := undecided(on)
	if d == nil {
		values := make([]any, len(on))
		for i, s := range on {
			v, ok := s.Value()
			if !ok {
				if !k.isOpen(s, at, "what is built") {
					k.diags.Add("E0432", at, "`%s` is known only when everything is decided, so nothing can be chosen by it", s.Measures()[0])
				}
				return bad{}
			}
			values[i] = v
		}
		return f(values, c)
	}
	if d.Kind == space.Subset {
		k.unsupported(at, "what depends on which members of a set were picked")
		return bad{}
	}
	for _, s := range on {
		k.spend(s.Size()*len(d.Alts), at)
	}
	holder := k.owners[d.Alts[0].Sub].group
	below := c.group != nil && k.above(c.group, holder)
	var classes []*class
	for i, a := range d.Alts {
		here := make([]*sym.Scalar, len(on))
		for j, s := range on {
			here[j] = s.At(d, i)
		}
		x := classOf(classes, here)
		if x == nil {
			x = &class{on: here}
			classes = append(classes, x)
		}
		x.alts = append(x.alts, a)
	}
	for _, x := range classes {
		var g *space.Group
		if below {
			g = &space.Group{}
			k.share(g, d, holder, x.alts)
		}
		x.value = k.cases(x.on, c.in(g), at, f)
		if _, isBad := x.value.(bad); isBad {
			return x.value
		}
	}
	alts := make([]value, len(d.Alts))
	for i, a := range d.Alts {
		for _, x := range classes {
			for _, b := range x.alts {
				if a == b {
					alts[i] = x.value
				}
			}
		}
	}
	return k.join(d, alts, c, at)
}

// class is the alternatives of a decision for which the scalars are the same.
type class struct {
	on    []*sym.Scalar
	alts  []*space.Alt
	value value
}

func classOf(classes []*class, on []*sym.Scalar) *class {
next:
	for _, x := range classes {
		for i, s := range on {
			if !sym.Same(s, x.on[i]) {
				continue next
			}
		}
		return x
	}
	return nil
}

// undecided is the first decision that any of the scalars depends on.
func undecided(on []*sym.Scalar) *space.Decision {
	for _, s := range on {
		if ds := s.Decisions(); len(ds) > 0 {
			return ds[0]
		}
	}
	return nil
}
