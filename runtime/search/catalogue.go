package search

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/runtime/store"
)

// Space is what the loop needs of the thing that is searched.
type Space interface {
	Check(space.Genotype) error
	Format(space.Genotype) string
	Parse(string) (space.Genotype, error)
	Labels(space.Genotype) []space.Labelled
	Bind(space.Genotype) (*graph.Graph, error)
}

// Catalogue keeps what searches know of the architectures of one space. Many
// searches may use it at once; each architecture is described by the first that
// meets it.
type Catalogue struct {
	space  Space
	admits func(space.Genotype) error
	folder *store.Folder
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu      sync.Mutex
	known   map[string]*known
	outside int // of the known
}

// mostOutside is how many architectures that the space does not admit a shard keeps:
// an optimizer may go through very many of them.
const mostOutside = 4096

// NewCatalogue makes a catalogue for searches whose logs are in a folder. admits
// tells why the space does not admit an architecture; nil: it admits all.
func NewCatalogue(s Space, admits func(space.Genotype) error, folder *store.Folder) *Catalogue {
	c := &Catalogue{space: s, admits: admits, folder: folder, seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].known = map[string]*known{}
	}
	return c
}

// known is an architecture that has been met.
type known struct {
	genotype space.Genotype
	outside  string // why the space does not admit it

	mu       sync.Mutex
	kept     *store.Architecture // once a trial has it
	failure  string              // why it cannot be bound
	graph    *graph.Graph        // until it has been evaluated
	analytic map[string]float64
}

// meet looks an architecture up. It fails for what is not in the space.
func (c *Catalogue) meet(g space.Genotype) (*known, error) {
	var buf [128]byte
	key := buf[:0]
	for _, v := range g {
		key = binary.AppendVarint(key, v)
	}
	s := &c.shards[maphash.Bytes(c.seed, key)%uint64(len(c.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.known[string(key)]; k != nil {
		return k, nil
	}
	if err := c.space.Check(g); err != nil {
		return nil, err
	}
	k := &known{genotype: g}
	if c.admits != nil {
		if err := c.admits(g); err != nil {
			k.outside = err.Error()
			if s.outside++; s.outside > mostOutside {
				return k, nil
			}
		}
	}
	s.known[string(key)] = k
	return k, nil
}

// recall takes over what the log says of an architecture.
func (k *known) recall(a *store.Architecture) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		// Labels are for the log alone.
		k.kept = &store.Architecture{ID: a.ID, Genotype: a.Genotype, Hash: a.Hash}
	}
}

// describe gives an architecture its description in the log, and says why it
// cannot be bound, if so.
func (c *Catalogue) describe(k *known) (a *store.Architecture, failure string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept != nil && (k.kept.Hash != "" || k.failure != "") {
		return k.kept, k.failure, nil
	}
	hash := ""
	bound, err := c.space.Bind(k.genotype)
	if err != nil {
		k.failure = err.Error()
	} else {
		hash, k.graph = bound.Hash().String(), bound
	}
	if k.kept == nil {
		k.kept, err = c.folder.Add(c.space.Format(k.genotype), labels(c.space.Labels(k.genotype)), hash)
		if err != nil {
			return nil, "", err
		}
	}
	return k.kept, k.failure, nil
}

// bind is the graph of an architecture.
func (c *Catalogue) bind(k *known) (*graph.Graph, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.graph != nil {
		return k.graph, nil
	}
	return c.space.Bind(k.genotype)
}

// judged lets go of the graph, which the evaluator has seen.
func (k *known) judged() {
	k.mu.Lock()
	k.graph = nil
	k.mu.Unlock()
}

// computed is an analytic metric of an architecture.
func (c *Catalogue) computed(k *known, name string) (float64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.analytic[name]
	if !ok {
		g := k.graph
		if g == nil {
			var err error
			if g, err = c.space.Bind(k.genotype); err != nil {
				return 0, fmt.Errorf("architecture %s: %w", k.kept.Genotype, err)
			}
		}
		if k.analytic == nil {
			k.analytic = map[string]float64{}
		}
		v = Analytic[name](g)
		k.analytic[name] = v
	}
	return v, nil
}

// labels is a JSON object in the order of the decisions.
func labels(taken []space.Labelled) json.RawMessage {
	out := []byte{'{'}
	for i, d := range taken {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quote(d.Address)...)
		out = append(out, ':')
		out = append(out, quote(d.Label)...)
	}
	return append(out, '}')
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string can always be written
		return []byte(`""`)
	}
	return b
}
