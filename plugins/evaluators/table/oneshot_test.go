package table

import (
	"math"
	"math/bits"
	"path/filepath"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/spaces/nasbench101"
	"github.com/nasc-project/nasc/spaces/nasbench1shot1"
)

// TestOneShot finds the best of the three spaces of NAS-Bench-1Shot1 by mean test
// accuracy in the table of NAS-Bench-101: all wirings with all operations, and the
// networks that the shipped spaces make of some of them.
func TestOneShot(t *testing.T) {
	if testing.Short() {
		t.Skip("1.3 million modules are hashed")
	}
	e := open(t, settings(imported(t, "csv", "nasbench101.csv.gz")))
	for i, c := range []struct {
		hashes int
		best   string
		test   float64
	}{
		{2685, "49f7891fc1771926d85dfce1df854041", 94.20072},
		{7773, "0c6034b2f9668482453138e9d00079cf", 93.96701},
		{55854, "a958be818a5f3d98eb5ce84f41a7764a", 94.17735},
	} {
		hashes := modules(nasbench1shot1.Parents[i])
		best, accuracy, ties := "", math.Inf(-1), 0
		for hash := range hashes {
			switch v := test(t, e, e.named(hash))["accuracy"]; {
			case v > accuracy:
				best, accuracy, ties = hash, v, 1
			case v == accuracy:
				ties++
			}
		}
		t.Logf("space %d: %d hashes, the best %s with %v %% (%d with as much)", i+1, len(hashes), best, accuracy, ties)
		if len(hashes) != c.hashes || best != c.best || accuracy != c.test || ties != 1 {
			t.Errorf("space %d: %d hashes, the best %s with %v; want %d, %s with %v", i+1, len(hashes), best, accuracy, c.hashes, c.best, c.test)
		}
		s := shippedFile(t, filepath.Join("nasbench1shot1", []string{"space1.nas", "space2.nas", "space3.nas"}[i]))
		rng := stream.New(1, "oneshot", uint64(i))
		for range 300 {
			g, err := s.Bind(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			key, err := e.Recognise(g)
			if err != nil {
				t.Fatal(err)
			}
			if !hashes[key.(*network).name] {
				t.Fatalf("a network of the space is the module %s, which is none of the enumerated", key.(*network).name)
			}
			if v := test(t, e, sdk.Candidate{Key: key})["accuracy"]; v > accuracy {
				t.Errorf("a network of the space has %v", v)
			}
		}
	}
}

// modules are the hashes of a space's modules, of which every vertex reads as many
// earlier ones as parents says.
func modules(parents []int) map[string]bool {
	hashes := map[string]bool{}
	seen := map[[8]uint32]bool{} // pruned
	inner := len(parents) - 1
	m := nasbench101.Module{Reads: make([]uint32, inner+2), Ops: make([]nasbench101.Op, inner)}
	var wire func(v int)
	wire = func(v int) {
		if v < len(m.Reads) {
			for set := range uint32(1) << v {
				if bits.OnesCount32(set) == parents[v-1] {
					m.Reads[v] = set
					wire(v + 1)
				}
			}
			return
		}
		for n := range int(math.Pow(3, float64(inner))) {
			for i := range m.Ops {
				m.Ops[i] = nasbench101.Op(n % 3)
				n /= 3
			}
			p, ok := m.Prune()
			if !ok {
				continue
			}
			var key [8]uint32
			copy(key[:], p.Reads)
			for i, op := range p.Ops {
				key[7] |= uint32(op) << (2 * i)
			}
			key[7] |= uint32(len(p.Reads)) << 20
			if seen[key] {
				continue
			}
			seen[key] = true
			hash, _ := p.Hash()
			hashes[hash] = true
		}
	}
	wire(1)
	return hashes
}

// shippedFile compiles the one space of a shipped file.
func shippedFile(t testing.TB, file string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(filepath.ToSlash(file), spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}
