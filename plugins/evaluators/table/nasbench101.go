package table

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	space "github.com/nasc-project/nasc/spaces/nasbench101"
)

// NAS-Bench-101 also answers for the three spaces of NAS-Bench-1Shot1, whose
// architectures are modules of it. Those are searched in a narrower network, and found
// here by their module alone: the benchmark has results for stems of 128 channels.
var ofModules = benchmark{
	id: "nasbench101", title: "NAS-Bench-101", space: "spaces/nasbench101 or spaces/nasbench1shot1",
	recognise: module101,
	datasets:  []dataset{{name: "cifar10", search: "cifar10", report: "cifar10", main: accuracy}}, fallback: "cifar10",
	epochs: 108,
}

// module101 is the hash of the module of a network.
func module101(g *graph.Graph) (string, error) {
	m, _, err := space.Recognise(g)
	if err != nil {
		return "", err
	}
	m, ok := m.Prune()
	if !ok {
		return "", fmt.Errorf("no path leads from the input of its module to the output")
	}
	if v, e := len(m.Reads), m.Edges(); v > space.Vertices || e > space.MaxEdges {
		return "", fmt.Errorf("its module has %d vertices and %d edges, more than %d and %d", v, e, space.Vertices, space.MaxEdges)
	}
	hash, _ := m.Hash()
	return hash, nil
}
