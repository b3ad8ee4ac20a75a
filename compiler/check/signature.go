package check

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// signature is the declaration of an op, which a plan may evaluate again after the
// check: partial channels apply an op to other shapes than those that it has met.
type signature struct {
	prog *resolve.Program
	mod  *resolve.Module
	decl *syntax.Template
}

// Of implements [lower.Signature], with a checker of its own: a plan stays as it is,
// and what the declaration refuses is an error instead of a diagnostic.
func (s *signature) Of(operands []graph.Shape, given []graph.Attr) (*lower.Node, error) {
	k := newChecker(s.prog, "")
	t := &template{decl: s.decl, mod: s.mod, env: k.moduleEnv(s.mod), index: -1}
	for _, a := range given {
		t.given = append(t.given, attribute{name: a.Name, value: &scalar{sym.Const(a.Value)}})
	}
	args, err := s.distribute(operands)
	if err != nil {
		return nil, err
	}
	n, ok := &lower.Node{Kind: lower.Op, Name: s.decl.Name.Name}, false
	k.guarded(func() {
		c := k.rootContext().with(t.env.child())
		ok = k.parameters(t, args, c) && k.declared(n, t, args, c)
	})
	if !ok || k.diags.HasErrors() {
		return nil, because(k.diags[0])
	}
	return n, nil
}

// because is a diagnostic as an error: what is wrong, and what it says of that.
func because(d *diag.Diagnostic) error {
	parts := []string{d.Message}
	for _, n := range d.Notes {
		parts = append(parts, n.Text)
	}
	return errors.New(strings.Join(parts, "; "))
}

// distribute hands the operands of an application out to the parameters. A set takes
// what the others leave.
func (s *signature) distribute(operands []graph.Shape) ([]value, error) {
	params := tensorParams(s.decl)
	rest := operands
	take := func() *tensor {
		var dims []*sym.Scalar
		for _, d := range rest[0] {
			dims = append(dims, sym.Int(int64(d)))
		}
		rest = rest[1:]
		return &tensor{node: &lower.Node{Kind: lower.Input, Shape: dims}}
	}
	var args []value
	for i, p := range params {
		after := len(params) - i - 1
		if len(rest) <= after {
			return nil, fmt.Errorf("`%s` takes %s, %d given", s.decl.Name.Name, plural(len(params), "tensor"), len(operands))
		}
		if !isSetParam(p) {
			args = append(args, take())
			continue
		}
		all := &set{}
		for len(rest) > after {
			all.members = append(all.members, member{tensor: take()})
		}
		args = append(args, all)
	}
	return args, nil
}
