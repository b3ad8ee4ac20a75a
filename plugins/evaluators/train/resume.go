package train

import (
	"fmt"
	"maps"
	"slices"

	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
)

// identity is what two trainings have in common that do the same.
type identity struct {
	Architecture string // its hash
	Seed         uint64
	Epochs       int
	Settings     Settings
	Facts        map[string]string // of the data, and the kernels
}

// position is where a training stands: with the weights, the running statistics and
// what the optimizer remembers, all of its state. Random numbers are drawn by seed
// and step.
type position struct {
	Identity identity
	Step     int     // steps done
	Loss     float64 // sum over those of the epoch under way
	Curve    []Epoch
	Weights  []array
	Norms    []int // channels
	Slots    int   // numbers that the optimizer keeps for every weight that moves
}

// array is a trainable tensor.
type array struct {
	Name string
	Size int
}

func (r *Training) position() position {
	p := position{Identity: identity{r.job.Graph.Hash().String(), r.job.Seed, r.job.Epochs, r.trainer.settings.essence(), r.trainer.Facts()},
		Step: r.at, Loss: r.sum, Curve: r.curve, Slots: len(r.optimizer.State().Slots)}
	for _, w := range r.net.weights.learned {
		p.Weights = append(p.Weights, array{w.Name(), w.Shape().TotalSize()})
	}
	for _, n := range r.net.weights.running {
		p.Norms = append(p.Norms, len(n.Mean))
	}
	return p
}

// arrays are the memory of all numbers of the state.
func (r *Training) arrays() []any {
	var all []any
	for _, w := range r.net.weights.learned {
		all = append(all, w.Value().Data())
	}
	for _, n := range r.net.weights.running {
		all = append(all, n.Mean, n.Var)
	}
	state := r.optimizer.State()
	all = append(all, state.Steps)
	for _, slot := range state.Slots {
		for _, numbers := range slot {
			all = append(all, numbers)
		}
	}
	return all
}

// Save writes the whole state of a training between two steps to a file, in one step
// that survives a power cut.
func (r *Training) Save(path string) error {
	return checkpoint.Write(path, r.position(), r.arrays()...)
}

// Load goes on from a file that Save has written in a training of the same
// architecture, seed, epochs, settings and data: the steps that follow have the bits
// that they would have had there. Of another one, or damaged, it is an error and the
// training stays as it was. A missing file is fs.ErrNotExist.
func (r *Training) Load(path string) error {
	f, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	var p position
	if err := f.Describe(&p); err != nil {
		return err
	}
	if what := r.position().differs(p); what != "" {
		return fmt.Errorf("%s is of another training: %s", path, what)
	}
	if due := p.Step - len(p.Curve)*r.lessons.steps; due < 0 || due > r.lessons.steps || p.Step > r.schedule.Steps {
		return fmt.Errorf("%s stands at step %d after %d epochs, where no training stands", path, p.Step, len(p.Curve))
	}
	if err := f.Arrays(r.arrays()...); err != nil {
		return err
	}
	r.rewind() // what was made ahead is for other steps
	r.at, r.sum, r.curve = p.Step, p.Loss, p.Curve
	return nil
}

// differs says in what a position is none of the same training, or is impossible.
func (p position) differs(from position) string {
	a, b := p.Identity, from.Identity
	switch {
	case a.Architecture != b.Architecture:
		return "it trains another architecture"
	case a.Seed != b.Seed:
		return fmt.Sprintf("its seed is %d, not %d", b.Seed, a.Seed)
	case a.Epochs != b.Epochs:
		return fmt.Sprintf("it has %d epochs, not %d", b.Epochs, a.Epochs)
	case a.Settings != b.Settings:
		return fmt.Sprintf("its settings are %+v, not %+v", b.Settings, a.Settings)
	case !maps.Equal(a.Facts, b.Facts):
		return "its data or its kernels are others"
	case !slices.Equal(p.Weights, from.Weights) || !slices.Equal(p.Norms, from.Norms) || p.Slots != from.Slots:
		return "its weights have other names or sizes"
	}
	return ""
}
