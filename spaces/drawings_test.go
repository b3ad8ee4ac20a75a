package spaces_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
)

var update = flag.Bool("update", false, "draw the pictures of the spaces anew")

// drawings are the pictures that lie beside the spaces, and those of the project's
// README: `nasc draw spaces/FILE.nas '#NUMBER' -o PICTURE`, or without a number for
// the picture of a whole space, in this folder by
//
//	go test ./spaces -run Drawings -update
var drawings = []struct{ picture, file, number string }{
	{"../docs/img/nasbench201.svg", "nasbench201/nasbench201.nas", "15417"},
	{"../docs/img/nasbench201-space.svg", "nasbench201/nasbench201.nas", ""},
	{"autoformer/space.svg", "autoformer/autoformer.nas", ""},
	{"autoformer/autoformer.svg", "autoformer/autoformer.nas", "898897590"},
	{"darts/space.svg", "darts/darts.nas", ""},
	{"darts/darts.svg", "darts/darts.nas", "896579870346069059"},
	{"einspace/space.svg", "einspace/einspace.nas", ""},
	{"einspace/einspace.svg", "einspace/einspace.nas", "12197810007130915"},
	{"fbnet/space.svg", "fbnet/fbnet.nas", ""},
	{"fbnet/fbnet.svg", "fbnet/fbnet.nas", "859569262951041965074"},
	{"hierarchical/space.svg", "hierarchical/hierarchical.nas", ""},
	{"hierarchical/hierarchical.svg", "hierarchical/hierarchical.nas", "621080755236719459816682787251119042395"},
	{"nasbench101/space.svg", "nasbench101/nasbench101.nas", ""},
	{"nasbench101/nasbench101.svg", "nasbench101/nasbench101.nas", "463241502"},
	{"nasbench1shot1/space3.svg", "nasbench1shot1/space3.nas", "1260768"},
	{"nasbench201/space.svg", "nasbench201/nasbench201.nas", ""},
	{"nasbench201/nasbench201.svg", "nasbench201/nasbench201.nas", "15417"},
	{"nasbenchasr/space.svg", "nasbenchasr/nasbenchasr.nas", ""},
	{"nasbenchasr/nasbenchasr.svg", "nasbenchasr/nasbenchasr.nas", "13612"},
	{"natssize/natssize.svg", "natssize/natssize.nas", "5917"},
	{"ofa/space.svg", "ofa/ofa.nas", ""},
	{"ofa/ofa.svg", "ofa/ofa.nas", "474123739218333089948"},
	{"quickstart/quickstart.svg", "quickstart/quickstart.nas", "3250"},
	{"robustdarts/s1.svg", "robustdarts/s1.nas", "2109112732"},
	{"spos/spos.svg", "spos/spos.nas", "495644123801"},
	{"transnasbench101/macro.svg", "transnasbench101/macro.nas", "3113"},
	{"transnasbench101/micro.svg", "transnasbench101/micro.nas", "1846"},
}

// picture draws a space, or one architecture of it.
func picture(s *compiler.Space, number string) ([]byte, error) {
	if number == "" {
		return s.Draw(export.Options{Format: export.SVG, Title: s.Name})
	}
	n, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return nil, fmt.Errorf("number %q", number)
	}
	genotype, err := s.Space.Unrank(n)
	if err != nil {
		return nil, err
	}
	g, err := s.Bind(genotype)
	if err != nil {
		return nil, err
	}
	return export.Draw(g, export.Options{Format: export.SVG, Title: g.Name})
}

// TestDrawings draws the pictures again and compares.
func TestDrawings(t *testing.T) {
	drawn := map[string]bool{}
	for _, d := range drawings {
		drawn[path.Dir(d.picture)] = true
		_, s := load(t, d.file)
		now, err := picture(s, d.number)
		if err != nil {
			t.Fatalf("%s: %v", d.picture, err)
		}
		legible(t, d.picture, now)
		if *update {
			if err := os.WriteFile(d.picture, now, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		old, err := os.ReadFile(d.picture)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(old, now) {
			t.Errorf("%s is not what is drawn now", d.picture)
		}
	}
	for file := range sizes {
		if folder := path.Dir(file); !drawn[folder] {
			t.Errorf("%s has no picture", folder)
		}
	}
}

// TestSpacesAreDrawn draws every space in every format, twice: the same, legible,
// on one page, and in a terminal of 80 columns.
func TestSpacesAreDrawn(t *testing.T) {
	for _, file := range files(t) {
		_, s := load(t, file)
		_, again := load(t, file)
		for _, f := range []export.Format{export.SVG, export.PNG, export.DOT, export.Text} {
			one, err := s.Draw(export.Options{Format: f, Title: s.Name})
			if err != nil {
				t.Errorf("%s as %s: %v", file, f, err)
				continue
			}
			switch f {
			case export.SVG:
				legible(t, file, one)
				if page, _ := marks(t, one); page.right > 900 || page.bottom > 1000 {
					t.Errorf("%s: the text of %.0f by %.0f would be too small on a page", file, page.right, page.bottom)
				}
			case export.Text:
				for _, line := range strings.Split(string(one), "\n") {
					if n := len([]rune(line)); n > 80 {
						t.Errorf("%s: a line of %d signs: %s", file, n, line)
					}
				}
			}
			if f == export.PNG {
				continue // painted from the scene of the SVG
			}
			two, err := again.Draw(export.Options{Format: f, Title: s.Name})
			if err != nil || !bytes.Equal(one, two) {
				t.Errorf("%s as %s is drawn in two ways (%v)", file, f, err)
			}
		}
	}
}
