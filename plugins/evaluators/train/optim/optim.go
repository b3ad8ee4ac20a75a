// Package optim moves the weights of a network along their gradients.
//
// An [Optimizer] binds a [Rule] (SGD, RMSProp, Adam or AdamW, each step for step
// as PyTorch defines it) to the tensors that it moves and keeps what the rule
// remembers of them. A [Schedule] says how large the steps are, and [ClipNorm]
// bounds them. None of it draws random numbers, so the state of an optimizer is
// its buffers and counts ([Optimizer.State]), and a training that goes on from
// them goes on bit for bit.
//
// Work is split at bounds that depend on the sizes of the tensors alone, and sums
// are added in a fixed order: the number of threads changes no bit.
package optim

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// A Rule says how one tensor moves: [SGD], [RMSProp] or [Adam].
type Rule interface {
	// Slots is how many numbers the rule remembers for every weight.
	Slots() int
	// move makes step t, from 1, of a piece of a tensor: w are weights, g their
	// gradients, slots what is remembered of them, at first zeros.
	move(t uint64, rate float64, w, g []float32, slots [][]float32)
}

// Optimizer moves the tensors of a network. One goroutine at a time may use it.
type Optimizer struct {
	rule   Rule
	params [][]float32
	state  State
	pieces []piece
	tasks  []int // where in pieces each task begins, and the end
}

// State is all that an optimizer remembers.
type State struct {
	Steps []uint64      // how many steps each tensor has made
	Slots [][][]float32 // [slot][tensor][number]
}

// piece is a part of a tensor.
type piece struct{ tensor, lo, hi int }

// span is how many weights a task moves at most, and where large tensors are cut.
const span = 1 << 14

// New returns an optimizer of params, the memory of the weights themselves.
func New(rule Rule, params [][]float32) *Optimizer {
	o := &Optimizer{rule: rule, params: params}
	o.state.Steps = make([]uint64, len(params))
	o.state.Slots = make([][][]float32, rule.Slots())
	for s := range o.state.Slots {
		o.state.Slots[s] = make([][]float32, len(params))
		for k, p := range params {
			o.state.Slots[s][k] = make([]float32, len(p))
		}
	}
	o.pieces, o.tasks = cut(params)
	return o
}

// cut divides tensors into pieces and those into tasks of about equal size.
func cut(tensors [][]float32) (pieces []piece, tasks []int) {
	tasks = []int{0}
	size := 0
	for k, t := range tensors {
		for lo := 0; lo < len(t); lo += span {
			p := piece{k, lo, min(len(t), lo+span)}
			if n := p.hi - p.lo; size+n > span && size > 0 {
				tasks = append(tasks, len(pieces))
				size = n
			} else {
				size += n
			}
			pieces = append(pieces, p)
		}
	}
	return pieces, append(tasks, len(pieces))
}

// Step moves all tensors by their gradients at a learning rate. A gradient of nil
// leaves its tensor, and what is remembered of it, alone, as PyTorch leaves a
// tensor that took no part in the step.
func (o *Optimizer) Step(ws *kernel.Workers, grads [][]float32, rate float64) {
	o.StepBy(ws, o.rule, grads, rate)
}

// StepBy is a Step by another rule, which must remember as many numbers as the
// optimizer's own: SGD with another weight decay.
func (o *Optimizer) StepBy(ws *kernel.Workers, rule Rule, grads [][]float32, rate float64) {
	for k, g := range grads {
		if g != nil {
			o.state.Steps[k]++
		}
	}
	ws.Run(len(o.tasks)-1, func(_, i int) {
		slots := make([][]float32, len(o.state.Slots))
		for _, p := range o.pieces[o.tasks[i]:o.tasks[i+1]] {
			g := grads[p.tensor]
			if g == nil {
				continue
			}
			for s := range slots {
				slots[s] = o.state.Slots[s][p.tensor][p.lo:p.hi]
			}
			rule.move(o.state.Steps[p.tensor], rate, o.params[p.tensor][p.lo:p.hi], g[p.lo:p.hi], slots)
		}
	})
}

// State is what the optimizer remembers; it shares the optimizer's memory.
func (o *Optimizer) State() State { return o.state }

// Restore copies a state that an optimizer of the same rule and the same tensors
// had. Of another it is an error, and the optimizer stays as it was.
func (o *Optimizer) Restore(s State) error {
	if len(s.Steps) != len(o.params) {
		return fmt.Errorf("the state is of %d tensors, the network has %d", len(s.Steps), len(o.params))
	}
	if len(s.Slots) != len(o.state.Slots) {
		return fmt.Errorf("the state has %d numbers for every weight, the optimizer %d", len(s.Slots), len(o.state.Slots))
	}
	for i, slot := range s.Slots {
		if len(slot) != len(o.params) {
			return fmt.Errorf("slot %d of the state is of %d tensors, the network has %d", i, len(slot), len(o.params))
		}
		for k, p := range o.params {
			if len(slot[k]) != len(p) {
				return fmt.Errorf("tensor %d has %d numbers in the state, %d in the network", k, len(slot[k]), len(p))
			}
		}
	}
	copy(o.state.Steps, s.Steps)
	for i, slot := range s.Slots {
		for k := range slot {
			copy(o.state.Slots[i][k], slot[k])
		}
	}
	return nil
}
