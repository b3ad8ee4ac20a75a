package spaces_test

import (
	"bytes"
	"flag"
	"math/big"
	"os"
	"path"
	"testing"

	"github.com/nasc-project/nasc/compiler/export"
)

var update = flag.Bool("update", false, "draw the pictures of the spaces anew")

// drawings are the pictures that lie beside the spaces, and that of the project's
// README: `nasc draw spaces/FILE.nas '#NUMBER' -o PICTURE`, in this folder by
//
//	go test ./spaces -run Drawings -update
var drawings = []struct{ picture, file, number string }{
	{"../docs/img/nasbench201.svg", "nasbench201/nasbench201.nas", "15417"},
	{"autoformer/autoformer.svg", "autoformer/autoformer.nas", "898897590"},
	{"darts/darts.svg", "darts/darts.nas", "896579870346069059"},
	{"einspace/einspace.svg", "einspace/einspace.nas", "12197810007130915"},
	{"fbnet/fbnet.svg", "fbnet/fbnet.nas", "859569262951041965074"},
	{"hierarchical/hierarchical.svg", "hierarchical/hierarchical.nas", "621080755236719459816682787251119042395"},
	{"nasbench101/nasbench101.svg", "nasbench101/nasbench101.nas", "463241502"},
	{"nasbench1shot1/space3.svg", "nasbench1shot1/space3.nas", "1260768"},
	{"nasbench201/nasbench201.svg", "nasbench201/nasbench201.nas", "15417"},
	{"nasbenchasr/nasbenchasr.svg", "nasbenchasr/nasbenchasr.nas", "13612"},
	{"natssize/natssize.svg", "natssize/natssize.nas", "5917"},
	{"ofa/ofa.svg", "ofa/ofa.nas", "474123739218333089948"},
	{"quickstart/quickstart.svg", "quickstart/quickstart.nas", "3250"},
	{"robustdarts/s1.svg", "robustdarts/s1.nas", "2109112732"},
	{"spos/spos.svg", "spos/spos.nas", "495644123801"},
	{"transnasbench101/macro.svg", "transnasbench101/macro.nas", "3113"},
	{"transnasbench101/micro.svg", "transnasbench101/micro.nas", "1846"},
}

// TestDrawings draws the pictures again and compares.
func TestDrawings(t *testing.T) {
	drawn := map[string]bool{}
	for _, d := range drawings {
		drawn[path.Dir(d.picture)] = true
		_, s := load(t, d.file)
		n, ok := new(big.Int).SetString(d.number, 10)
		if !ok {
			t.Fatalf("%s: number %q", d.picture, d.number)
		}
		genotype, err := s.Space.Unrank(n)
		if err != nil {
			t.Fatalf("%s: %v", d.picture, err)
		}
		g, err := s.Bind(genotype)
		if err != nil {
			t.Fatalf("%s: %v", d.picture, err)
		}
		picture, err := export.Draw(g, export.Options{Format: export.SVG, Title: g.Name})
		if err != nil {
			t.Fatalf("%s: %v", d.picture, err)
		}
		if *update {
			if err := os.WriteFile(d.picture, picture, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		old, err := os.ReadFile(d.picture)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(old, picture) {
			t.Errorf("%s is not what is drawn now", d.picture)
		}
	}
	for file := range sizes {
		if folder := path.Dir(file); !drawn[folder] {
			t.Errorf("%s has no picture", folder)
		}
	}
}
