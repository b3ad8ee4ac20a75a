package signatures

import (
	"reflect"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	all, err := Read("lab/ops", `import { relu } from "std/vision"

/// A convolution
/// of the laboratory.
op conv(x: [c, h, 3], out: int = c, rate: real) -> [out, h, 3] { params = c * out }
op merge(xs: set) -> [xs.c, xs.h, xs.w]
op _hidden(x) -> x
block both(x) = x -> conv(rate: 0.5) -> relu
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Signature{
		{Name: "conv", Doc: "A convolution of the laboratory.", Computed: true, Tensors: []Tensor{{Name: "x", Dimensions: []int{0, 0, 3}}},
			Attributes: []Attribute{{Name: "out", Type: "int"}, {Name: "rate", Type: "real", Required: true}}},
		{Name: "merge", Computed: true, Tensors: []Tensor{{Name: "xs", Set: true}}},
		{Name: "both", Tensors: []Tensor{{Name: "x"}}},
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("they are %+v", all)
	}
	if got := Computed(all); !reflect.DeepEqual(got, []string{"conv", "merge"}) {
		t.Errorf("computed are %v", got)
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		"op conv(x: [c, h, w]) -> [c, h, w":                            "line 1",
		"op conv(x: [c, h, w]) -> [c, h, w] { params = d }":            "column 47: `d` is not declared",
		"import { conv } from \"./mine.nas\"\nop a(x) -> x":            "standard modules only",
		"space s(image: [3, 8, 8]) = image":                            "only operations can be offered",
		"/// Nothing else.\nop a(x) -> x\nlet n = 3":                   "line 3: only operations",
		"op a(x) -> x\nop a(x) -> x":                                   "declared twice",
		"import { nothing } from \"std/vision\"\nblock a(x) = nothing": "has no `nothing`",
	} {
		if _, err := Read("lab/ops", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, without %q", text, err, want)
		}
	}
}
