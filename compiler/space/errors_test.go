package space

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNewRejects(t *testing.T) {
	shared := leaf("shared", 2)
	alts := func(groups ...*Group) (out []*Alt) {
		for i, g := range groups {
			out = append(out, &Alt{Label: string(rune('a' + i)), Sub: g})
		}
		return out
	}
	holding := func(d ...*Decision) *Group { return &Group{Decisions: d} }
	loop := &Decision{Address: "loop", Kind: OneOf}
	loop.Alts = alts(holding(loop))
	deep := holding()
	for range MaxNesting + 1 {
		deep = holding(&Decision{Kind: OneOf, Alts: alts(deep)})
	}
	for d, n := deep.Decisions, 0; len(d) > 0; d, n = d[0].Alts[0].Sub.Decisions, n+1 {
		d[0].Address = strings.Repeat("x", 1) + strings.Repeat("y", n%7) + string(rune(0x4e00+n))
	}
	for _, c := range []struct {
		name, want string
		root       *Group
	}{
		{"no address", "no address", holding(&Decision{Kind: OneOf, Alts: alts(nil)})},
		{"same address", "two decisions", holding(leaf("a", 2), leaf("a", 2))},
		{"no alternatives", "no alternatives", holding(&Decision{Address: "a", Kind: OneOf})},
		{"unknown kind", "unknown kind", holding(&Decision{Address: "a", Kind: "many", Alts: alts(nil)})},
		{"3 of 2", "cannot choose 3..3 of 2", holding(&Decision{Address: "a", Kind: Subset, Min: 3, Max: 3, Alts: alts(nil, nil)})},
		{"min above max", "cannot choose", holding(&Decision{Address: "a", Kind: Subset, Min: 2, Max: 1, Alts: alts(nil, nil)})},
		{"one-of takes two", "takes one alternative", holding(&Decision{Address: "a", Kind: OneOf, Min: 2, Max: 2, Alts: alts(nil, nil)})},
		{"64 items", "more than 63", holding(func() *Decision { d := leaf("a", 64); d.Kind, d.Max = Subset, 1; return d }())},
		{"equal labels", `both written "a"`, holding(&Decision{Address: "d", Kind: OneOf, Alts: []*Alt{{Label: "a"}, {Label: "a"}}})},
		{"nil decision", "nil decision", holding(&Decision{Address: "d", Kind: OneOf, Alts: alts(holding(nil))})},
		{"nil alternative", "is nil", holding(&Decision{Address: "d", Kind: OneOf, Alts: []*Alt{nil}})},
		{"twice in a group", "held twice", holding(shared, shared)},
		{"root and below", "two ways", holding(leaf("s", 2), &Decision{Address: "d", Kind: OneOf, Alts: alts(holding(shared))}, shared)},
		{"two parents", "two ways", holding(
			&Decision{Address: "p", Kind: OneOf, Alts: alts(holding(shared), nil)},
			&Decision{Address: "q", Kind: OneOf, Alts: alts(nil, holding(shared))})},
		{"two items", "two items", holding(&Decision{Address: "d", Kind: Subset, Min: 1, Max: 2, Alts: alts(holding(shared), holding(shared))})},
		{"cycle", "two ways", holding(loop)},
		{"too deep", "nested more than", deep},
	} {
		_, err := New(c.name, c.root)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestCheckRejects(t *testing.T) {
	s := mustNew(t, "ofa", stagesOFA())
	good := s.Sample(rand.New(rand.NewPCG(1, 1)))
	darts := mustNew(t, "darts", cellDARTS())
	pair, _ := darts.Parse(darts.Format(darts.Sample(rand.New(rand.NewPCG(1, 1)))))
	set := func(g Genotype, id int, v int64) Genotype {
		g = g.Clone()
		g[id] = v
		return g
	}
	depth := s.Decisions[3]
	if depth.Kind != Depth {
		t.Fatal("decision 3 is not the depth")
	}
	shallow, err := s.Parse(strings.Repeat("0,", 5+5*4) + "0")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		space      *Space
		g          Genotype
	}{
		{"short", "has 4 decisions", s, good[:4]},
		{"beyond", "has no alternative 25", s, set(good, 0, 25)},
		{"negative", "has no alternative -2", s, set(good, 0, -2)},
		{"missing", "leaves out r", s, set(good, 0, Inactive)},
		{"stray", "stage[0].layer[2].kernel does not exist", s, set(shallow, 6, 0)},
		{"three of two", "takes 3 items, it must take 2", darts, set(pair, darts.Decisions[3].ID, 7)},
		{"item beyond", "beyond its 2", darts, set(pair, 0, 5)},
	} {
		err := c.space.Check(c.g)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestText(t *testing.T) {
	s := mustNew(t, "darts", cellDARTS())
	g, err := s.Parse(" {0, 1},0,6,{0,2},1,1,{1,3},2,3,{0,4},4,5,{0,1},0,0,{0,1},0,0,{0,1},0,0,{0,1},0,0")
	if err != nil {
		t.Fatal(err)
	}
	const want = "{0,1},0,6,{0,2},1,1,{1,3},2,3,{0,4},4,5,{0,1},0,0,{0,1},0,0,{0,1},0,0,{0,1},0,0"
	if got := s.Format(g); got != want {
		t.Errorf("Format = %s", got)
	}
	l := s.Labels(g)
	if l[0] != (Labelled{"normal.n[0].prev", "{p[0], p[1]}"}) || l[2] != (Labelled{"normal.n[0].edge[1]", "op6"}) {
		t.Errorf("Labels = %v", l[:3])
	}
	s = mustNew(t, "nasbench201", cell201())
	for _, c := range []struct{ text, want string }{
		{"", "ends after 0 values, before normal.n[0].edge[0]"},
		{"0,1,2", "ends after 3"},
		{"0,0,0,0,0,0,0", "has 7 values"},
		{"0,0,0,0,0,5", "normal.n[2].edge[2] has no alternative 5"},
		{"0,0,x,0,0,0", `not "x"`},
		{"{0},0,0,0,0,0", "needs the number"},
	} {
		if _, err := s.Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q): error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func TestFromLabels(t *testing.T) {
	edges := func(change map[string]string) map[string]string {
		m := map[string]string{}
		for _, d := range cell201().Decisions {
			m[d.Address] = "op3"
		}
		for k, v := range change {
			m[k] = v
			if v == "" {
				delete(m, k)
			}
		}
		return m
	}
	// Results stored by label survive another order of the alternatives.
	reversed := cell201()
	for _, d := range reversed.Decisions {
		for i, j := 0, len(d.Alts)-1; i < j; i, j = i+1, j-1 {
			d.Alts[i], d.Alts[j] = d.Alts[j], d.Alts[i]
		}
	}
	g, err := mustNew(t, "reversed", reversed).FromLabels(edges(nil))
	if err != nil || !g.Equal(Genotype{1, 1, 1, 1, 1, 1}) {
		t.Errorf("reversed: %v, %v", g, err)
	}
	s := mustNew(t, "nasbench201", cell201())
	for _, c := range []struct {
		change map[string]string
		want   string
	}{
		{map[string]string{"normal.n[0].edge[0]": ""}, "no alternative is named for normal.n[0].edge[0]"},
		{map[string]string{"normal.n[0].edge[0]": "op33"}, "has no alternative op33; did you mean op3?"},
		{map[string]string{"normal.n[0].edge[0]": "", "normal.n[0].egde[0]": "op1"}, "has no decision normal.n[0].egde[0]; did you mean normal.n[0].edge[0]?"},
	} {
		if _, err := s.FromLabels(edges(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("FromLabels: error %v, want one with %q", err, c.want)
		}
	}
	// A decision below an alternative that is not taken must not be named.
	s = mustNew(t, "nested", &Group{Decisions: []*Decision{{Address: "a", Kind: OneOf, Alts: []*Alt{
		{Label: "x", Sub: &Group{Decisions: []*Decision{leaf("a.b", 2)}}}, {Label: "y"},
	}}}})
	if _, err := s.FromLabels(map[string]string{"a": "y", "a.b": "op0"}); err == nil || !strings.Contains(err.Error(), "a.b does not exist") {
		t.Errorf("FromLabels: error %v", err)
	}
}

func TestDigest(t *testing.T) {
	a := mustNew(t, "a", cell201())
	if b := mustNew(t, "b", cell201()); a.Digest() != b.Digest() {
		t.Error("the name counts")
	}
	changed := cell201()
	changed.Decisions[2].Alts[1].Label = "other"
	if b := mustNew(t, "a", changed); a.Digest() == b.Digest() {
		t.Error("a label does not count")
	}
	root := cell201()
	root.Decisions = append(root.Decisions, leaf("z", 1))
	if b := mustNew(t, "a", root); a.Digest() == b.Digest() {
		t.Error("a decision without a choice does not count")
	}
}

// FuzzRead feeds hostile text, bytes and labels: whatever is accepted is an
// architecture and is written back as it was read.
func FuzzRead(f *testing.F) {
	spaces := []*Space{mustNew(f, "darts", cellDARTS()), mustNew(f, "ofa", stagesOFA()), mustNew(f, "nasbench201", cell201())}
	for _, s := range spaces {
		for range 3 {
			g := s.Sample(rand.New(rand.NewPCG(1, 1)))
			var labels strings.Builder
			for _, l := range s.Labels(g) {
				labels.WriteString(l.Address + "=" + l.Label + "\n")
			}
			f.Add(s.Format(g), s.Pack(g), labels.String())
		}
	}
	f.Add("{},{", []byte{0xff}, "=\n=")
	f.Add(strings.Repeat("0,", 25)+"0", []byte(nil), "")
	f.Fuzz(func(t *testing.T, text string, packed []byte, labels string) {
		byAddress := map[string]string{}
		for _, l := range strings.Split(strings.TrimSuffix(labels, "\n"), "\n") {
			if address, label, ok := strings.Cut(l, "="); ok {
				byAddress[address] = label
			}
		}
		for _, s := range spaces {
			sound := func(g Genotype) {
				if err := s.Check(g); err != nil {
					t.Fatal(err)
				}
				if h, err := s.Parse(s.Format(g)); err != nil || !h.Equal(g) {
					t.Fatalf("Parse(%s): %v, %v", s.Format(g), h, err)
				}
			}
			if g, err := s.Parse(text); err == nil {
				sound(g)
			}
			if g, err := s.Unpack(packed); err == nil {
				sound(g)
				if string(s.Pack(g)) != string(packed) {
					t.Fatalf("Pack(Unpack(%x)) = %x", packed, s.Pack(g))
				}
			}
			if g, err := s.FromLabels(byAddress); err == nil {
				sound(g)
				for d := range s.Active(g) {
					if read, label := byAddress[d.Address], d.LabelOf(g[d.ID]); d.Kind != Subset && read != label {
						t.Fatalf("%s: %q was read as %q", d.Address, read, label)
					}
				}
			}
		}
	})
}
