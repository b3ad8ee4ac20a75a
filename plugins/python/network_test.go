package python_test

import (
	"flag"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

var networkFile = flag.String("network", "", "write the supernet of NAS-Bench-201 with C=16, N=1 to a file, for bench/supernet.py")

// TestNetwork writes what bench/supernet.py measures.
func TestNetwork(t *testing.T) {
	if *networkFile == "" {
		t.Skip("no -network FILE is given")
	}
	m, diags := compiler.Load("nasbench201/nasbench201.nas", spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", []compiler.Argument{{Name: "n", Value: int64(1)}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(lower.Relaxation{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	message, err := wire.FromNetwork(n)
	if err != nil {
		t.Fatal(err)
	}
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*networkFile, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
