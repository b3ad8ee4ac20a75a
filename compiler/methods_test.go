package compiler

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"
)

// TestMethods: a name is that of a `let` of the file, or else of std/oneshot; what a
// component is not is no method.
func TestMethods(t *testing.T) {
	const src = `import { gdas } from "std/oneshot"
import plugin "me/own" as own
let darts = own.mine(relax: own.soft(x: 3), n: 2)
let again = if 1 < 2 then darts else gdas
let wide = 32
let either = gdas | darts
`
	m, diags := Load("s.nas", func(name string) ([]byte, error) {
		if name == "s.nas" {
			return []byte(src), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for name, want := range map[string]string{
		"darts":  "me/own.mine [relax=own.soft(x: 3) n=2]",
		"again":  "me/own.mine [relax=own.soft(x: 3) n=2]",
		"darts2": "nasc/oneshot.shot [order=one.second]",
		"nobody": "none",
		"wide":   "none, E0552",
		"either": "none, E0552",
	} {
		c, diags := m.Method(name)
		got := "none"
		if c != nil {
			args := []string{}
			for _, a := range c.Args {
				args = append(args, fmt.Sprintf("%s=%v", a.Name, a.Value))
			}
			if got = fmt.Sprintf("%s.%s %v", c.Plugin, c.Component, args); c.Name != name {
				t.Errorf("%s is called %q", name, c.Name)
			}
		}
		if diags.HasErrors() {
			got += ", " + diags[0].Code
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	all := m.Methods()
	for _, name := range []string{"again", "darts", "darts2", "gdas"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is not among the methods %v", name, all)
		}
	}
	if slices.Contains(all, "wide") || slices.Contains(all, "either") {
		t.Errorf("%v are not all methods", all)
	}
	if mine := methods(m.prog, m.prog.Root); !slices.Equal(mine, []string{"again", "darts", "gdas"}) {
		t.Errorf("the file's own are %v", mine)
	}
}

// TestStandardMethods: the module of the methods is right, documented, and of
// nothing but methods.
func TestStandardMethods(t *testing.T) {
	s := standard()
	if _, diags := Load(OneShot, func(name string) ([]byte, error) {
		if name == OneShot {
			return s.Source(OneShot), nil
		}
		return nil, fs.ErrNotExist
	}); len(diags) > 0 {
		t.Fatal(diags)
	}
	names := methods(s.prog, s.prog.Root)
	if want := slices.Sorted(slices.Values(s.prog.Root.Order)); !slices.Equal(names, want) {
		t.Errorf("the methods are %v of %v", names, want)
	}
	for _, name := range names {
		if c, diags := s.Method(name); c == nil || len(diags) > 0 || c.Plugin != "nasc/oneshot" {
			t.Errorf("%s is %v, %v", name, c, diags)
		}
		if l, _ := let(name, s.prog.Root); len(l.Doc) == 0 {
			t.Errorf("%s has no documentation", name)
		}
	}
}
