package train

import (
	"context"
	"math"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// trainable are the shipped spaces all of whose operations have an
// implementation in stdlib/ops.
var trainable = []string{
	"darts/darts.nas", "nasbench201/nasbench201.nas", "quickstart/quickstart.nas",
	"robustdarts/s2.nas", "robustdarts/s3.nas",
}

// TestShippedSpaces builds architectures of the trainable spaces as the compiler
// makes them, and takes a step with each. Shapes and numbers of parameters are
// those that the compiler worked out, or building fails.
func TestShippedSpaces(t *testing.T) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	for _, name := range trainable {
		m, diags := compiler.Load(name, spaces.Files.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		rng := stream.New(1, "test", 0)
		for range 4 {
			g, err := s.Bind(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			n, err := newNetwork(g, ws, 2, 1)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for i := range n.images {
				n.images[i] = float32(i%7) - 3
			}
			if err := n.step(context.Background()); err != nil {
				t.Fatal(err)
			}
			if loss := float64(n.loss[0]); math.IsNaN(loss) || loss > 100 {
				t.Errorf("%s: a first loss of %v", name, loss)
			}
		}
	}
}
