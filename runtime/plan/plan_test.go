package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

func TestParseSetting(t *testing.T) {
	for text, want := range map[string]Setting{
		"population=20":           {"", "population", "20"},
		"optimizer.population=20": {"optimizer", "population", "20"},
		"data=a=b.csv":            {"", "data", "a=b.csv"},
		"space.name=":             {"space", "name", ""},
	} {
		if got, err := ParseSetting(text); err != nil || got != want {
			t.Errorf("ParseSetting(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "population", "=3"} {
		if got, err := ParseSetting(text); err == nil {
			t.Errorf("ParseSetting(%q) = %v", text, got)
		}
	}
}

func TestDistribute(t *testing.T) {
	known := map[string][]string{
		optimizerScope: {"population", "epochs"},
		evaluatorScope: {"epochs", "data"},
		spaceScope:     {"c"},
		searchScope:    {"reuse"},
	}
	for _, c := range []struct{ text, scope, help string }{
		{"population=1", optimizerScope, ""},
		{"c=1", spaceScope, ""},
		{"reuse=off", searchScope, ""},
		{"evaluator.epochs=1", evaluatorScope, ""},
		{"epochs=1", "", "write `optimizer.epochs` or `evaluator.epochs`"},
		{"populaton=1", "", "did you mean `population`?"},
		{"evaluator.population=1", "", "settings are data, epochs"},
		{"optimiser.population=1", "", "did you mean `optimizer.population`?"},
		{"what.x=1", "", "scopes are optimizer, evaluator, space, search, retrain, report"},
	} {
		s, err := ParseSetting(c.text)
		if err != nil {
			t.Fatal(err)
		}
		out, diags := distribute([]Setting{s}, known)
		switch {
		case c.help == "" && (diags.HasErrors() || len(out) != 1 || out[0].Scope != c.scope):
			t.Errorf("%s: %v, %v, want scope %s", c.text, out, diags, c.scope)
		case c.help != "" && (len(diags) != 1 || diags[0].Help != c.help || len(out) != 0):
			t.Errorf("%s: %v, %v, want help %q", c.text, out, diags, c.help)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		kind wire.Type
		text string
		want any
	}{
		{wire.Int, "20_000", int64(20000)},
		{wire.Int, "x", "x"}, // for the check of the parameter to refuse
		{wire.Real, "1e-3", 1e-3},
		{wire.Real, "2", int64(2)},
		{wire.Bool, "true", true},
		{wire.String, "12", "12"},
	} {
		if got := Value(c.kind, c.text); got != c.want {
			t.Errorf("Value(%s, %q) = %#v, want %#v", c.kind, c.text, got, c.want)
		}
	}
	for text, want := range map[string]any{
		"16": int64(16), "0.5": 0.5, "true": true, `"relu"`: "relu", "relu": "relu",
		"[1, 28, 28]": []int64{1, 28, 28}, "[1, x]": "[1, x]",
	} {
		if got := literal(text); !reflect.DeepEqual(got, want) {
			t.Errorf("literal(%q) = %#v, want %#v", text, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	base := t.TempDir()
	there := filepath.Join(base, "data", "t.csv")
	if err := os.MkdirAll(filepath.Dir(there), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{there, filepath.Join(base, "t.csv")} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		"glyphs":         "glyphs",
		"data":           "data", // a name, not a path
		"data/t.csv":     there,
		"t.csv":          filepath.Join(base, "t.csv"),
		"none.csv":       "none.csv",
		"0.5":            "0.5",
		"data/none.csv":  "data/none.csv",
		"./data/t.csv":   there,
		"../x.csv":       filepath.Join(filepath.Dir(base), "x.csv"),
		there:            there,
		"https://a/b.gz": "https://a/b.gz",
	} {
		if got := path(base, text); got != want {
			t.Errorf("path(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestRefusedNotation: text that an evaluator knows and refuses is wrong input,
// not a fault of the plugin.
func TestRefusedNotation(t *testing.T) {
	_, diags := ReadArchitecture(nil, "|none~0|", nil, func(string) (space.Genotype, bool, error) {
		return nil, true, &diag.Diagnostic{Code: host.Failed, Message: "two groups are missing"}
	})
	if !diags.HasErrors() || Fault(diags) || diags[0].Message != "two groups are missing" {
		t.Errorf("got %v", diags)
	}
}

func TestFlag(t *testing.T) {
	for flag, want := range map[string][2]string{
		"evolution":                  {"evolution", ""},
		"nasc/evolution.regularized": {"nasc/evolution", "regularized"},
		"me.org/x":                   {"me.org/x", ""},
		"me.org/x.y":                 {"me.org/x", "y"},
	} {
		var diags diag.List
		p := chooser{plugins: []string{"nasc/evolution", "nasc/random"}, diags: &diags}.choose(optimizerScope, flag)
		if got := [2]string{p.plugin, p.name}; got != want || len(diags) > 0 || !p.flagged {
			t.Errorf("--optimizer %s is %v, %v, want %v", flag, got, diags, want)
		}
	}
}

// TestExplain: what ends a search has a code, and a plugin or the machine is to
// blame for it or the input is.
func TestExplain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	for _, c := range []struct {
		err         error
		code        string
		fault       bool
		says, helps string
	}{
		{store.ErrBusy, RunBusy, false, "is in use", "wait for it"},
		{store.ErrNotRun, NotARun, false, "holds no run", "`nasc runs`"},
		{store.ErrExists, RunExists, false, "exists already", "another folder"},
		{&fs.PathError{Op: "mkdir", Path: dir + ".new-1", Err: fs.ErrNotExist}, CannotWrite, true, "cannot write the run folder " + dir + ": file does not exist", "choose another folder"},
		{&fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}, CannotWrite, true, "cannot write", "make the folder writable"},
		{&search.MismatchError{Trial: 3, Logged: "0,1", Asked: "1,1"}, Mismatch, true, "proposes 1,1 for trial 3, the log says 0,1", "start a new run"},
		{search.ErrAllFailed, AllFailed, true, "every trial failed", ""},
		{search.ErrInfeasible, NoneFeasible, true, "no architecture satisfies", ""},
		{search.ErrRejected, NeverInside, true, "outside of the space", ""},
		{search.ErrNeverSpent, "E0553", false, "never spent", "evaluations(100)"},
		{errors.New("something else"), SearchFailed, true, "something else", ""},
	} {
		diags := Explain(fmt.Errorf("search: %w", c.err), dir)
		if len(diags) != 1 || diags[0].Code != c.code || Fault(diags) != c.fault ||
			!strings.Contains(diags[0].Message, c.says) || !strings.Contains(diags[0].Help, c.helps) {
			t.Errorf("%v: %+v", c.err, diags[0])
		}
	}
}
