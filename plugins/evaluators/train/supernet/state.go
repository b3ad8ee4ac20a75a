package supernet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
)

// state describes what a file of Save holds. The arrays are the weights, the running
// means and variances of every batch norm, the steps that each tensor has made, and
// what the optimizer remembers.
type state struct {
	Supernet string // the name of the space
	Tensors  string // SHA-256 of the names and shapes of the weights
	Rule     string // of the optimizer
	Steps    int    // of the weights
	Drawn    uint64 // steps of both kinds, from which random operations draw
}

// state is that of now.
func (n *Supernet) state() state {
	h := sha256.New()
	for _, p := range n.engine.weights.learned {
		fmt.Fprintln(h, p.Name(), p.Shape())
	}
	return state{n.of.Name, hex.EncodeToString(h.Sum(nil)), fmt.Sprintf("%T%+v", n.options.Rule, n.options.Rule), n.steps, n.engine.Step}
}

// arrays lists the memory of everything that changes.
func (n *Supernet) arrays() []any {
	var all []any
	for _, p := range n.engine.weights.learned {
		all = append(all, p.Value().Data().([]float32))
	}
	for _, r := range n.engine.weights.averages {
		all = append(all, r.Mean, r.Var)
	}
	s := n.optimizer.State()
	all = append(all, s.Steps)
	for _, slot := range s.Slots {
		for _, x := range slot {
			all = append(all, x)
		}
	}
	return all
}

// Save writes everything that the next step depends on to a file: weights, the
// statistics of batch norm, and what the optimizer and operations that draw remember.
// A crash leaves the old file or the new one.
func (n *Supernet) Save(path string) error {
	return checkpoint.Write(path, n.state(), n.arrays()...)
}

// Load makes the supernet as it was when it was saved; what follows has the same bits
// as it would have had. A file of another supernet or another optimizer is an error
// and changes nothing.
func (n *Supernet) Load(path string) error {
	f, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	var s state
	if err := f.Describe(&s); err != nil {
		return err
	}
	now := n.state()
	switch {
	case s.Supernet != now.Supernet || s.Tensors != now.Tensors:
		return fmt.Errorf("%s holds the weights of another supernet, of %s", path, s.Supernet)
	case s.Rule != now.Rule:
		return fmt.Errorf("%s was written under another optimizer, %s, not %s", path, s.Rule, now.Rule)
	}
	if err := f.Arrays(n.arrays()...); err != nil {
		return err
	}
	n.steps, n.engine.Step = s.Steps, s.Drawn
	return nil
}
