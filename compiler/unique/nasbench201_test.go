package unique_test

import (
	"context"
	"fmt"
	"testing"
)

// op201 is a candidate operation of NAS-Bench-201.
type op201 int

const (
	zero201 op201 = iota
	skip201
	conv1x1
	conv3x3
	pool3x3
)

// net is a tensor of a cell written out: an operation on one tensor, or the sum of
// several. The input of the cell has neither.
type net struct {
	op  op201
	of  *net
	sum []*net
}

// cell201 is the cell of six operations, in the order of the edges (0,1) (0,2)
// (1,2) (0,3) (1,3) (2,3), by the rules of the algebra: a zero is no edge, a skip is
// the tensor that it reads, a sum of one tensor is that tensor. It is nil when no
// path leads to the output.
func cell201(ops [6]op201) *net {
	vertex := [4]*net{{}}
	edge := 0
	for v := 1; v < 4; v++ {
		var in []*net
		for u := range v {
			op, x := ops[edge], vertex[u]
			edge++
			switch {
			case x == nil || op == zero201:
			case op == skip201:
				in = append(in, x)
			default:
				in = append(in, &net{op: op, of: x})
			}
		}
		switch len(in) {
		case 0:
		case 1:
			vertex[v] = in[0]
		default:
			vertex[v] = &net{sum: in}
		}
	}
	return vertex[3]
}

// invariant is equal for isomorphic cells: the expression written out, operands of
// sums sorted by what they say. Two operations of one kind on one tensor say the
// same, so different cells may share it.
func (n *net) invariant() string {
	switch {
	case n == nil:
		return "none"
	case n.of != nil:
		return fmt.Sprintf("%d(%s)", n.op, n.of.invariant())
	case n.sum == nil:
		return "x"
	}
	all := make([]string, len(n.sum))
	for i, s := range n.sum {
		all[i] = s.invariant()
		for k := i; k > 0 && all[k] < all[k-1]; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	return fmt.Sprint(all)
}

// matching is a partial isomorphism.
type matching struct{ to, from map[*net]*net }

// isomorphic looks for a one-to-one correspondence of the tensors of two cells, by
// trying all ways to match the operands of sums.
func isomorphic(a, b *net) bool {
	if a == nil || b == nil {
		return a == b
	}
	m := matching{map[*net]*net{}, map[*net]*net{}}
	return m.match([][2]*net{{a, b}})
}

// match matches the pairs one after the other and undoes what fails.
func (m matching) match(todo [][2]*net) bool {
	if len(todo) == 0 {
		return true
	}
	a, b := todo[0][0], todo[0][1]
	rest := todo[1:]
	if x, ok := m.to[a]; ok || m.from[b] != nil {
		return x == b && m.match(rest)
	}
	if a.op != b.op || (a.of == nil) != (b.of == nil) || len(a.sum) != len(b.sum) {
		return false
	}
	m.to[a], m.from[b] = b, a
	defer func() {
		if m.to[a] != nil && m.to[a] != b {
			panic("a tensor was matched twice")
		}
	}()
	ok := false
	switch {
	case a.of != nil:
		ok = m.match(append([][2]*net{{a.of, b.of}}, rest...))
	case a.sum != nil:
		ok = permute(b.sum, func(p []*net) bool {
			more := make([][2]*net, 0, len(p)+len(rest))
			for i, x := range p {
				more = append(more, [2]*net{a.sum[i], x})
			}
			return m.match(append(more, rest...))
		})
	default:
		ok = m.match(rest)
	}
	if !ok {
		delete(m.to, a)
		delete(m.from, b)
	}
	return ok
}

// permute calls f with the orders of a list until it says yes.
func permute(list []*net, f func([]*net) bool) bool {
	if len(list) < 2 {
		return f(list)
	}
	for i := range list {
		rest := append(append([]*net(nil), list[:i]...), list[i+1:]...)
		if permute(rest, func(p []*net) bool { return f(append([]*net{list[i]}, p...)) }) {
			return true
		}
	}
	return false
}

// TestNASBench201 counts the different cells of NAS-Bench-201 in two ways that
// share no code: by the canonical form of the package, and by sorting the 15,625
// cells, built here from their operations, into classes with a backtracking test
// of isomorphism.
func TestNASBench201(t *testing.T) {
	classes := map[string][]*net{}
	want := 0
	for n := range 15625 {
		var ops [6]op201
		for i := range ops {
			ops[i] = op201(n % 5)
			n /= 5
		}
		c := cell201(ops)
		key := c.invariant()
		known := false
		for _, other := range classes[key] {
			known = known || isomorphic(c, other)
		}
		if !known {
			classes[key] = append(classes[key], c)
			want++
		}
	}
	got, err := open(t, "nasbench201/nasbench201.nas").Unique(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got.Len() != want {
		t.Errorf("%d classes, the test of isomorphism finds %d", got.Len(), want)
	}
}
