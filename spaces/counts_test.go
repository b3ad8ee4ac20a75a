package spaces_test

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// TestNASBench1Shot1Counts finds the numbers that the paper gives for its three
// spaces. It mixes two rules: every wiring with an operation for every vertex (space
// 2), and with an operation for every vertex that something reads (spaces 1 and 3).
func TestNASBench1Shot1Counts(t *testing.T) {
	for _, c := range []struct {
		file        string
		vertices    int
		wirings     int
		all, ofRead int
	}{
		{"space1", 4, 180, 14580, 6240},
		{"space2", 4, 360, 29160, 16632},
		{"space3", 5, 5400, 1312200, 363648},
	} {
		_, s := load(t, "nasbench1shot1/"+c.file+".nas")
		// What each vertex may read, as bits 0 (the input), 1 (v1) and so on, the
		// output last.
		reads := make([][]uint64, c.vertices+1)
		for v := range reads {
			reads[v] = []uint64{1<<(v+1) - 1} // all of prev, where there is nothing to choose
		}
		for _, d := range s.Decisions {
			if d.Kind != space.Subset {
				continue
			}
			v := c.vertices
			if _, err := fmt.Sscanf(d.Address, "module.v%d.prev", &v); err == nil {
				v--
			}
			reads[v] = nil
			for set := range uint64(1) << len(d.Alts) {
				if n := bits.OnesCount64(set); d.Min <= n && n <= d.Max {
					reads[v] = append(reads[v], set)
				}
			}
		}
		var wirings, all, ofRead int
		var count func(v int, read uint64)
		count = func(v int, read uint64) {
			if v == len(reads) {
				wirings++
				all += power(3, c.vertices)
				ofRead += power(3, bits.OnesCount64(read>>1))
				return
			}
			for _, set := range reads[v] {
				count(v+1, read|set)
			}
		}
		count(0, 0)
		if wirings != c.wirings || all != c.all || ofRead != c.ofRead {
			t.Errorf("%s: %d wirings, %d and %d architectures, want %d, %d and %d",
				c.file, wirings, all, ofRead, c.wirings, c.all, c.ofRead)
		}
	}
}

func power(a, b int) int {
	out := 1
	for range b {
		out *= a
	}
	return out
}

// TestNASBench1Shot1Unique counts the graphs that differ, as modules: so many hashes
// of NAS-Bench-101 do spaces 1 and 2 hold.
func TestNASBench1Shot1Unique(t *testing.T) {
	for _, c := range []struct {
		file string
		want int
	}{{"space1", 2685}, {"space2", 7773}} {
		_, s := load(t, "nasbench1shot1/"+c.file+".nas")
		seen := map[graph.Digest]bool{}
		for g := range s.All() {
			a, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range a.Walk() {
				if n.Body != nil && n.Body.Name == "module" {
					seen[n.Body.Hash()] = true
					break
				}
			}
		}
		if len(seen) != c.want {
			t.Errorf("%s: %d unique modules, want %d", c.file, len(seen), c.want)
		}
	}
}
