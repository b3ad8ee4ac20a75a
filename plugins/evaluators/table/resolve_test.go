package table

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// TestRecognisesTheSpace binds every architecture of the shipped space and
// finds it again from its graph, also by way of the wire.
func TestRecognisesTheSpace(t *testing.T) {
	s := shipped(t, "nasbench201")
	ops := []nasbench201.Op{nasbench201.None, nasbench201.Skip, nasbench201.Conv1x1, nasbench201.Conv3x3, nasbench201.AvgPool} // as the space lists them
	for g := range s.All() {
		var want nasbench201.Arch
		for i, v := range g {
			want[i] = ops[v]
		}
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nasbench201.Recognise(bound)
		if err != nil || got != want {
			t.Fatalf("%s is recognised as %s, %v", want, got, err)
		}
		if want.Number()%500 != 0 {
			continue
		}
		m, err := wire.AppendGraph(nil, bound)
		if err != nil {
			t.Fatal(err)
		}
		received, err := wire.ReadGraph(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nasbench201.Recognise(received); err != nil || got != want {
			t.Fatalf("over the wire %s is recognised as %s, %v", want, got, err)
		}
	}
}

func shipped(t testing.TB, name string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(filepath.Join("..", "..", "..", "spaces", name, name+".nas"), os.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return s
}

func TestResolve(t *testing.T) {
	s := shipped(t, "nasbench201")
	var choices []sdk.Choice
	for _, d := range s.Decisions {
		c := sdk.Choice{Address: d.Address, Kind: d.Kind}
		for _, a := range d.Alts {
			c.Labels = append(c.Labels, a.Label)
		}
		choices = append(choices, c)
	}
	e := Evaluator{&answers{benchmark: &ofTopology}}
	for n := 0; n < nasbench201.Architectures; n += 77 {
		a := nasbench201.At(n)
		labels, recognised, err := e.Resolve(a.String(), choices)
		if err != nil || !recognised {
			t.Fatal(err)
		}
		g, err := s.FromLabels(labels)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nasbench201.Recognise(bound); err != nil || got != a {
			t.Fatalf("%s resolves to %s, %v", a, got, err)
		}
	}
	if _, recognised, err := e.Resolve("0,1,2,3,4,0", choices); recognised || err != nil {
		t.Errorf("a genotype: %v, %v", recognised, err)
	}
	const all = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	for want, c := range map[string][]sdk.Choice{
		"has no decision n[2].edge[2]": choices[:5],
		"which is no edge":             append([]sdk.Choice{{Address: "depth"}}, choices...),
		"cannot be none":               {{Address: "n[0].edge[0]", Labels: []string{"skip"}}},
	} {
		if _, _, err := e.Resolve(all, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestResolveNames: the name that an architecture is recognised by leads back to it.
func TestResolveNames(t *testing.T) {
	for file, b := range map[string]*benchmark{
		"natssize/natssize.nas": &ofSizes, "transnasbench101/micro.nas": &ofTasks, "transnasbench101/macro.nas": &ofTasks,
		"nasbenchasr/nasbenchasr.nas": &ofSpeech,
	} {
		s := shippedFile(t, file)
		var choices []sdk.Choice
		for _, d := range s.Decisions {
			c := sdk.Choice{Address: d.Address, Kind: d.Kind}
			for _, a := range d.Alts {
				c.Labels = append(c.Labels, a.Label)
			}
			choices = append(choices, c)
		}
		e := Evaluator{&answers{benchmark: b}}
		n := 0
		for g := range s.All() {
			if n++; n%113 != 0 {
				continue
			}
			bound, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			name, err := b.recognise(bound)
			if err != nil {
				t.Fatal(err)
			}
			labels, recognised, err := e.Resolve(name, choices)
			if err != nil || !recognised {
				t.Fatalf("%s: %s is not read: %v", file, name, err)
			}
			back, err := s.FromLabels(labels)
			if err != nil || s.Format(back) != s.Format(g) {
				t.Fatalf("%s: %s is read as %v, not %s, %v", file, name, back, s.Format(g), err)
			}
		}
		for _, text := range []string{"1,2,3", "#5", "x"} {
			if _, recognised, err := e.Resolve(text, choices); recognised || err != nil {
				t.Errorf("%s: %q: %v, %v", file, text, recognised, err)
			}
		}
		for _, text := range map[*benchmark][]string{
			&ofSizes:  {"8:8:8:8", "8:8:8:8:9", "8:8:8:8:x"},
			&ofTasks:  {"64-1111-basic", "64-41414-4_00_000", "64-"},
			&ofSpeech: {"[[1,0]]", "[[6,0],[1,0,0],[1,0,0,0]]"},
		}[b] {
			if _, recognised, err := e.Resolve(text, choices); !recognised || err == nil {
				t.Errorf("%s: %q: %v, %v", file, text, recognised, err)
			}
		}
		name := map[*benchmark]string{&ofSizes: "8:8:8:8:8", &ofTasks: "64-1234-basic", &ofSpeech: "[[1,0],[1,0,0],[1,0,0,0]]"}[b]
		other := []sdk.Choice{{Address: "other", Labels: []string{"1"}}}
		if _, _, err := e.Resolve(name, other); err == nil {
			t.Errorf("%s is read for a space of something else", name)
		}
	}
}
