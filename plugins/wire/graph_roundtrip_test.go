package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// TestGraphKeepsEverything sends architectures of all shipped spaces over the wire: the
// graph that arrives is the one that was sent, in every field, also when generated
// code has written it.
func TestGraphKeepsEverything(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "spaces", "*", "*.nas"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d spaces, %v", len(files), err)
	}
	sent := 0
	for _, file := range files {
		m, diags := compiler.Load(file, os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			continue // a search over the space of another file
		}
		for i := range uint64(3) {
			g, err := s.Bind(s.Sample(stream.New(1, file, i)))
			if err != nil {
				t.Fatal(err)
			}
			b, err := AppendGraph(nil, g)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadGraph(b)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if !reflect.DeepEqual(got, g.Clone()) {
				t.Errorf("%s: the graph changed on its way", file)
			}
			generated := message(t, b)
			if again, err := ReadGraph(marshal(t, generated)); err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("%s: generated code writes another graph, %v", file, err)
			}
			sent++
		}
	}
	if sent < 60 {
		t.Errorf("only %d graphs were sent", sent)
	}
}

// message reads a graph by generated code, which must know every field of it.
func message(t *testing.T, b []byte) *pb.Graph {
	t.Helper()
	m := &pb.Graph{}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	if n := proto.Size(m); n != len(b) {
		t.Errorf("generated code makes %d bytes of %d", n, len(b))
	}
	if err := protorange.Range(m.ProtoReflect(), func(v protopath.Values) error {
		if m, ok := v.Index(-1).Value.Interface().(protoreflect.Message); ok && len(m.GetUnknown()) > 0 {
			return fmt.Errorf("%s has fields that it does not declare", m.Descriptor().Name())
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	return m
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the graph of a first evaluation costs on its way.
func BenchmarkGraph(b *testing.B) {
	m, diags := compiler.Load(filepath.Join("..", "..", "spaces", "nasbench201", "nasbench201.nas"), os.ReadFile)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	// Of many architectures, as a search meets them.
	graphs := make([]*graph.Graph, 200)
	sent := make([][]byte, len(graphs))
	size := 0
	for i := range graphs {
		g, err := s.Bind(s.Sample(stream.New(1, "graph", uint64(i))))
		if err != nil {
			b.Fatal(err)
		}
		graphs[i] = g
		if sent[i], err = AppendGraph(nil, g); err != nil {
			b.Fatal(err)
		}
		size += len(sent[i])
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size / len(graphs)))
		for i := 0; b.Loop(); i++ {
			if _, err := AppendGraph(nil, graphs[i%len(graphs)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size / len(graphs)))
		for i := 0; b.Loop(); i++ {
			if _, err := ReadGraph(sent[i%len(sent)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
