package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// relaxed compiles and relaxes a shipped space; ok is false if it cannot be.
func relaxed(t testing.TB, file string, r lower.Relaxation, args ...compiler.Argument) (*lower.Supernet, bool) {
	t.Helper()
	m, diags := compiler.Load(filepath.Join("..", "..", "spaces", file), os.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", args)
	if diags.HasErrors() {
		return nil, false // a search over the space of another file
	}
	n, diags := s.Relax(r)
	return n, !diags.HasErrors()
}

// travel sends a supernet over the wire.
func travel(t testing.TB, s *lower.Supernet) (*lower.Supernet, []byte) {
	t.Helper()
	m, err := FromNetwork(s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got := &pb.Network{}
	if err := proto.Unmarshal(b, got); err != nil {
		t.Fatal(err)
	}
	r, err := ToRelaxation(FromRelaxation(s.Relaxation()))
	if err != nil {
		t.Fatal(err)
	}
	back, err := ToNetwork(got, r)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return back, b
}

// TestNetworkKeepsEverything: a supernet of every space that can be relaxed arrives as
// it was sent, in every field but those of its plan, and with as many nets shared.
func TestNetworkKeepsEverything(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "spaces", "*", "*.nas"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d spaces, %v", len(files), err)
	}
	sent := map[lower.Relaxation]int{}
	for _, file := range files {
		file = filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
		for _, r := range []lower.Relaxation{{}, {Channels: 4, EdgeWeights: true}} {
			s, ok := relaxed(t, file, r)
			if !ok {
				continue
			}
			sent[r]++
			got, b := travel(t, s)
			if got.Name != s.Name || got.Relaxation() != s.Relaxation() || got.Plan() != nil {
				t.Errorf("%s: %s, relaxed %v", file, got.Name, got.Relaxation())
			}
			for i, d := range s.Decisions {
				want := *d
				want.On = nil
				if !reflect.DeepEqual(got.Decisions[i], &want) {
					t.Errorf("%s: decision %v\nwant %v", file, got.Decisions[i], want)
				}
			}
			if !reflect.DeepEqual(got.Net, s.Net) {
				t.Errorf("%s: the network changed on its way", file)
			}
			if n, want := len(nets(got.Net)), len(nets(s.Net)); n != want {
				t.Errorf("%s: %d nets, not %d", file, n, want)
			}
			if again, b2 := travel(t, got); !reflect.DeepEqual(again, got) {
				// What On says of the space is not there to be sent any more.
				t.Errorf("%s: sent again it changed, %d and %d bytes", file, len(b), len(b2))
			}
		}
	}
	if sent[lower.Relaxation{}] < 15 || sent[lower.Relaxation{Channels: 4, EdgeWeights: true}] < 6 {
		t.Errorf("only %v supernets were sent", sent)
	}
}

// TestReceived: what came over the wire can be relaxed as it is and in no other way, and
// has no genotypes.
func TestReceived(t *testing.T) {
	s, _ := relaxed(t, "nasbench201/nasbench201.nas", lower.Relaxation{Channels: 2})
	got, _ := travel(t, s)
	for _, r := range []lower.Relaxation{{Channels: 2}, got.Relaxation()} {
		if same, err := got.Relax(r); same != got || err != nil {
			t.Errorf("relaxed as it is: %v", err)
		}
	}
	if _, err := got.Relax(lower.Relaxation{}); err == nil {
		t.Error("relaxed in another way without the space")
	}
	if _, err := got.Genotype(make(lower.Choice, len(got.Decisions))); err == nil {
		t.Error("a genotype without the space")
	}
	plain, _ := relaxed(t, "nasbench201/nasbench201.nas", lower.Relaxation{})
	got, _ = travel(t, plain)
	if same, err := got.Relax(lower.Relaxation{}); same != got || err != nil {
		t.Errorf("all channels: %v", err)
	}
}

// under are the decisions under an option, by address.
func under(r *Relaxed, address string, option int) string {
	for _, d := range r.Decisions {
		if d.Address == address {
			var all []string
			for _, u := range d.Options[option].Under {
				all = append(all, r.Decisions[u].Address)
			}
			return strings.Join(all, " ")
		}
	}
	return "no such decision"
}

// TestUnder: an edge is told whose candidates its weight multiplies, whatever part of the
// channels goes through them; a vertex that is read is no candidate of the edge.
func TestUnder(t *testing.T) {
	for _, c := range []struct {
		file    string
		r       lower.Relaxation
		address string
		option  int
		want    string
	}{
		{"darts/darts.nas", lower.Relaxation{}, "normal.n[1].prev", 0, "normal.n[1].edge[0]"},
		{"darts/darts.nas", lower.Relaxation{}, "normal.n[3].prev", 4, "normal.n[3].edge[4]"},
		{"darts/darts.nas", lower.Relaxation{Channels: 4, EdgeWeights: true}, "reduce.n[2].prev", 3, "reduce.n[2].edge[3]"},
		{"darts/darts.nas", lower.Relaxation{EdgeWeights: true}, "normal.n[0].edges", 1, "normal.n[0].edge[1]"},
		{"darts/darts.nas", lower.Relaxation{}, "normal.n[1].edge[0]", 3, ""},
		{"nasbench201/nasbench201.nas", lower.Relaxation{EdgeWeights: true, Channels: 2}, "normal.n[2].edges", 1, "normal.n[2].edge[1]"},
		{"nasbench1shot1/space1.nas", lower.Relaxation{}, "module.prev", 4, ""},
		{"nasbench1shot1/space1.nas", lower.Relaxation{}, "module.v4.prev", 2, ""},
	} {
		s, ok := relaxed(t, c.file, c.r)
		if !ok {
			t.Fatal(c.file)
		}
		if got := under(RelaxedOf(s), c.address, c.option); got != c.want {
			t.Errorf("%s %v: under option %d of %s is %q, want %q", c.file, c.r, c.option, c.address, got, c.want)
		}
	}
}

// TestRelaxed: the list of a space names its decisions by their ids.
func TestRelaxed(t *testing.T) {
	s, _ := relaxed(t, "darts/darts.nas", lower.Relaxation{Channels: 4, EdgeWeights: true})
	r := RelaxedOf(s)
	added := 0
	for _, d := range r.Decisions {
		switch {
		case d.Decision >= 0 && s.Plan().Space.Decisions[d.Decision].Address != d.Address:
			t.Errorf("%s is decision %d", d.Address, d.Decision)
		case d.Decision < 0:
			added++
		}
	}
	if len(r.Decisions) != 34+2 || added != 2 { // of the two nodes that choose no edges
		t.Errorf("%d decisions, %d of them added", len(r.Decisions), added)
	}
	got, err := ToRelaxed(overTheWire(t, FromRelaxed(r), &pb.Relaxed{}))
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%v\nwant %v, %v", got, r, err)
	}
}

