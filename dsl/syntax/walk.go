package syntax

// Walk visits n and, where visit returns true, everything below it, in the
// order of the source. Names, types, arguments and statements are visited like
// expressions; nil parts are left out.
func Walk(n Node, visit func(Node) bool) {
	if !visit(n) {
		return
	}
	switch n := n.(type) {
	case *Import:
		for _, name := range n.Names {
			Walk(name, visit)
		}
		Walk(n.Path, visit)
		if n.Version != nil {
			Walk(n.Version, visit)
		}
		if n.Alias != nil {
			Walk(n.Alias, visit)
		}
	case *Template:
		Walk(n.Name, visit)
		walkExpr(n.Count, visit)
		for _, p := range n.Params {
			Walk(p, visit)
		}
		if n.Result != nil {
			Walk(n.Result, visit)
		}
		walkExpr(n.Expr, visit)
		for _, s := range n.Body {
			Walk(s, visit)
		}
	case *Param:
		Walk(n.Name, visit)
		if n.Type != nil {
			Walk(n.Type, visit)
		}
		walkExpr(n.Default, visit)
	case *Type:
		walkExprs(n.Dims, visit)
	case *Let:
		Walk(n.Name, visit)
		walkExpr(n.Value, visit)
	case *Search:
		Walk(n.Name, visit)
		walkExpr(n.Over, visit)
		for _, s := range n.Body {
			Walk(s, visit)
		}
	case *NodeStmt:
		Walk(n.Name, visit)
		walkExpr(n.Count, visit)
		if n.Type != nil {
			Walk(n.Type, visit)
		}
		walkExpr(n.Value, visit)
	case *Verb:
		walkExpr(n.Value, visit)
	case *Assign:
		Walk(n.Name, visit)
		walkExpr(n.Value, visit)
	case *List:
		walkExprs(n.Elems, visit)
	case *Paren:
		walkExpr(n.X, visit)
	case *If:
		walkExprs([]Expr{n.Cond, n.Then, n.Else}, visit)
	case *Choice:
		for _, a := range n.Alts {
			walkExpr(a.Value, visit)
			walkExpr(a.Guard, visit)
		}
	case *Flow:
		walkExprs(n.Steps, visit)
	case *Of:
		walkExpr(n.Count, visit)
		walkExpr(n.Set, visit)
	case *Binary:
		walkExprs([]Expr{n.X, n.Y}, visit)
	case *Unary:
		walkExpr(n.X, visit)
	case *Range:
		walkExprs([]Expr{n.Lo, n.Hi, n.By}, visit)
	case *Call:
		walkExpr(n.Fun, visit)
		for _, a := range n.Args {
			Walk(a, visit)
		}
	case *Arg:
		if n.Name != nil {
			Walk(n.Name, visit)
		}
		walkExpr(n.Value, visit)
		if n.Var != nil {
			Walk(n.Var, visit)
		}
		walkExpr(n.In, visit)
	case *Index:
		walkExprs([]Expr{n.X, n.I}, visit)
	case *Select:
		walkExpr(n.X, visit)
		Walk(n.Name, visit)
	}
}

func walkExpr(x Expr, visit func(Node) bool) {
	if x != nil {
		Walk(x, visit)
	}
}

func walkExprs(xs []Expr, visit func(Node) bool) {
	for _, x := range xs {
		walkExpr(x, visit)
	}
}
