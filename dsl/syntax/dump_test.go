package syntax

import (
	"fmt"
	"strings"
)

// dump writes an expression with every bracket that its tree has.
func dump(x Expr) string {
	list := func(xs []Expr) string {
		var s []string
		for _, x := range xs {
			s = append(s, dump(x))
		}
		return strings.Join(s, " ")
	}
	switch x := x.(type) {
	case nil:
		return "_"
	case *Name:
		return x.Name
	case *Number:
		return x.Text
	case *String:
		return x.Text
	case *Bool:
		return fmt.Sprint(x.Value)
	case *List:
		return "[" + list(x.Elems) + "]"
	case *Paren:
		return dump(x.X)
	case *If:
		return "(if " + list([]Expr{x.Cond, x.Then, x.Else}) + ")"
	case *Choice:
		var s []string
		for _, a := range x.Alts {
			if a.Guard != nil {
				s = append(s, dump(a.Value)+" if "+dump(a.Guard))
			} else {
				s = append(s, dump(a.Value))
			}
		}
		return "(| " + strings.Join(s, ", ") + ")"
	case *Flow:
		return "(-> " + list(x.Steps) + ")"
	case *Of:
		if x.Count == nil {
			return "(" + x.Quant + " of " + dump(x.Set) + ")"
		}
		return "(" + dump(x.Count) + " of " + dump(x.Set) + ")"
	case *Binary:
		return "(" + dump(x.X) + " " + x.Op + " " + dump(x.Y) + ")"
	case *Unary:
		return "(" + x.Op + " " + dump(x.X) + ")"
	case *Range:
		return "(.. " + list([]Expr{x.Lo, x.Hi, x.By}) + ")"
	case *Call:
		var s []string
		for _, a := range x.Args {
			v := dump(a.Value)
			if a.Name != nil {
				v = a.Name.Name + ": " + v
			}
			if a.Var != nil {
				v += " for " + a.Var.Name + " in " + dump(a.In)
			}
			s = append(s, v)
		}
		return dump(x.Fun) + "(" + strings.Join(s, ", ") + ")"
	case *Index:
		return dump(x.X) + "[" + dump(x.I) + "]"
	case *Select:
		return dump(x.X) + "." + x.Name.Name
	}
	return fmt.Sprintf("?%T", x)
}