// tiny is a network with a mixture, an operation and two uses of a net.
func tiny() *pb.Network {
	leaf := func(name string) *pb.RelaxedOption { return &pb.RelaxedOption{Label: name} }
	op := func(name string, in int32) *pb.MixedNode {
		return &pb.MixedNode{Node: &pb.Node{Name: name, Op: "relu", Inputs: []int32{in}, Shape: []int32{4, 8, 8}}, Shaped: true}
	}
	two := leaf("b")
	two.Alternative = 1
	in := []*pb.GraphInput{{Name: "x", Shape: []int32{4, 8, 8}}}
	cell := func(name string, x int32) *pb.MixedNode {
		return &pb.MixedNode{Node: &pb.Node{Name: name, Op: "cell", Inputs: []int32{x}, Shape: []int32{4, 8, 8}}, Net: 1, Shaped: true}
	}
	return &pb.Network{Name: "tiny", Relaxed: &pb.Relaxed{Decisions: []*pb.RelaxedDecision{
		{Address: "d", Options: []*pb.RelaxedOption{leaf("a"), two}, Sites: 2}}},
		Nets: []*pb.Net{
			{Name: "net", Kind: "space", Inputs: in, Nodes: []*pb.MixedNode{cell("one", -1), cell("two", 0)}, Output: 1},
			{Name: "cell", Kind: "cell", Inputs: in, Nodes: []*pb.MixedNode{op("relu", -1),
				{Node: &pb.Node{Name: "mix", Op: lower.Mixed, Shape: []int32{4, 8, 8}}, Shaped: true, Terms: []*pb.Term{
					{Value: -1, Decisions: []int32{0}, Options: []int32{0}}, {Value: 0, Decisions: []int32{0}, Options: []int32{1}}}}}, Output: 1},
		}}
}

