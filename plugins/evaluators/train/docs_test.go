package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestDocumented: docs/training.md names every setting, and no other, with its default.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "training.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| setting | default |")
	table, _, _ = strings.Cut(table, "\n\n")
	told := map[string]string{}
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, " | ")
		names, defaults := strings.Split(strings.TrimPrefix(cells[0], "| "), ", "), strings.Split(cells[1], ", ")
		if len(names) != len(defaults) {
			t.Fatalf("%q has %d settings and %d defaults", row, len(names), len(defaults))
		}
		for i, name := range names {
			told[strings.Trim(name, "`")] = strings.Trim(defaults[i], "`")
		}
	}
	parameters, err := sdk.Parameters[Settings]()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parameters {
		want := fmt.Sprint(p.Default)
		if want == "" {
			want = "none"
		}
		got := told[p.Name]
		if got == "1e-8" {
			got = "1e-08"
		}
		if got != want {
			t.Errorf("%s has the default %s, and is documented with %q", p.Name, want, got)
		}
		delete(told, p.Name)
	}
	if len(told) > 0 {
		t.Errorf("there are no settings %v", told)
	}
}
