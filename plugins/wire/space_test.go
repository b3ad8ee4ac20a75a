package wire

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/nasc-project/nasc/compiler/space"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// elastic has every kind of decision; two depths share a layer.
func elastic(t testing.TB) *space.Space {
	t.Helper()
	choice := func(address string, kind space.Kind, labels ...string) *space.Decision {
		d := &space.Decision{Address: address, Kind: kind}
		for _, l := range labels {
			d.Alts = append(d.Alts, &space.Alt{Label: l})
		}
		return d
	}
	depth := choice("stage.depth", space.Depth, "1", "2")
	one := choice("stage[0].op", space.OneOf, "conv", "pool")
	two := choice("stage[1].op", space.OneOf, "conv", "pool")
	depth.Alts[0].Sub = &space.Group{Decisions: []*space.Decision{one}}
	depth.Alts[1].Sub = &space.Group{Decisions: []*space.Decision{one, two}}
	some := choice("inputs", space.Subset, "a", "b", "c")
	some.Min, some.Max = 1, 2
	some.Alts[2].Sub = &space.Group{Decisions: []*space.Decision{choice("c.width", space.Range, "16", "32", "64")}}
	s, err := space.New("elastic", &space.Group{Decisions: []*space.Decision{depth, some}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSpace(t *testing.T) {
	s := elastic(t)
	r, err := ToSpace(overTheWire(t, FromSpace(s), &pb.Space{}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Digest() != r.Digest() || s.Name != r.Name || s.Size().Cmp(r.Size()) != 0 {
		t.Error("the space arrived differently")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var all []space.Genotype
	for range 100 {
		all = append(all, s.Sample(rng))
	}
	m := &pb.Answer{}
	FromGenotypes(m, all)
	got, err := ToGenotypes(overTheWire(t, m, &pb.Answer{}), 100, len(s.Decisions))
	if err != nil || len(got) != 100 {
		t.Fatalf("%d genotypes, %v", len(got), err)
	}
	for i, h := range got {
		if g := all[i]; !g.Equal(h) || r.Check(h) != nil {
			t.Fatalf("%v arrived as %v", g, h)
		}
	}
	if none, err := ToGenotypes(&pb.Answer{Count: 3}, 3, 0); err != nil || len(none) != 3 {
		t.Errorf("of a space without decisions: %v, %v", none, err)
	}
	for _, bad := range []*pb.Answer{{Count: -1}, {Count: 1 << 30}, {Count: 2, Genotypes: make([]int64, 5)}, {Count: 1, Genotypes: make([]int64, 6)}, {Genotypes: make([]int64, 3)}} {
		if _, err := ToGenotypes(bad, 10, 3); err == nil {
			t.Errorf("%v was read", bad)
		}
	}
}

func TestSpaceRefusals(t *testing.T) {
	for want, spoil := range map[string]func(m *pb.Space){
		"no decision 0 below":      func(m *pb.Space) { m.Decisions[0].Alternatives[0].Sub[0] = 0 },
		"no decision 99 below":     func(m *pb.Space) { m.Decisions[0].Alternatives[0].Sub[0] = 99 },
		"no decision -1 below":     func(m *pb.Space) { m.Root[0] = -1 },
		"hang nowhere":             func(m *pb.Space) { m.Root = m.Root[:1] },
		"out of order":             func(m *pb.Space) { m.Root[0], m.Root[1] = m.Root[1], m.Root[0] },
		"7 at the sender":          func(m *pb.Space) { m.Size = "7" },
		"unknown kind":             func(m *pb.Space) { m.Decisions[0].Kind = "maybe" },
		"cannot choose":            func(m *pb.Space) { m.Decisions[3].Max = 1 << 30 },
		"no alternatives":          func(m *pb.Space) { m.Decisions[1].Alternatives = nil },
		"two decisions have":       func(m *pb.Space) { m.Decisions[1].Address = m.Decisions[2].Address },
		"reached in two ways":      func(m *pb.Space) { m.Root = append(m.Root, 1) },
		"held twice by one group":  func(m *pb.Space) { m.Root = append(m.Root, 0) },
		"two alternatives are bot": func(m *pb.Space) { m.Decisions[1].Alternatives[0].Label = "pool" },
	} {
		m := FromSpace(elastic(t))
		spoil(m)
		if _, err := ToSpace(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzToSpace(f *testing.F) {
	b, err := proto.Marshal(FromSpace(elastic(f)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &pb.Space{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		s, err := ToSpace(m)
		if err != nil {
			return
		}
		if r, err := ToSpace(FromSpace(s)); err != nil || r.Digest() != s.Digest() {
			t.Fatalf("it cannot be sent again: %v", err)
		}
	})
}

func TestCheckMetrics(t *testing.T) {
	declared := []Metric{{Name: "accuracy"}, {Name: "loss"}}
	for _, c := range []struct {
		values             map[string]float64
		mistake, notFinite string
	}{
		{map[string]float64{"accuracy": 1, "loss": 2}, "", ""},
		{map[string]float64{"accuracy": 1, "loss": math.NaN()}, "", "loss is NaN"},
		{map[string]float64{"accuracy": math.Inf(1), "loss": 2}, "", "accuracy is +Inf"},
		{map[string]float64{"accuracy": 1}, "loss is missing", ""},
		{nil, "accuracy is missing", ""},
		{map[string]float64{"accuracy": 1, "loss": 2, "z": 1, "test": 1}, `"test" was never declared`, ""},
	} {
		mistake, notFinite := CheckMetrics(c.values, declared)
		if !strings.HasSuffix(mistake, c.mistake) || (c.mistake == "") != (mistake == "") ||
			!strings.HasSuffix(notFinite, c.notFinite) || (c.notFinite == "") != (notFinite == "") {
			t.Errorf("%v: %q, %q", c.values, mistake, notFinite)
		}
	}
}

func TestProgressIsClamped(t *testing.T) {
	for in, want := range map[float64]float64{-1: 0, 0.5: 0.5, 2: 1, math.Inf(-1): 0} {
		if got := ToProgress(&pb.Progress{Fraction: in}).Fraction; got != want {
			t.Errorf("%v became %v", in, got)
		}
	}
	if got := ToProgress(&pb.Progress{Fraction: math.NaN()}).Fraction; got != 0 {
		t.Errorf("NaN became %v", got)
	}
}

// TestNoTestMetricReachesAnOptimizer walks through everything that an optimizer can
// be sent.
func TestNoTestMetricReachesAnOptimizer(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	var walk func(protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		if seen[m.FullName()] {
			return
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			if sub := m.Fields().Get(i).Message(); sub != nil {
				walk(sub)
			}
		}
	}
	methods := pb.File_nasc_v1_nasc_proto.Services().ByName("Optimizer").Methods()
	for i := range methods.Len() {
		walk(methods.Get(i).Input())
	}
	if !seen["nasc.v1.Told"] || !seen["nasc.v1.ValidationMetrics"] || seen["nasc.v1.TestMetrics"] {
		t.Errorf("an optimizer is sent %v", slices.Sorted(maps.Keys(seen)))
	}
	if n := (&pb.Told{}).ProtoReflect().Descriptor().Fields().Len(); n != 3 {
		t.Errorf("Told has %d fields; does a new one tell an optimizer too much?", n)
	}
}
