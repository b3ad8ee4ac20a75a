package oneshot

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Parts are the components of a one-shot method, and how its steps follow one another.
// Perturbation, Channels and Guard may be nil.
type Parts struct {
	Relaxation   Relaxation
	Perturbation Perturbation
	Channels     Channels
	Order        Order
	Update       Update
	Guard        Guard
	Selection    Selection

	// EdgeNorm gives edges weights that are learned (PC-DARTS), also those that the
	// space does not choose among.
	EdgeNorm bool
	// WarmUp is how many epochs there are without arch steps, in the beginning, a [Span].
	WarmUp float64
	// WeightsFirst makes the weight step before the arch step.
	WeightsFirst bool
	// Period is how many weight steps there are for one arch step; 0 is 1.
	Period int
	// ScoreBatches is how many batches of the validation part the derived architecture
	// is measured on after each epoch, always the first ones, so that epochs can be
	// compared; 0: it is not measured.
	ScoreBatches int

	names map[string]string // of the components in a catalogue, by slot
}

// component is one of the parts and the slot that it is in.
type component struct {
	slot string
	any
}

// all lists the components that there are.
func (p *Parts) all() []component {
	var out []component
	add := func(slot string, c any, there bool) {
		if there {
			out = append(out, component{slot, c})
		}
	}
	add("relax", p.Relaxation, true)
	add("perturb", p.Perturbation, p.Perturbation != nil)
	add("partial", p.Channels, p.Channels != nil)
	add("order", p.Order, true)
	add("update", p.Update, true)
	add("guard", p.Guard, p.Guard != nil)
	add("select", p.Selection, true)
	return out
}

// relaxation is the one to begin with.
func (p *Parts) relaxation() sdk.Relaxation {
	var r sdk.Relaxation
	if p.Channels != nil {
		r = p.Channels.Relaxation()
	}
	_, grouped := p.Relaxation.(Grouped)
	r.EdgeWeights = r.EdgeWeights || p.EdgeNorm || grouped
	return r
}

func (p *Parts) check() error {
	if p.Relaxation == nil || p.Order == nil || p.Update == nil || p.Selection == nil {
		return fmt.Errorf("a one-shot method has a relaxation, an order, an update and a selection")
	}
	return p.fitsUpdate()
}

// handles is an error about the first decision that a component cannot handle.
func (p *Parts) handles(r *sdk.Relaxed) error {
	for _, c := range p.all() {
		h, ok := c.any.(Handler)
		if !ok {
			continue
		}
		for _, d := range r.Decisions {
			if k := Kind(d); h.Handles()&k == 0 && (c.slot != "relax" || learned(d, p.EdgeNorm)) {
				return sdk.RefuseDecision(d.Address, "`%s` cannot relax %v", p.name(c), k)
			}
		}
	}
	return nil
}

// name is what a component is called in messages.
func (p *Parts) name(c component) string {
	if n, ok := p.names[c.slot]; ok {
		return n
	}
	return c.slot
}

// Span is a number of epochs; less than 1 is a share of all of them.
func Span(v float64, epochs int) int {
	if v < 1 {
		v *= float64(epochs)
	}
	return int(math.Round(min(v, math.MaxInt32)))
}
