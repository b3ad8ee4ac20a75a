package table

import (
	"sync"

	"github.com/nasc-project/nasc/compiler/graph"
	space "github.com/nasc-project/nasc/spaces/nasbenchasr"
)

// NAS-Bench-ASR reports the lowest validation error of the epochs so far, and the test
// error of that epoch. Of architectures that mean the same its file has one, so rows
// are found by the benchmark's hash.
var ofSpeech = benchmark{
	id: "nasbenchasr", title: "NAS-Bench-ASR", space: "spaces/nasbenchasr",
	recognise: func(g *graph.Graph) (string, error) {
		a, err := space.Recognise(g)
		return a.String(), err
	},
	row:     asrRow,
	resolve: resolveASR,
	datasets: []dataset{{name: "timit", search: "timit", report: "timit",
		main: measure{name: "per", metric: "per", doc: "phoneme error rate, the lowest so far", best: true}}},
	fallback: "timit",
}

// byHash are the rows of a file of NAS-Bench-ASR by hash.
type byHash struct {
	once sync.Once
	rows map[string]int
}

func asrRow(s *source, name string) (int, bool) {
	if row, ok := s.Find(name); ok {
		return row, true
	}
	s.hashes.once.Do(func() {
		s.hashes.rows = map[string]int{}
		for name, row := range s.Names {
			if a, err := space.Parse(name); err == nil {
				s.hashes.rows[a.Hash()] = row
			}
		}
	})
	a, err := space.Parse(name)
	if err != nil {
		return 0, false
	}
	row, ok := s.hashes.rows[a.Hash()]
	return row, ok
}
