package sdk

import (
	"strings"
	"testing"
)

type noOp struct{}

func (noOp) Forward(*Tensors) error  { return nil }
func (noOp) Backward(*Tensors) error { return nil }

type kernels struct {
	Kernel int
	Bias   bool
}

// TestOpsDeclared: what the plugin computes is what its signatures declare.
func TestOpsDeclared(t *testing.T) {
	of := func(name string) OpSpec {
		return NewOp(name, func(Place, struct{}) (Op, error) { return noOp{}, nil })
	}
	for _, c := range []struct {
		signatures string
		ops        []OpSpec
		want       string // empty: it is right
	}{
		{"op a(x) -> x\nblock b(x) = x -> a -> a", []OpSpec{of("a")}, ""},
		{"block b(x) = x -> sum", nil, ""},
		{"op a(x, kernel: int = 3, bias: bool = true) -> x", []OpSpec{NewOp("a", func(Place, kernels) (Op, error) { return noOp{}, nil })}, ""},
		{"op a(x) -> x", nil, `operation "a": nothing computes it`},
		{"op a(x) -> x", []OpSpec{of("a"), of("a")}, "it is there twice"},
		{"op a(x) -> x", []OpSpec{of("a"), of("b")}, `operation "b": its signatures declare no`},
		{"block a(x) = x -> sum", []OpSpec{of("a")}, "declare no `op` of this name"},
		{"", []OpSpec{of("a")}, "declare no"},
		{"op a(x, kernel: int = 3) -> x", []OpSpec{NewOp("a", func(Place, kernels) (Op, error) { return noOp{}, nil })}, "has no attribute bias"},
		{"op a(x) -> x", []OpSpec{NewOp("a", func(Place, int) (Op, error) { return noOp{}, nil })}, "a struct"},
		{"op a(x) ->", []OpSpec{of("a")}, "its signatures, line 1"},
	} {
		_, err := Plugin{Name: "me/ops", Version: "0.1.0", Signatures: c.signatures, Ops: c.ops}.Description()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.signatures, err, c.want)
		}
	}
}

// TestOpAttributes: an operation gets its attributes in the types of its struct.
func TestOpAttributes(t *testing.T) {
	var got kernels
	spec := NewOp("a", func(_ Place, k kernels) (Op, error) { got = k; return noOp{}, nil })
	if _, err := spec.Start(Place{}, map[string]any{"kernel": int64(5), "bias": true, "more": "ignored"}); err != nil || got != (kernels{5, true}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []map[string]any{{"kernel": int64(5)}, {"kernel": 5.5, "bias": true}, {"kernel": "5", "bias": true}} {
		if _, err := spec.Start(Place{}, bad); err == nil || !strings.Contains(err.Error(), "the attribute") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
