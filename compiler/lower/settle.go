package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/widths"
)

// settle gives the unknowns of a body their values, by the rule of its settler and
// the wiring that the genotype takes. The rule is about the operations that lead
// from an input to the settler: what is absent is left out of every fold that does
// without it, and is not built.
func (f *frame) settle(body *Body) error {
	f.dead = zeros(&f.flags, len(f.live))
	for _, n := range body.Nodes {
		if f.live[n.index] {
			dead, err := f.isDead(n)
			if err != nil {
				return err
			}
			f.dead[n.index] = dead
		}
	}
	clear(f.live)
	f.nodes = 0
	if err := f.need(body.Output); err != nil {
		return err
	}
	w := wiring{frame: f, place: make([]int32, len(f.live))}
	for i := range body.Inputs {
		w.place[i] = int32(-1 - i)
	}
	if err := w.mark(body.Settler); err != nil {
		return err
	}
	return w.settle(body)
}

// isDead reports whether a tensor is absent: declared so, or made of absent tensors
// alone.
func (f *frame) isDead(n *Node) (bool, error) {
	if n.Flags.Absent != nil {
		if v, err := n.Flags.Absent.Eval(f.taken); err != nil || v == true {
			return true, err
		}
	}
	if n.Kind == Call {
		if absent, err := f.absentBody(n.Body); absent || err != nil {
			return absent, err
		}
	}
	for _, a := range n.Args {
		if !f.present(a) {
			continue
		}
		t, err := f.follow(a.Node)
		if err != nil {
			return false, err
		}
		if !f.dead[t.index] {
			return false, nil
		}
	}
	return len(n.Args) > 0 || n.Op != nil && n.Op.Fold, nil
}

// absentBody reports whether a block stands for an absent operation.
func (f *frame) absentBody(b *Body) (bool, error) {
	out, err := f.follow(b.Output)
	switch {
	case err != nil:
		return false, err
	case out.Kind == Call:
		return f.absentBody(out.Body)
	case out.Kind == Op && out.Flags.Absent != nil:
		v, err := out.Flags.Absent.Eval(f.taken)
		return v == true, err
	}
	return false, nil
}

// leftOut reports whether n does without its operand t: it is a sparse fold, and t
// is absent.
func (f *frame) leftOut(n, t *Node) bool {
	if f.dead == nil || !f.dead[t.index] || n.Flags.Sparse == nil {
		return false
	}
	v, err := n.Flags.Sparse.Eval(f.taken)
	return err == nil && v == true
}

// wiring is what a rule sees of a body.
type wiring struct {
	*frame
	place []int32 // of each tensor: its number for the rule, 0 while not needed
	nodes []*Node
	ops   []widths.Operation
}

// mark numbers what n is made of, operands before what reads them, and then n.
func (w *wiring) mark(n *Node) error {
	if n.Kind == Input || w.place[n.index] != 0 {
		return nil
	}
	op := widths.Operation{Open: n.Open != nil, Reads: make([]int32, 0, len(n.Args))}
	for _, a := range n.Args {
		if !w.present(a) {
			continue
		}
		t, err := w.follow(a.Node)
		if err != nil {
			return err
		}
		if w.leftOut(n, t) {
			continue
		}
		if err := w.mark(t); err != nil {
			return err
		}
		r := w.place[t.index]
		if t.Kind != Input {
			r--
		}
		op.Reads = append(op.Reads, r)
	}
	w.nodes = append(w.nodes, n)
	w.ops = append(w.ops, op)
	w.place[n.index] = int32(len(w.nodes))
	return nil
}

func (w *wiring) settle(body *Body) error {
	s := body.Settler
	width, err := w.extent(s, 0)
	if err != nil {
		return err
	}
	out := make([]int, len(w.ops))
	if err := s.Settle(w.ops, width, out); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	for i, n := range w.nodes {
		if n.Open != nil {
			w.values[n.Open.ID] = int64(out[i])
		}
	}
	for _, n := range body.Nodes {
		if w.live[n.index] && n.Open != nil && w.values[n.Open.ID] == 0 {
			return fmt.Errorf("%s: what it leaves open is not settled, since it does not lead to %s", n.Name, s.Name)
		}
	}
	return nil
}
