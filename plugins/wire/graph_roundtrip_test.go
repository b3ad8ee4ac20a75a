package wire

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// TestGraphKeepsEverything sends architectures of the shipped spaces over the
// wire: the graph that arrives is the one that was sent, in every field.
func TestGraphKeepsEverything(t *testing.T) {
	for _, name := range []string{"nasbench201", "darts", "quickstart"} {
		m, diags := compiler.Load(filepath.Join("..", "..", "spaces", name, name+".nas"), os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		g, err := s.Bind(s.Sample(stream.New(1, name, 0)))
		if err != nil {
			t.Fatal(err)
		}
		msg, err := FromGraph(g)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ToGraph(msg)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, g.Clone()) {
			t.Errorf("%s: the graph changed on its way", name)
		}
	}
}
