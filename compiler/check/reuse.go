package check

import (
	"strconv"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Most of what a space is made of is the same again and again: a convolution on
// one shape, a residual block of them. What nothing is decided in is worked out
// once for each combination of shapes and attributes, and then used again.

// usage identifies the shapes and attributes that a template is used with; empty
// when they are not all known.
func usage(t *template, args []value) string {
	b := make([]byte, 0, 64)
	for _, g := range t.given {
		s, ok := g.value.(*scalar)
		if !ok {
			return ""
		}
		b = append(append(b, g.name...), '=')
		if b = appendConstant(b, s.Scalar); b == nil {
			return ""
		}
	}
	for _, a := range args {
		switch v := a.(type) {
		case *tensor:
			b = appendShape(append(b, '|'), v)
		case *set:
			b = append(b, '{')
			for _, m := range v.members {
				if m.when != nil {
					return ""
				}
				if b = appendShape(append(b, '|'), m.tensor); b == nil {
					return ""
				}
			}
			b = append(b, '}')
		}
		if b == nil {
			return ""
		}
	}
	return string(append(b, '.'))
}

func appendShape(b []byte, t *tensor) []byte {
	for _, d := range t.node.Shape {
		if b = appendConstant(b, d); b == nil {
			return nil
		}
	}
	return b
}

// appendConstant writes a constant in a form that tells its type, and is nil for
// what depends on anything.
func appendConstant(b []byte, s *sym.Scalar) []byte {
	v, known := s.Value()
	if !known {
		return nil
	}
	switch v := v.(type) {
	case int64:
		b = strconv.AppendInt(b, v, 10)
	case float64:
		b = strconv.AppendFloat(append(b, 'f'), v, 'g', -1, 64)
	case bool:
		b = strconv.AppendBool(b, v)
	case string:
		b = strconv.AppendQuote(b, v)
	}
	return append(b, ',')
}

// used is a use of an op or block that is the same as any other like it.
type used struct {
	decl   *syntax.Template
	env    *env // where it was declared
	picked bool // what it is applied to was picked
	usage  string
}

func (k *checker) sameBlock(t *template, args []value, c context) used {
	return used{t.decl, t.env, c.picked, usage(t, args)}
}

// reuse makes a node of an op like one that was made before.
func (k *checker) reuse(key used, n *lower.Node) bool {
	old, ok := k.ops[key]
	if !ok || key.usage == "" {
		return false
	}
	n.Op, n.Shape, n.Attrs, n.Params, n.MACs, n.Flags = old.Op, old.Shape, old.Attrs, old.Params, old.MACs, old.Flags
	return true
}
