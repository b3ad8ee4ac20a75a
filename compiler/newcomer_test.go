package compiler

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

var update = flag.Bool("update", false, "rewrite what is expected of testdata/newcomer")

// stdPlace is a place in a standard module, which may move.
var stdPlace = regexp.MustCompile(`(std/\w+):\d+:\d+`)

// TestNewcomer compares all that is said about files as a newcomer writes them,
// to be read by somebody without the manual, with what was found good.
func TestNewcomer(t *testing.T) {
	files, err := filepath.Glob("testdata/newcomer/*.nas")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		diags := checkFiles(map[string]string{name: string(src)}, name)
		if !diags.HasErrors() {
			t.Errorf("%s: nothing is wrong", name)
		}
		var b bytes.Buffer
		err = diag.Render(&b, diags, func(f string) []byte {
			if f == name {
				return src
			}
			return nil
		}, diag.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := stdPlace.ReplaceAll(b.Bytes(), []byte("$1"))
		golden := strings.TrimSuffix(file, ".nas") + ".txt"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, _ := os.ReadFile(golden); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}
