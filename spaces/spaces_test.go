package spaces_test

import (
	"bytes"
	"io/fs"
	"math/big"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/spaces"
)

// sizes are the exact numbers of architectures. Every shipped file has a line.
var sizes = map[string]string{
	"quickstart/quickstart.nas": "3375", // 3 widths, (1..3 depths)^2, 5^3 cells of three edges

	"nasbench101/nasbench101.nas": "373754169", // 1,538,083 of 2^21 wirings (compiler/count), 3^5 operations
	"nasbench1shot1/space1.nas":   "14580",     // 1 * 1 * 3 * 6 * 10 wirings, 3^4 operations
	"nasbench1shot1/space2.nas":   "29160",     // 1 * 2 * 3 * 6 * 10, 3^4
	"nasbench1shot1/space3.nas":   "1312200",   // 1 * 2 * 3 * 6 * 10 * 15, 3^5
	"nasbench201/nasbench201.nas": "15625",     // 5^6
	"natssize/natssize.nas":       "32768",     // 8^5

	"darts/darts.nas":    mul(pow(180, 2), pow(7, 16)), // 1 * 3 * 6 * 10 wirings and 7^8 operations, two cells
	"robustdarts/s1.nas": mul(pow(180, 2), pow(2, 16)),
	"robustdarts/s2.nas": mul(pow(180, 2), pow(2, 16)),
	"robustdarts/s3.nas": mul(pow(180, 2), pow(2, 16)), // the absent edge is never kept
	"robustdarts/s4.nas": mul(pow(180, 2), pow(2, 16)),

	"hierarchical/hierarchical.nas": mul(pow(7, 46)), // 6 motifs of 6 edges, one cell of 10
	"transnasbench101/micro.nas":    "4096",          // 4^6
	"transnasbench101/macro.nas":    "3256",          // see TestTransNASBench101Macro
	"nasbenchasr/nasbenchasr.nas":   "13824",         // 6^3 operations, 2^6 skip connections

	"ofa/ofa.nas":               mul(pow(25, 1), pow(7371, 5)), // resolutions; 9^2 + 9^3 + 9^4 per stage
	"fbnet/fbnet.nas":           mul(pow(9, 22)),
	"spos/spos.nas":             mul(pow(4, 20)),
	"autoformer/autoformer.nas": "1056964608", // 3 * (4^12 + 4^13 + 4^14)

	// A module of fuel n has a(n) = 7 + a(n-1) + 3 a(n-1)^2 + a(n-1)^3 words,
	// a(0) = 7: 7, 504, 128786623; the network has two.
	"einspace/einspace.nas": mul(pow(128786623, 2)),
}

func pow(a, b int64) *big.Int { return new(big.Int).Exp(big.NewInt(a), big.NewInt(b), nil) }

func mul(xs ...*big.Int) string {
	out := big.NewInt(1)
	for _, x := range xs {
		out.Mul(out, x)
	}
	return out.String()
}

// files lists the shipped files that declare a space. Those of package reproduce are
// studies of these, and tested there; those of [oneshots] are searches of them.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(spaces.Files, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(p) == ".nas" && path.Dir(p) != "reproduce" && !strings.HasPrefix(path.Base(p), "oneshot") {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// load compiles the one space of a shipped file.
func load(t *testing.T, file string, args ...compiler.Argument) (*compiler.Module, *compiler.Space) {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diags := m.Check(); len(diags) > 0 {
		t.Fatal(diags)
	}
	s, diags := m.Space("", args)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return m, s
}

// cited finds the year of a citation.
var cited = regexp.MustCompile(`\b(19|20)\d\d\b`)

