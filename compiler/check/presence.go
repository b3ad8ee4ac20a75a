package check

import (
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// What is in a set or a list may depend on decisions: what `k of` left, the vertices
// of an array whose size is decided, the sets of two alternatives. Each member
// carries the condition under which it is there.

// row is one place of a merged sequence: where it comes from in each case, or -1.
type row struct {
	key  any
	from []int
}

// merge lays the sequences of all cases into one that keeps the order of each.
func merge(seqs [][]any) []row {
	var rows []row
	for c, seq := range seqs {
		next := 0
		for j, key := range seq {
			at := next
			for at < len(rows) && rows[at].key != key {
				at++
			}
			if at == len(rows) {
				r := row{key: key, from: make([]int, len(seqs))}
				for i := range r.from {
					r.from[i] = -1
				}
				at = next
				rows = append(rows[:at], append([]row{r}, rows[at:]...)...)
			}
			rows[at].from[c] = j
			next = at + 1
		}
	}
	return rows
}

// joinSets is the set that has the members of a case where it occurs.
func (k *checker) joinSets(on split, cases []*set, c context) value {
	seqs := make([][]any, len(cases))
	for i, s := range cases {
		for _, m := range s.members {
			seqs[i] = append(seqs[i], m.node)
		}
	}
	places := k.branches(on, c.under)
	out := &set{}
	for _, r := range merge(seqs) {
		when := make([]*sym.Scalar, len(cases))
		var m member
		last, n, picked := 0, 0, true
		for i, j := range r.from {
			if when[i] = falsehood; j < 0 {
				continue
			}
			m = cases[i].members[j]
			when[i] = m.there()
			picked = picked && m.picked
			last = i
			n++
		}
		m.picked, m.when = picked, on.scalar(when)
		if n == 1 {
			m.under = k.both(m.under, places[last])
		} else {
			m.under = k.within(c.under, m.when)
		}
		out.members = append(out.members, m)
	}
	return out
}

// joinLists is the list that has the elements of a case where it occurs. Lists of
// one length are joined element by element.
func (k *checker) joinLists(on split, cases []*list, c context, at diag.Span) value {
	even := true
	for _, l := range cases {
		even = even && l.when == nil && len(l.elems) == len(cases[0].elems)
	}
	out := &list{}
	if even {
		for j := range cases[0].elems {
			alts := make([]value, len(cases))
			for i, l := range cases {
				alts[i] = l.elems[j]
			}
			v := k.join(on, alts, c, at)
			if isBad(v) {
				return v
			}
			out.elems = append(out.elems, v)
		}
		return out
	}
	seqs := make([][]any, len(cases))
	for i, l := range cases {
		for _, v := range l.elems {
			seqs[i] = append(seqs[i], v)
		}
	}
	for _, r := range merge(seqs) {
		when := make([]*sym.Scalar, len(cases))
		for i, j := range r.from {
			if when[i] = falsehood; j >= 0 {
				when[i] = cases[i].there(j)
			}
		}
		out.elems = append(out.elems, r.key)
		out.when = append(out.when, on.scalar(when))
	}
	return out
}

// present evaluates f for a set or list whose members are known to be there, once
// for each combination of what may be, beside the values of further scalars.
func (k *checker) present(v value, on []*sym.Scalar, c context, at diag.Span, f func(v value, values []any, c context) value) value {
	n := len(on)
	on = on[:n:n]
	switch v := v.(type) {
	case *set:
		for _, m := range v.members {
			on = append(on, m.there())
		}
	case *list:
		for i := range v.elems {
			on = append(on, v.there(i))
		}
	}
	return k.cases(on, c, at, func(values []any, c context) value {
		there := values[n:]
		switch v := v.(type) {
		case *set:
			out := &set{}
			for i, m := range v.members {
				if there[i] == true {
					if m.when != nil {
						m.when, m.under = nil, nil // the branch says so
					}
					out.members = append(out.members, m)
				}
			}
			return f(out, values[:n], c)
		case *list:
			out := &list{}
			for i, x := range v.elems {
				if there[i] == true {
					out.elems = append(out.elems, x)
				}
			}
			return f(out, values[:n], c)
		}
		return f(v, values, c)
	})
}

// fold is the sum, min or max of those values that are there.
func (k *checker) fold(name string, values []value, when []*sym.Scalar, at diag.Span) value {
	if name == "sum" {
		total := value(&scalar{sym.Int(0)})
		for i, v := range values {
			total = k.apply1("+", at, total, k.apply1("if", at, &scalar{when[i]}, v, &scalar{sym.Int(0)}))
		}
		return total
	}
	some, out := value(&scalar{falsehood}), value(nil)
	for i, v := range values {
		if when[i].Is(false) {
			continue
		}
		there := &scalar{when[i]}
		if out == nil {
			out = v
		} else {
			out = k.apply1("if", at, there, k.apply1("if", at, some, k.apply1(name, at, v, out), v), out)
		}
		some = k.apply1("or", at, some, there)
	}
	if s, ok := some.(*scalar); !ok {
		return bad{}
	} else if eq, known := equal(s.Scalar, truth); !eq {
		if !known {
			k.diags.Add("E0308", at, "cannot prove that something is there of which to take the `%s`", name)
		} else {
			d := k.diags.Add("E0302", at, "there may be nothing of which to take the `%s`", name)
			d.Help = "pick at least one with `1..`"
		}
		return bad{}
	}
	return out
}

// common is the one value that a dimension has wherever members are there together;
// differs is the first member that has another.
func common(s *set, dims []*sym.Scalar) (one *sym.Scalar, differs int, known bool) {
	alike, always := true, true
	for i, d := range dims {
		alike = alike && sym.Same(d, dims[0])
		always = always && s.members[i].when == nil
	}
	if alike {
		return dims[0], 0, true
	}
	one = dims[0]
	if !always {
		one = dims[len(dims)-1]
		for i := len(dims) - 2; i >= 0; i-- {
			x, err := sym.Apply("if", s.members[i].there(), dims[i], one)
			if err != nil {
				return nil, i, true
			}
			one = x
		}
	}
	for i, d := range dims {
		m := s.members[i]
		if m.when == nil {
			if eq, known := equal(one, d); !known || !eq {
				return nil, i, known
			}
			continue
		}
		same, err := sym.Apply("==", one, d)
		if err != nil {
			return nil, i, true
		}
		away, _ := sym.Apply("not", m.when)
		fits, err := sym.Apply("or", away, same)
		if err != nil {
			return nil, i, true
		}
		if eq, known := equal(fits, truth); !known || !eq {
			return nil, i, known
		}
	}
	return one, 0, true
}
