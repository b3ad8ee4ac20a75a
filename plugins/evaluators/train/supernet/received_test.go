package supernet

import (
	"reflect"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// TestReceived: a supernet that came over the wire, without its space, trains to the
// same bits as the one that was sent, and stays relaxed as it is.
func TestReceived(t *testing.T) {
	for _, r := range []lower.Relaxation{{}, {Channels: 2, EdgeWeights: true}} {
		const file = "nasbench201/nasbench201.nas"
		_, s := load(t, file, r, small[file]...)
		m, err := wire.FromNetwork(s)
		if err != nil {
			t.Fatal(err)
		}
		received, err := wire.ToNetwork(m, s.Relaxation())
		if err != nil {
			t.Fatal(err)
		}
		ws := kernel.NewWorkers(2)
		defer ws.Close()
		var results [2][]any
		for i, of := range []*lower.Supernet{s, received} {
			n, err := New(of, ws, Options{Batch: 2, Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			if n.Of() != of {
				t.Error("it was relaxed again")
			}
			images, labels := batch(of, 2, 2, 10, 1)
			x := random(n.Decisions(), 4)
			for range 2 {
				loss, err := n.WeightStep(t.Context(), images, labels, x)
				if err != nil {
					t.Fatal(err)
				}
				arch, grad, err := n.ArchGradient(t.Context(), images, labels, x)
				if err != nil {
					t.Fatal(err)
				}
				results[i] = append(results[i], loss, arch, grad)
			}
		}
		if !reflect.DeepEqual(results[0], results[1]) {
			t.Errorf("%v: %v\nreceived %v", r, results[0], results[1])
		}
		if _, err := New(received, ws, Options{Batch: 2, Channels: 4}); err == nil {
			t.Error("what was received is relaxed in another way")
		}
	}
}
