package train

import (
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/labtest"
	"github.com/nasc-project/nasc/plugins/sdk/sdktest"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// BenchmarkOperation is a training step of a network of three convolutions, batch 64 of
// 16 channels at 32x32, with a ReLU in it that is nasc's own or a plugin's, which takes the
// way to a process and back twice.
func BenchmarkOperation(b *testing.B) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	for _, module := range []string{"std/vision", "me/lab"} {
		b.Run(module, func(b *testing.B) {
			g := newBuilder("lab", 3, 32, 32).then("conv_bn", "out", 16)
			g.op("relu", []graph.Ref{0})
			g.then("conv_bn", "out", 16).then("conv_bn", "out", 16)
			net := g.classifier(10)
			net.Nodes[1].Module, net.Nodes[1].Shape = module, graph.Shape{16, 32, 32}
			n, err := newNetwork(net, ws, 64, 1, objective{}, sdktest.Operations(b, labtest.Plugin))
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			for b.Loop() {
				if err := n.step(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
