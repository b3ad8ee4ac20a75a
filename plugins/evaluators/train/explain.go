package train

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Explain says what a training step of an architecture does at a batch size: the
// steps of its plan.
func Explain(g *graph.Graph, batch int) (string, error) {
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	n, err := newNetwork(g, ws, batch, 0, objective{}, nil)
	if err != nil {
		return "", err
	}
	defer n.Close() // there are no operations of plugins in it
	return fmt.Sprintf("training of %s: %d weights\n\ntraining step: %s\nscore: %s", g.Name, n.weights.count, n.training.Explain(), n.scoring.Explain()), nil
}
