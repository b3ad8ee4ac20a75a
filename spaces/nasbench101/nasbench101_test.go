package nasbench101

import (
	"math/bits"
	"strings"
	"testing"
)

// TestPublishedHashes are modules whose hash is published: the one of the
// benchmark's README, which is like an Inception cell, and the two smallest.
func TestPublishedHashes(t *testing.T) {
	const in, out, conv1, conv3, pool = "input", "output", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"
	for _, c := range []struct {
		want   string
		matrix [][]int
		ops    []string
	}{
		{"28cfc7874f6d200472e1a9dcd8650aa0", [][]int{
			{0, 1, 1, 1, 0, 1, 0},
			{0, 0, 0, 0, 0, 0, 1},
			{0, 0, 0, 0, 0, 0, 1},
			{0, 0, 0, 0, 1, 0, 0},
			{0, 0, 0, 0, 0, 0, 1},
			{0, 0, 0, 0, 0, 0, 1},
			{0, 0, 0, 0, 0, 0, 0},
		}, []string{in, conv1, conv3, conv3, conv3, pool, out}},
		{"043721b9c7fe8c5fad811d47d83132ec", [][]int{{0, 1}, {0, 0}}, []string{in, out}},
		{"b49ac8c578b4561d79ac7087988f1c61", [][]int{{0, 1, 0}, {0, 0, 1}, {0, 0, 0}}, []string{in, conv3, out}},
		// Vertices 1 and 2 lead nowhere and come from nowhere.
		{"b49ac8c578b4561d79ac7087988f1c61", [][]int{
			{0, 1, 0, 1, 0}, {0, 0, 0, 0, 0}, {0, 0, 0, 1, 1}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 0},
		}, []string{in, pool, conv1, conv3, out}},
	} {
		m, err := New(c.matrix, c.ops)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := m.Hash(); got != c.want || !ok {
			t.Errorf("%v: %s, published %s", c.ops, got, c.want)
		}
	}
	none, err := New([][]int{{0, 1, 0}, {0, 0, 0}, {0, 0, 0}}, []string{in, pool, out})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := none.Hash(); ok {
		t.Errorf("a module without a path has the hash %s", got)
	}
}

func TestNewRejects(t *testing.T) {
	for want, c := range map[string]struct {
		matrix [][]int
		ops    []string
	}{
		"an operation for each":  {[][]int{{0, 1}, {0, 0}}, []string{"input"}},
		"below its diagonal":     {[][]int{{0, 1}, {1, 0}}, []string{"input", "output"}},
		"is 2, not 0 or 1":       {[][]int{{0, 2}, {0, 0}}, []string{"input", "output"}},
		"has 1 entries, not 2":   {[][]int{{0}, {0, 0}}, []string{"input", "output"}},
		"the first is the input": {[][]int{{0, 1}, {0, 0}}, []string{"output", "input"}},
		"no operation of NAS-Bench-101": {[][]int{{0, 1, 0}, {0, 0, 1}, {0, 0, 0}},
			[]string{"input", "conv5x5-bn-relu", "output"}},
	} {
		if _, err := New(c.matrix, c.ops); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestOneShotHashes counts the modules of NAS-Bench-1Shot1 by their hash: 2,685,
// 7,773 and 55,854 names of NAS-Bench-101. (The benchmark pads those of spaces 1 and
// 2 to seven vertices with one that has no edges, which pruning takes away.)
func TestOneShotHashes(t *testing.T) {
	for i, c := range []struct {
		parents []int // of the vertices in order, the output last
		want    int
	}{{[]int{1, 2, 2, 2, 2}, 2685}, {[]int{1, 1, 2, 2, 3}, 7773}, {[]int{1, 1, 1, 2, 2, 2}, 55854}} {
		if i == 2 && testing.Short() {
			continue
		}
		pruned := map[string]bool{} // a cheap key, so that each is hashed once
		hashes := map[string]bool{}
		n := len(c.parents) + 1
		m := Module{Reads: make([]uint32, n), Ops: make([]Op, n-2)}
		var key []byte
		look := func() {
			p, ok := m.Prune()
			if !ok {
				t.Fatalf("%v has no path", m)
			}
			key = key[:0]
			for _, r := range p.Reads {
				key = append(key, byte(r))
			}
			for _, o := range p.Ops {
				key = append(key, byte(o))
			}
			if !pruned[string(key)] {
				pruned[string(key)] = true
				h, _ := p.Hash()
				hashes[h] = true
			}
		}
		var label func(v int)
		label = func(v int) {
			if v == len(m.Ops) {
				look()
				return
			}
			for op := Conv3x3; op <= MaxPool3x3; op++ {
				m.Ops[v] = op
				label(v + 1)
			}
		}
		var wire func(v int)
		wire = func(v int) {
			if v == n {
				label(0)
				return
			}
			for set := range uint32(1) << v {
				if bits.OnesCount32(set) == c.parents[v-1] {
					m.Reads[v] = set
					wire(v + 1)
				}
			}
		}
		wire(1)
		if len(hashes) != c.want {
			t.Errorf("space %d has %d hashes, published %d", i+1, len(hashes), c.want)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	m := Module{Reads: []uint32{0, 1, 1, 1, 0b1000, 1, 0b110110}, Ops: []Op{1, 0, 0, 0, 2}}
	for b.Loop() {
		m.Hash()
	}
}
