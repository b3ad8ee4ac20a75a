package encode

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// liveWork finds what is live in one architecture, by the rules of graph.Live but
// on the plan, whose tensors have columns.
type liveWork struct {
	taken sym.Taken
	known map[instanceKey]*instance
	out   []float64
}

// instanceKey tells for which inputs being absent a body was worked out.
type instanceKey struct {
	body   *layout
	absent string
}

// instance is a body with the same of its inputs absent.
type instance struct {
	*liveWork
	*layout
	state  []state // by position of the tensor
	marked bool
	used   []bool // the inputs that are live
}

// state is what is known about a tensor.
type state struct {
	known, absent, live bool
	call                *instance
}

func (w *liveWork) instance(b *layout, absent []bool) *instance {
	mask := make([]byte, len(absent))
	for i, a := range absent {
		if a {
			mask[i] = 1
		}
	}
	key := instanceKey{b, string(mask)}
	if in := w.known[key]; in != nil {
		return in
	}
	in := &instance{liveWork: w, layout: b, state: make([]state, len(b.place)), used: make([]bool, len(absent))}
	for i, a := range absent {
		in.state[i] = state{known: true, absent: a}
	}
	w.known[key] = in
	return in
}

// follow follows selections to the tensor that is taken.
func (w *liveWork) follow(n *lower.Node) *lower.Node {
	for n != nil && n.Kind == lower.Select {
		i := w.taken(n.On)
		if n.On.Kind == space.Subset && i >= 0 {
			i = i >> uint(n.Item) & 1
		}
		if i < 0 || int(i) >= len(n.Cases) {
			return nil
		}
		n = n.Cases[i]
	}
	return n
}

func (w *liveWork) present(a lower.Arg) bool {
	for _, item := range a.When {
		if v := w.taken(item.On); v < 0 || v>>uint(item.Index)&1 == 0 {
			return false
		}
	}
	return a.If == nil || flag(a.If, w.taken)
}

// absent reports whether the tensor taken at n is absent.
func (in *instance) absent(n *lower.Node) bool {
	if n = in.follow(n); n == nil {
		return true
	}
	s := &in.state[in.place[n]]
	if s.known {
		return s.absent
	}
	s.known = true
	if n.Kind == lower.Call {
		mask := make([]bool, len(n.Args))
		for i, a := range n.Args {
			mask[i] = in.absent(a.Node)
		}
		s.call = in.instance(in.inner[n], mask)
		s.absent = s.call.absent(n.Body.Output)
		return s.absent
	}
	s.absent = flag(n.Flags.Absent, in.taken) || len(n.Args) > 0 || n.Op.Fold
	if !flag(n.Flags.Absent, in.taken) {
		for _, a := range n.Args {
			if in.present(a) && !in.absent(a.Node) {
				s.absent = false
			}
		}
	}
	return s.absent
}

// mark sets the columns of what the output of the body needs.
func (in *instance) mark() error {
	if in.marked {
		return nil
	}
	in.marked = true
	return in.read(link{reader: theOutput}, in.body.Output)
}

// read marks an operand of a live tensor.
func (in *instance) read(k link, operand *lower.Node) error {
	n := in.follow(operand)
	if n == nil {
		return nil
	}
	k.from = in.place[n]
	absent := in.absent(n)
	if c, ok := in.links[k]; ok && (!absent || in.gaps(k.reader)) {
		in.out[c] = 1
	}
	if absent {
		return nil
	}
	return in.need(n)
}

// gaps reports whether an absent operand of a tensor is one still.
func (in *instance) gaps(reader int) bool {
	if reader == theOutput {
		return false
	}
	n := in.body.Nodes[reader-len(in.body.Inputs)]
	return n.Kind == lower.Op && !flag(n.Flags.Sparse, in.taken)
}

func (in *instance) need(n *lower.Node) error {
	at := in.place[n]
	s := &in.state[at]
	if s.live {
		return nil
	}
	s.live = true
	if n.Kind == lower.Input {
		in.used[at] = true
		return nil
	}
	if c, ok := in.exists[at]; ok {
		in.out[c] = 1
	}
	if s.call != nil {
		if err := s.call.mark(); err != nil {
			return err
		}
	}
	for i, values := range in.attrs[at] {
		if err := in.set(n.Attrs[i].Value, values); err != nil {
			return fmt.Errorf("%s.%s: %w", n.Name, n.Attrs[i].Name, err)
		}
	}
	for i, a := range n.Args {
		if !in.present(a) || s.call != nil && !s.call.used[i] {
			continue
		}
		if err := in.read(link{reader: at, arg: i}, a.Node); err != nil {
			return err
		}
	}
	return nil
}

// set sets the column of the value of a scalar.
func (w *liveWork) set(s *sym.Scalar, values map[any]int) error {
	if values == nil {
		return nil
	}
	v, err := s.Eval(w.taken)
	if err != nil {
		return err
	}
	w.out[values[v]] = 1
	return nil
}
