package oneshot

import (
	"testing"

	"github.com/nasc-project/nasc/plugins/wire"
)

// The plugin describes itself without mistakes: one one-shot component, which needs no
// setting.
func TestPlugin(t *testing.T) {
	d, err := Plugin.Description()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Components) != 1 || d.Components[0].Name != "shot" || !d.Components[0].OneShot {
		t.Fatalf("%+v", d.Components)
	}
	parameters := map[string]wire.Parameter{}
	for _, p := range d.Components[0].Parameters {
		if p.Default == nil || p.Doc == "" {
			t.Errorf("%+v", p)
		}
		parameters[p.Name] = p
	}
	for slot, first := range map[string]string{"relax": "softmax", "perturb": "none", "partial": "none", "order": "first", "update": "adam", "guard": "none", "select": "argmax"} {
		if p := parameters[slot]; p.Default != first || len(p.Choices) < 2 {
			t.Errorf("%s: %+v", slot, p)
		}
	}
}