// TestBadNetworks: what no supernet can be is refused, with the place.
func TestBadNetworks(t *testing.T) {
	if _, err := ToNetwork(tiny(), lower.Relaxation{}); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(m *pb.Network){
		"the network is empty":                                        func(m *pb.Network) { m.Nets = nil },
		"decision 0 has the address \"\"":                             func(m *pb.Network) { m.Relaxed.Decisions[0].Address = "" },
		"decision 1 has the address \"d\"":                            func(m *pb.Network) { m.Relaxed.Decisions = append(m.Relaxed.Decisions, m.Relaxed.Decisions[0]) },
		"decision d: it has no options":                               func(m *pb.Network) { m.Relaxed.Decisions[0].Options = nil },
		"decision d: 0 to 3 edges of 2":                               func(m *pb.Network) { d := m.Relaxed.Decisions[0]; d.Edges, d.Max = true, 3 },
		"decision d: option 1 is alternative 0":                       func(m *pb.Network) { m.Relaxed.Decisions[0].Options[1].Alternative = 0 },
		"decision d: option 1 is alternative 2":                       func(m *pb.Network) { m.Relaxed.Decisions[0].Options[1].Alternative = 2 },
		"decision d: it relaxes decision -2":                          func(m *pb.Network) { m.Relaxed.Decisions[0].Decision = -2 },
		"decision d: decision 1 is not under option 0":                func(m *pb.Network) { m.Relaxed.Decisions[0].Options[0].Under = []int32{1} },
		"decision d: decision 0 is not under option 0":                func(m *pb.Network) { m.Relaxed.Decisions[0].Options[0].Under = []int32{0, 0} },
		"decision d: it weighs 2 mixtures, not 1":                     func(m *pb.Network) { m.Relaxed.Decisions[0].Sites = 1 },
		"net cell: its output refers to 2":                            func(m *pb.Network) { m.Nets[1].Output = 2 },
		"net cell: input x: its shape has the extent -1":              func(m *pb.Network) { m.Nets[1].Inputs[0].Shape[0] = -1 },
		"net net: node two: its net is 2, which is not a later one":   func(m *pb.Network) { m.Nets[0].Nodes[1].Net = 2 },
		"net cell: node relu: its net is 1, which is not a later one": func(m *pb.Network) { m.Nets[1].Nodes[0].Net = 1 },
		"net cell: node relu: it reads 0":                             func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Inputs[0] = 0 },
		"net cell: node relu: it reads -2":                            func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Inputs[0] = -2 },
		"net cell: node relu: its cost is negative":                   func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Params = -1 },
		"net cell: node relu: attribute k":                            func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Attributes = []*pb.Attribute{{Name: "k"}} },
		"net cell: node relu: its shape has the extent -3":            func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Shape[1] = -3 },
		"net cell: node relu: it is a mixture and something else":     func(m *pb.Network) { m.Nets[1].Nodes[0].Terms = m.Nets[1].Nodes[1].Terms[:1] },
		"net net: node one: it is a mixture and something else":       func(m *pb.Network) { m.Nets[0].Nodes[0].Node.Op = lower.Mixed },
		"net cell: node relu: it has no operation":                    func(m *pb.Network) { m.Nets[1].Nodes[0].Node.Op = "" },
		"net cell: node mix: it is a mixture of nothing":              func(m *pb.Network) { m.Nets[1].Nodes[1].Terms = nil },
		"net cell: node 1 has the name \"relu\"":                      func(m *pb.Network) { m.Nets[1].Nodes[1].Node.Name = "relu" },
		"net cell: node mix: it adds 1, which":                        func(m *pb.Network) { m.Nets[1].Nodes[1].Terms[0].Value = 1 },
		"net cell: node mix: it adds a tensor of [4, 8, 8] to those of [2, 8, 8]": func(m *pb.Network) {
			m.Nets[1].Nodes[1].Node.Shape[0] = 2
		},
		"net cell: node mix: 1 decisions and 2 options":    func(m *pb.Network) { m.Nets[1].Nodes[1].Terms[0].Options = []int32{0, 1} },
		"net cell: node mix: a weight is that of option 2": func(m *pb.Network) { m.Nets[1].Nodes[1].Terms[0].Options[0] = 2 },
		"net cell: node mix: a weight is that of option 0": func(m *pb.Network) { m.Nets[1].Nodes[1].Terms[0].Decisions[0] = -1 },
		"net cell: node mix: a product has two weights of decision": func(m *pb.Network) {
			t := m.Nets[1].Nodes[1].Terms[0]
			t.Decisions, t.Options = []int32{0, 0}, []int32{0, 1}
		},
		"net net: node one: its net takes 1 inputs and is given 2":   func(m *pb.Network) { m.Nets[0].Nodes[0].Node.Inputs = []int32{-1, -1} },
		"net net: node two: its net takes [4, 8, 8] and is given [9": func(m *pb.Network) { m.Nets[0].Nodes[0].Node.Shape = []int32{9}; m.Nets[0].Nodes[0].Net = 0 },
		"net net: node two: its shape is [9] and its net's [4, 8, 8": func(m *pb.Network) { m.Nets[0].Nodes[1].Node.Shape = []int32{9} },
		"the network has more than": func(m *pb.Network) {
			// Thirty nets, each twice in the one before it.
			var all []*pb.Net
			for i := range 30 {
				n := proto.CloneOf(m.Nets[0])
				for _, node := range n.Nodes {
					node.Net = int32(i + 1)
				}
				all = append(all, n)
			}
			m.Nets = append(all, m.Nets[1])
		},
	} {
		m := tiny()
		spoil(m)
		if _, err := ToNetwork(m, lower.Relaxation{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	s, err := ToNetwork(tiny(), lower.Relaxation{})
	if err != nil {
		t.Fatal(err)
	}
	s.Net.Nodes[0].Net.Nodes[0].Attrs = []graph.Attr{{Name: "k", Value: int32(3)}}
	if _, err := FromNetwork(s); err == nil || !strings.Contains(err.Error(), "net cell: node relu: attribute k") {
		t.Errorf("sent with %v", err)
	}
}

// numbersOf lists every number in a message, and how to set it.
func numbersOf(m protoreflect.Message) (set []func(v int64)) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		number := f.Kind() == protoreflect.Int32Kind || f.Kind() == protoreflect.Sint32Kind
		switch {
		case f.IsList() && number:
			for i := range v.List().Len() {
				set = append(set, func(x int64) { v.List().Set(i, protoreflect.ValueOfInt32(int32(x))) })
			}
			set = append(set, func(int64) { v.List().Truncate(v.List().Len() - 1) })
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				set = append(set, numbersOf(v.List().Get(i).Message())...)
			}
			set = append(set, func(x int64) {
				if n := v.List().Len(); n > 0 {
					v.List().Append(protoreflect.ValueOfMessage(proto.Clone(v.List().Get(int(uint64(x) % uint64(n))).Message().Interface()).ProtoReflect()))
				}
			})
		case f.Message() != nil:
			set = append(set, numbersOf(v.Message())...)
		case number:
			set = append(set, func(x int64) { m.Set(f, protoreflect.ValueOfInt32(int32(x))) })
		case f.Kind() == protoreflect.StringKind:
			set = append(set, func(int64) { m.Set(f, protoreflect.ValueOfString("mixture")) })
		}
		return true
	})
	return set
}

