package unique_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/unique"
	"github.com/nasc-project/nasc/spaces"
)

// open compiles a shipped space.
func open(t testing.TB, file string, args ...compiler.Argument) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", args)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// TestPublished compares with what publications count.
func TestPublished(t *testing.T) {
	for _, c := range []struct {
		file string
		want int
	}{
		// Ying et al. 2019; at most nine edges, seven vertices.
		{"nasbench101/nasbench101.nas", 423_624},
		// Different NAS-Bench-101 modules of NAS-Bench-1Shot1.
		{"nasbench1shot1/space1.nas", 2685},
		{"nasbench1shot1/space2.nas", 7773},
		{"nasbench1shot1/space3.nas", 55854},
		// Every width of every layer shows.
		{"natssize/natssize.nas", 32768},
	} {
		t.Run(c.file, func(t *testing.T) {
			if testing.Short() && c.want > 100_000 {
				t.Skip("ten seconds")
			}
			got, err := open(t, c.file).Unique(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got.Len() != c.want {
				t.Errorf("%d classes, want %d (%s)", got.Len(), c.want, got.Method)
			}
		})
	}
}

// TestVertices compares the modules of NAS-Bench-101 with fewer vertices.
func TestVertices(t *testing.T) {
	for vertices, want := range map[int64]int{2: 1, 3: 7, 4: 91, 5: 2532, 6: 64542} {
		got, err := open(t, "nasbench101/nasbench101.nas", compiler.Argument{Name: "vertices", Value: vertices}).Unique(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got.Len() != want {
			t.Errorf("%d of at most %d vertices differ, want %d", got.Len(), vertices, want)
		}
	}
}

// TestAgainstAll compares the classes of small spaces with the hashes of all of
// their architectures, and each member with the hash of its class.
func TestAgainstAll(t *testing.T) {
	for _, file := range []string{
		"nasbench201/nasbench201.nas", "quickstart/quickstart.nas", "transnasbench101/micro.nas",
	} {
		t.Run(file, func(t *testing.T) {
			s := open(t, file)
			want := map[graph.Digest]bool{}
			for g := range s.All() {
				a, err := s.Bind(g)
				if err != nil {
					t.Fatal(err)
				}
				want[a.Hash()] = true
			}
			got, err := s.Unique(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got.Len() != len(want) {
				t.Errorf("%d classes by %s, %d hashes", got.Len(), got.Method, len(want))
			}
			for g := range got.All {
				a, err := s.Bind(g)
				if err != nil {
					t.Fatal(err)
				}
				if !want[a.Hash()] {
					t.Fatalf("%s is of a class that another member stands for", s.Format(g))
				}
				delete(want, a.Hash())
			}
		})
	}
}

// TestUnknown: what is too large to be exact is refused.
func TestUnknown(t *testing.T) {
	_, err := open(t, "darts/darts.nas").Unique(context.Background())
	var no *unique.UnknownError
	if !errors.As(err, &no) {
		t.Fatalf("an answer for DARTS: %v", err)
	}
}

// TestCancelled: a count ends when it is told to.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := open(t, "nasbench1shot1/space3.nas").Unique(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func BenchmarkUnique(b *testing.B) {
	for _, file := range []string{"nasbench201/nasbench201.nas", "nasbench1shot1/space3.nas", "nasbench101/nasbench101.nas"} {
		b.Run(file, func(b *testing.B) {
			s := open(b, file)
			for b.Loop() {
				if _, err := s.Unique(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
