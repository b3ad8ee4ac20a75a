package builtin

import (
	"slices"
	"testing"
)

func TestBuiltIns(t *testing.T) {
	if !slices.IsSorted(Names()) {
		t.Errorf("the names %v are not sorted", Names())
	}
	for _, name := range Names() {
		p, ok := Plugin(name)
		if !ok {
			t.Fatalf("%s is listed but not there", name)
		}
		d, err := p.Description()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d.Name != "nasc/"+name || d.Doc == "" {
			t.Errorf("%s calls itself %s and says %q", name, d.Name, d.Doc)
		}
		for _, c := range d.Components {
			if c.Doc == "" {
				t.Errorf("%s.%s is not documented", name, c.Name)
			}
			for _, p := range c.Parameters {
				if p.Doc == "" {
					t.Errorf("%s.%s: the parameter %s is not documented", name, c.Name, p.Name)
				}
			}
		}
	}
	if _, ok := Plugin("nothing"); ok {
		t.Error("there is a plugin called nothing")
	}
}