// TestSpoiledNetworks: with some of its numbers changed a network is refused or can be
// sent on, and never a panic.
func TestSpoiledNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	refused, taken := 0, 0
	for range 3000 {
		m := tiny()
		for range 1 + r.IntN(2) {
			v := int64(r.IntN(5) - 2)
			if r.IntN(4) == 0 {
				v = int64(r.Uint32())
			}
			all := numbersOf(m.ProtoReflect())
			all[r.IntN(len(all))](v)
		}
		s, err := ToNetwork(m, lower.Relaxation{})
		if err != nil {
			refused++
			continue
		}
		taken++
		if got, _ := travel(t, s); !reflect.DeepEqual(got, s) {
			t.Fatalf("another network arrives: %v", m)
		}
	}
	if refused < 1000 || taken < 100 {
		t.Errorf("%d are refused and %d taken", refused, taken)
	}
}

// FuzzToNetwork: whatever comes is refused or a supernet that can be sent on, and never
// a panic.
func FuzzToNetwork(f *testing.F) {
	for _, file := range []string{"nasbench201/nasbench201.nas"} {
		s, ok := relaxed(f, file, lower.Relaxation{})
		if !ok {
			f.Fatal(file)
		}
		_, b := travel(f, s)
		f.Add(b)
	}
	b, err := proto.Marshal(tiny())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &pb.Network{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		s, err := ToNetwork(m, lower.Relaxation{})
		if err != nil {
			return
		}
		got, first := travel(t, s)
		if _, second := travel(t, got); !bytes.Equal(first, second) {
			t.Error("sent again it is another")
		}
		s.Net.Walk(func(_ string, n *lower.MixedNode) { _ = fmt.Sprint(n.Label()) })
	})
}
