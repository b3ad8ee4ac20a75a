// Package signatures reads the text in which a plugin declares the operations that it
// offers to spaces.
//
// It is a module of the language like any other: with `///` comments, with helpers whose
// names begin with `_`, and with imports of standard modules. An `op` of it is computed by
// the plugin's process; its declaration says all that checking, counting, costing and
// drawing need. A `block` is an operation made of others, its expansion, and never needs
// the process: it runs as fast as what it is made of.
package signatures

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Signature is one operation of a plugin.
type Signature struct {
	Name string
	Doc  string
	// Computed: the plugin's process computes it. Otherwise it is made of others.
	Computed bool
	Tensors  []Tensor
	// Attributes are what is given by name, in order.
	Attributes []Attribute
}

// Tensor is an operand of an operation.
type Tensor struct {
	Name string
	Set  bool // any number of them
	// Dimensions of an example; a number where one is written, else 0. Nil: any.
	Dimensions []int
}

// Attribute is an attribute of an operation.
type Attribute struct {
	Name     string
	Type     string // int, real, bool, string, or nothing where the default tells it
	Required bool
}

// Read reads the signatures of a plugin, in the order of the text. An error is the first
// thing that is wrong with it, with its place.
func Read(plugin, text string) ([]Signature, error) {
	path := resolve.PluginOps(plugin)
	p, diags := resolve.Load(path, func(name string) ([]byte, error) {
		if name == path {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	if diags.HasErrors() {
		d := diags[0]
		return nil, fmt.Errorf("its signatures, line %d, column %d: %s", d.Span.Start.Line, d.Span.Start.Col, d.Message)
	}
	var out []Signature
	for _, d := range p.Root.File.Decls {
		t, ok := d.(*syntax.Template)
		if !ok || t.Kind != syntax.Op && t.Kind != syntax.Block {
			return nil, fmt.Errorf("its signatures, line %d: only operations can be offered to spaces, `op` and `block`", d.Span().Start.Line)
		}
		if !strings.HasPrefix(t.Name.Name, "_") {
			out = append(out, signature(t))
		}
	}
	return out, nil
}

// signature is what a declaration says.
func signature(t *syntax.Template) Signature {
	s := Signature{Name: t.Name.Name, Computed: t.Kind == syntax.Op}
	for _, line := range t.Doc {
		s.Doc += strings.TrimSpace(strings.TrimPrefix(line, "///")) + " "
	}
	s.Doc = strings.TrimSpace(s.Doc)
	for _, p := range t.Params {
		switch {
		case p.Type == nil && p.Default == nil:
			s.Tensors = append(s.Tensors, Tensor{Name: p.Name.Name})
		case p.Type != nil && p.Type.Shape:
			x := Tensor{Name: p.Name.Name, Dimensions: []int{}}
			for _, d := range p.Type.Dims {
				n, _ := d.(*syntax.Number)
				x.Dimensions = append(x.Dimensions, whole(n))
			}
			s.Tensors = append(s.Tensors, x)
		case p.Type != nil && p.Type.Name == "set":
			s.Tensors = append(s.Tensors, Tensor{Name: p.Name.Name, Set: true})
		default:
			a := Attribute{Name: p.Name.Name, Required: p.Default == nil}
			if p.Type != nil {
				a.Type = p.Type.Name
			}
			s.Attributes = append(s.Attributes, a)
		}
	}
	return s
}

// whole is the number that a literal is, or 0.
func whole(n *syntax.Number) int {
	if n == nil || !n.IsInt {
		return 0
	}
	return int(n.Int)
}

// Computed lists the names of the operations that the plugin's process computes.
func Computed(all []Signature) (names []string) {
	for _, s := range all {
		if s.Computed {
			names = append(names, s.Name)
		}
	}
	return names
}
