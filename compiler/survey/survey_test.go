package survey_test

import (
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/survey"
	"github.com/nasc-project/nasc/spaces"
)

func open(t *testing.T, file string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// TestExact: the least and most params of NAS-Bench-201 are those of its
// published table, 0.073306 and 1.531546 million.
func TestExact(t *testing.T) {
	s := open(t, "nasbench201/nasbench201.nas")
	got, err := survey.Of(s, survey.Sampler(s.Space), 20_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Exact || got.Looked != 15625 || got.Params != (survey.Range{Min: 73306, Max: 1531546}) {
		t.Errorf("%+v", got)
	}
	if got.Unique == nil || *got.Unique >= got.Looked {
		t.Errorf("%v unique", got.Unique)
	}
}

func TestSample(t *testing.T) {
	s := open(t, "darts/darts.nas")
	got, err := survey.Of(s, survey.Sampler(s.Space), 20_000, 20)
	if err != nil {
		t.Fatal(err)
	}
	if got.Exact || got.Looked != 20 || got.Unique != nil || got.Params.Min >= got.Params.Max {
		t.Errorf("%+v", got)
	}
}

// TestNoChoice surveys a network in which nothing is to be decided.
func TestNoChoice(t *testing.T) {
	read := func(string) ([]byte, error) {
		return []byte(`import { global_pool, linear } from "std/vision"
space one(image: [4, 9, 9]) -> [10] = image -> global_pool -> linear(out: 10)
`), nil
	}
	m, diags := compiler.Load("one.nas", read)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got, err := survey.Of(s, survey.Sampler(s.Space), 20_000, 20)
	if err != nil || got.Looked != 1 || got.Params != (survey.Range{Min: 50, Max: 50}) {
		t.Errorf("%+v, %v", got, err)
	}
}
