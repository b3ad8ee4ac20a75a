package supernet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
)

// state describes what a file of Save holds. The arrays are the weights, the running
// means and variances of every batch norm, the steps that each tensor has made, and
// what the optimizer remembers.
type state struct {
	Supernet   string           // the name of the space
	Relaxation lower.Relaxation // of it
	Tensors    string           // SHA-256 of the names and shapes of the weights
	Rule       string           // of the optimizer
	Steps      int              // of the weights
	Drawn      uint64           // steps of both kinds, from which random operations draw
	Note       json.RawMessage  `json:",omitempty"` // of the caller
}

// state is that of now.
func (n *Supernet) state() state {
	h := sha256.New()
	for _, p := range n.engine.weights.learned {
		fmt.Fprintln(h, p.Name(), p.Shape())
	}
	return state{Supernet: n.of.Name, Relaxation: n.of.Relaxation(), Tensors: hex.EncodeToString(h.Sum(nil)),
		Rule: fmt.Sprintf("%T%+v", n.options.Rule, n.options.Rule), Steps: n.steps, Drawn: n.engine.Step}
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
// statistics of batch norm, and what the optimizer and operations that draw remember;
// and with it a note of the caller, which JSON can hold. A crash leaves the old file
// or the new one.
func (n *Supernet) Save(path string, note any) error {
	s := n.state()
	var err error
	if s.Note, err = json.Marshal(note); err != nil {
		return err
	}
	return checkpoint.Write(path, s, n.arrays()...)
}

// Load makes the supernet as it was when it was saved; what follows has the same bits
// as it would have had. Accept is shown the note first. If it refuses, or the file is
// of another supernet or another optimizer, it is an error and changes nothing.
func (n *Supernet) Load(path string, accept func(note []byte) error) error {
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
	case s.Supernet != now.Supernet:
		return fmt.Errorf("%s holds the weights of another supernet, of %s", path, s.Supernet)
	case s.Relaxation != now.Relaxation:
		return fmt.Errorf("%s holds a supernet relaxed with %v, this one is with %v", path, relaxed(s.Relaxation), relaxed(now.Relaxation))
	case s.Tensors != now.Tensors:
		return fmt.Errorf("%s holds the weights of another supernet, which is of %s too", path, s.Supernet)
	case s.Rule != now.Rule:
		return fmt.Errorf("%s was written under another optimizer, %s, not %s", path, s.Rule, now.Rule)
	}
	if err := accept(s.Note); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Arrays(n.arrays()...); err != nil {
		return err
	}
	n.steps, n.engine.Step = s.Steps, s.Drawn
	return nil
}

// relaxed says how a space is relaxed.
func relaxed(r lower.Relaxation) string {
	edges := "without weights of its edges"
	if r.EdgeWeights {
		edges = "with weights of its edges"
	}
	return fmt.Sprintf("1/%d of the channels and %s", max(r.Channels, 1), edges)
}
