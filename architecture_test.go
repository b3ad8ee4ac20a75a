// Package nasc_test checks rules that hold for the whole tree.
package nasc_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/nasc-project/nasc/"

// layers are the top-level folders in the direction of dependency: a package may
// import its own layer and those to the left, never one to the right. The spaces are
// data that stands beside them; bench measures all of them and nobody imports it.
var layers = []string{"dsl", "stdlib", "compiler", "plugins", "runtime", "cmd", "bench"}

// confined says which packages alone may import a library.
var confined = []struct {
	library string
	users   []string
}{
	{"github.com/alecthomas/participle", []string{"dsl/syntax"}},
	{"github.com/hashicorp/go-plugin", []string{"runtime/host", "plugins/sdk"}},
	{"gorgonia.org/gorgonia", []string{"stdlib/", "plugins/evaluators/train"}},
	{"gorgonia.org/tensor", []string{"stdlib/", "plugins/evaluators/train"}},
	{"gorgonia.org/cu", nil},
	{"modernc.org/sqlite", []string{"runtime/store"}},
	{"github.com/spf13/cobra", []string{"cmd/nasc"}},
	{"gonum.org/v1/plot", []string{"runtime/compare/draw"}},
}

type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
	GoFiles    []string
}

// packages lists the packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Imports,GoFiles", "./...").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	return pkgs
}

// layer is the position of a package of this module, or -1 outside the layers.
func layer(path string) int {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return -1
	}
	top, _, _ := strings.Cut(rest, "/")
	for i, l := range layers {
		if l == top {
			return i
		}
	}
	return -1
}

func TestDependencyDirection(t *testing.T) {
	for _, p := range packages(t) {
		at := layer(p.ImportPath)
		for _, im := range p.Imports {
			if to := layer(im); at >= 0 && to > at {
				t.Errorf("%s imports %s, which lies above it", p.ImportPath, im)
			}
		}
	}
}

func TestConfinedLibraries(t *testing.T) {
	for _, p := range packages(t) {
		own := strings.TrimPrefix(p.ImportPath, module)
		for _, im := range p.Imports {
			for _, c := range confined {
				if im != c.library && !strings.HasPrefix(im, c.library+"/") {
					continue
				}
				allowed := false
				for _, u := range c.users {
					allowed = allowed || own == strings.TrimSuffix(u, "/") || strings.HasPrefix(own, strings.TrimSuffix(u, "/")+"/")
				}
				if !allowed {
					t.Errorf("%s imports %s, which only %v may", own, im, c.users)
				}
			}
		}
	}
}

// TestSpacesAndMethodsApart: the compiler knows no plugin, and the runtime knows
// no space.
func TestSpacesAndMethodsApart(t *testing.T) {
	for _, p := range packages(t) {
		own := strings.TrimPrefix(p.ImportPath, module)
		for _, im := range p.Imports {
			im = strings.TrimPrefix(im, module)
			if strings.HasPrefix(own, "runtime/") && (im == "spaces" || strings.HasPrefix(im, "plugins/optimizers") || strings.HasPrefix(im, "plugins/evaluators")) {
				t.Errorf("%s imports %s", own, im)
			}
			if strings.HasPrefix(own, "compiler") && im == "spaces" {
				t.Errorf("%s imports %s", own, im)
			}
		}
	}
}

func TestPackageDocs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" && !strings.HasSuffix(p.ImportPath, "/v1") {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
