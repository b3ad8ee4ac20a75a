package plan

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/host"
)

// Architecture is one architecture that a user named.
type Architecture struct {
	Space    *compiler.Space
	Module   *compiler.Module // of the .nas text it was given as; else nil
	Genotype space.Genotype
	Graph    *graph.Graph
}

// Resolver reads a notation that only an evaluator knows.
type Resolver func(text string) (g space.Genotype, recognised bool, err error)

// ReadArchitecture reads what the command line calls ARCH: a .nas file or .nas
// text with nothing left to decide, a genotype, # and a number, or what own
// knows; read reads files. Empty text stands for the only architecture of a
// space of one.
func ReadArchitecture(s *compiler.Space, text string, read resolve.Reader, own Resolver) (*Architecture, diag.List) {
	fail := func(format string, args ...any) (*Architecture, diag.List) {
		var diags diag.List
		d := diags.Add(NoArchitecture, diag.Span{}, format, args...)
		d.Help = "an architecture is a .nas file, a genotype such as 0,3,1, or '#' and its number"
		return nil, diags
	}
	trimmed := strings.TrimSpace(text)
	var g space.Genotype
	var err error
	switch {
	case trimmed == "":
		if s.Size().Cmp(big.NewInt(1)) != 0 {
			return fail("%s has %v architectures, and none is named", s.Name, s.Size())
		}
		g, err = s.Unrank(new(big.Int))
	case strings.HasPrefix(trimmed, "#"):
		rank, ok := new(big.Int).SetString(trimmed[1:], 10)
		if !ok {
			return fail("%q is not the number of an architecture", trimmed)
		}
		g, err = s.Unrank(rank)
	case isSource(trimmed):
		return readSource(trimmed, read)
	default:
		recognised := false
		if own != nil {
			if g, recognised, err = own(trimmed); err != nil {
				diags := Explain(err, "")
				for _, d := range diags {
					if d.Code == host.Failed { // it knows the notation and refuses the text
						d.Code = NoArchitecture
					}
				}
				return nil, diags
			}
		}
		if !recognised {
			g, err = s.Parse(trimmed)
		}
	}
	if err != nil {
		return fail("%s is no architecture of %s: %v", shorten(trimmed), s.Name, err)
	}
	if diags := inside(s, g); diags != nil {
		return nil, diags
	}
	bound, err := s.Bind(g)
	if err != nil {
		return fail("%v", err)
	}
	return &Architecture{Space: s, Genotype: g, Graph: bound}, nil
}

// inside says which requirement of a space an architecture violates.
func inside(s *compiler.Space, g space.Genotype) diag.List {
	err := s.Admits(g)
	if err == nil {
		return nil
	}
	var outside *diag.Diagnostic
	if errors.As(err, &outside) {
		return diag.List{outside}
	}
	return diag.List{{Code: NoArchitecture, Message: err.Error()}}
}

// isSource reports whether text is .nas text or names a .nas file.
func isSource(text string) bool {
	if strings.HasSuffix(text, ".nas") {
		return true
	}
	if info, err := os.Stat(text); err == nil && !info.IsDir() {
		return true
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "space ") {
			return true
		}
	}
	return false
}

func readSource(text string, read resolve.Reader) (*Architecture, diag.List) {
	file := text
	if strings.ContainsAny(text, "\n=") {
		file = "ARCH"
	}
	m, diags := compiler.Load(file, func(name string) ([]byte, error) {
		if name == file && file != text {
			return []byte(text), nil
		}
		return read(name)
	})
	a := &Architecture{Module: m}
	if diags.HasErrors() {
		return a, diags
	}
	a.Space, diags = m.Space("", nil)
	if diags.HasErrors() {
		return a, diags
	}
	if n := a.Space.Size(); n.Cmp(big.NewInt(1)) != 0 {
		d := diags.Add(NoArchitecture, diag.Span{Start: diag.Pos{File: file}}, "%s leaves %v architectures to choose from", a.Space.Name, n)
		d.Help = "print one of them with `nasc sample`"
		return a, diags
	}
	var err error
	if a.Genotype, err = a.Space.Unrank(new(big.Int)); err == nil {
		if diags := inside(a.Space, a.Genotype); diags != nil {
			return a, diags
		}
		a.Graph, err = a.Space.Bind(a.Genotype)
	}
	if err != nil {
		diags.Add(NoArchitecture, diag.Span{}, "%v", err)
	}
	return a, diags
}

// shorten quotes text, cut to what fits on a line.
func shorten(text string) string {
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// SpaceArguments makes arguments of a space of settings that can only mean it.
func SpaceArguments(m *compiler.Module, name string, settings []Setting) ([]compiler.Argument, diag.List) {
	set, diags := distribute(settings, map[string][]string{spaceScope: m.Parameters(name)})
	var args []compiler.Argument
	for _, s := range set {
		args = setArgument(args, s.Name, literal(s.Text))
	}
	return args, diags
}
