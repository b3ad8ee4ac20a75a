// Package python_test keeps the Python SDK in step with Go: it writes what Go makes of
// every shipped space into tests/vectors.json, and one-shot searches into
// tests/oneshot.json, which the tests in Python compare with what they make of them.
package python_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io/fs"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

var update = flag.Bool("update", false, "write tests/vectors.json and tests/oneshot.json")

const vectorsFile = "tests/vectors.json"

// vector is what one space does, all with the stream ("vectors", 0) of seed 7.
type vector struct {
	Space     string           // the message Space, base64
	Samples   []space.Genotype // three of them
	Ranks     []string         // of the samples
	Mutants   []space.Genotype // of each sample
	Children  []space.Genotype // of sample 0 with each sample
	Distances []int            // from sample 0
	Neighbors []space.Genotype // the first five of sample 0
	Middle    space.Genotype   // the architecture whose rank is half of the size
	Graph     string           // of sample 0, base64; empty where it is large
	Params    int64            // of that graph
	MACs      int64
}

// vectors are those of all shipped spaces, and words of random streams.
type vectors struct {
	Bits    []uint64  // of the stream ("bits", 3) of seed 5
	Below   []uint64  // below 10, 1000, 2^40 + 1, 3 * 2^62 of the same stream, going on
	Perm    []int     // of 10, going on
	Float64 float64   // going on
	Normal  []float64 // every 500th of 20000: some of each way to make one come before it
	Exp     []float64
	Spaces  map[string]vector
}

func made(t *testing.T) vectors {
	r := stream.New(5, "bits", 3)
	v := vectors{Spaces: map[string]vector{}}
	for range 4 {
		v.Bits = append(v.Bits, r.Uint64())
	}
	for _, n := range []uint64{10, 1000, 1<<40 + 1, 3 << 62} {
		v.Below = append(v.Below, r.Uint64N(n))
	}
	v.Perm, v.Float64 = r.Perm(10), r.Float64()
	for i := range 20000 {
		if n, e := r.NormFloat64(), r.ExpFloat64(); i%500 == 499 {
			v.Normal, v.Exp = append(v.Normal, n), append(v.Exp, e)
		}
	}
	err := fs.WalkDir(spaces.Files, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".nas" {
			return err
		}
		m, diags := compiler.Load(file, func(name string) ([]byte, error) { return fs.ReadFile(spaces.Files, name) })
		if err := diags.Err(); err != nil {
			return err
		}
		for _, name := range m.Spaces() {
			s, diags := m.Space(name, nil)
			if err := diags.Err(); err != nil {
				return err
			}
			v.Spaces[name] = of(t, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func of(t *testing.T, s *compiler.Space) (v vector) {
	tree := s.Unconstrained()
	v.Space = message(t, wire.FromSpace(tree))
	r := stream.New(7, "vectors", 0)
	for range 3 {
		v.Samples = append(v.Samples, tree.Sample(r))
	}
	first := v.Samples[0]
	for _, g := range v.Samples {
		rank, err := tree.Rank(g)
		if err != nil {
			t.Fatal(err)
		}
		v.Ranks = append(v.Ranks, rank.String())
		v.Mutants = append(v.Mutants, tree.Mutate(r, g))
		v.Children = append(v.Children, tree.Crossover(r, first, g))
		v.Distances = append(v.Distances, tree.Distance(first, g))
	}
	for g := range tree.Neighbors(first) {
		if v.Neighbors = append(v.Neighbors, g.Clone()); len(v.Neighbors) == 5 {
			break
		}
	}
	var err error
	if v.Middle, err = tree.Unrank(new(big.Int).Rsh(tree.Size(), 1)); err != nil {
		t.Fatal(err)
	}
	g, err := s.Bind(first)
	if err != nil {
		return v // a constraint forbids it
	}
	b, err := wire.AppendGraph(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	v.Params, v.MACs = g.Params(), g.MACs()
	if len(b) < 8<<10 {
		v.Graph = base64.StdEncoding.EncodeToString(b)
	}
	return v
}

// TestVectors: the file is what Go makes of the spaces today.
func TestVectors(t *testing.T) {
	compareFile(t, vectorsFile, made(t))
}

// compareFile compares a file with what it holds by Go, and with -update writes it.
func compareFile(t *testing.T, name string, what any) {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	text = append(bytes.ReplaceAll(text, []byte(`},"`), []byte("},\n\"")), '\n') // a line for each space
	file := filepath.FromSlash(name)
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(there) != string(text) {
		t.Errorf("%s is not what Go makes; write it anew with go test ./plugins/python -update, and see that the tests in Python pass", name)
	}
}

// message is a message in base64.
func message(t *testing.T, m proto.Message) string {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}