// TestEveryFile demands of every shipped space what its readers rely on: it
// compiles without a word, has the size that is written down above, says what it
// is and where it was published, and is in canonical layout.
func TestEveryFile(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range files(t) {
		seen[file] = true
		t.Run(file, func(t *testing.T) {
			m, s := load(t, file)
			want, known := sizes[file]
			if !known {
				t.Fatal("its size is not written down in this test")
			}
			if got, err := s.Count(); err != nil || got.String() != want {
				t.Errorf("%s architectures, %v, want %s", got, err, want)
			}
			doc := m.Doc(s.Name)
			if file != "quickstart/quickstart.nas" && !cited.MatchString(doc) {
				t.Errorf("the documentation of %s cites no publication: %q", s.Name, doc)
			}
			if doc == "" {
				t.Errorf("%s has no documentation", s.Name)
			}
			src, err := spaces.Files.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if out, diags := format.Source(file, src); len(diags) > 0 || !bytes.Equal(out, src) {
				t.Errorf("not in the layout of `nasc fmt` %v", diags)
			}
		})
	}
	for file := range sizes {
		if !seen[file] {
			t.Errorf("%s has a size and no file", file)
		}
	}
}

// TestEverySample draws architectures of every space. Each binds to a valid graph,
// prints as a space of size one with the same hash and costs, and can be drawn.
func TestEverySample(t *testing.T) {
	for _, file := range files(t) {
		t.Run(file, func(t *testing.T) {
			_, s := load(t, file)
			rng := stream.New(11, "spaces", 0)
			for i := range 8 {
				g := s.Sample(rng)
				a, err := s.Bind(g)
				if err != nil {
					t.Fatalf("%s: %v", s.Format(g), err)
				}
				if err := a.Validate(); err != nil {
					t.Fatalf("%s: %v", s.Format(g), err)
				}
				text, err := s.Print(g)
				if err != nil {
					t.Fatal(err)
				}
				b, err := alone(t, text).Bind(space.Genotype{})
				if err != nil {
					t.Fatal(err)
				}
				if a.Hash() != b.Hash() || a.Params() != b.Params() || a.MACs() != b.MACs() {
					t.Fatalf("the printed architecture differs: params %d and %d, MACs %d and %d\n%s",
						a.Params(), b.Params(), a.MACs(), b.MACs(), text)
				}
				if i > 0 {
					continue
				}
				for _, f := range []export.Format{export.SVG, export.Text} {
					if _, err := export.Draw(a, export.Options{Format: f}); err != nil {
						t.Errorf("%s: %v", f, err)
					}
				}
			}
		})
	}
}

// alone compiles a printed architecture.
func alone(t *testing.T, text string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load("arch.nas", func(string) ([]byte, error) { return []byte(text), nil })
	if len(diags) > 0 {
		t.Fatalf("%s\n%v", text, diags)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 {
		t.Fatalf("%s\n%v", text, diags)
	}
	if s.Size().String() != "1" {
		t.Fatalf("the printed architecture has %s members:\n%s", s.Size(), text)
	}
	return s
}

// TestTransNASBench101Macro spells out the benchmark's rule: strings of four to six
// digits, one to four of which halve the resolution (3 and 4) and one to three of
// which double the channels (2 and 4).
func TestTransNASBench101Macro(t *testing.T) {
	_, s := load(t, "transnasbench101/macro.nas")
	want := map[string]bool{}
	var digits func(prefix string)
	digits = func(prefix string) {
		if n := len(prefix); n >= 4 {
			halved := strings.Count(prefix, "3") + strings.Count(prefix, "4")
			widened := strings.Count(prefix, "2") + strings.Count(prefix, "4")
			if 1 <= halved && halved <= 4 && 1 <= widened && widened <= 3 {
				want[prefix] = true
			}
			if n == 6 {
				return
			}
		}
		for _, d := range "1234" {
			digits(prefix + string(d))
		}
	}
	digits("")
	if len(want) != 3256 {
		t.Fatalf("the rule gives %d strings", len(want))
	}
	for g := range s.All() {
		a, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		var code strings.Builder
		width, first := 64, true
		for _, n := range a.Walk() {
			if n.Op != "basic" {
				continue
			}
			if first {
				digit := n.Shape[0] / width
				if stride, _ := n.Int("stride"); stride == 2 {
					digit += 2
				}
				code.WriteByte(byte('0' + digit))
				width = n.Shape[0]
			}
			first = !first
		}
		if !want[code.String()] {
			t.Fatalf("%s is not of the benchmark, or comes twice", code.String())
		}
		delete(want, code.String())
	}
	if len(want) > 0 {
		t.Errorf("%d strings of the benchmark are missing", len(want))
	}
}
