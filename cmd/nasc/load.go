package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/spaces"
)

// readFile reads a .nas file: one on disk, else one of the shipped spaces; or what a
// plugin offers to spaces.
func readFile(name string) ([]byte, error) {
	if plugin, ok := resolve.PluginName(name); ok {
		return offered(plugin)
	}
	data, err := readText(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	shipped := strings.TrimPrefix(path.Clean(filepath.ToSlash(name)), "spaces/")
	if embedded, e := spaces.Files.ReadFile(shipped); e == nil {
		return embedded, nil
	}
	return nil, err
}

// readText reads a file of no more bytes than the language takes. A pipe or a
// device may have no end, so only those that the shell hands over are read.
func readText(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() && !info.IsDir() && !strings.HasPrefix(name, "/dev/fd/") && name != "/dev/stdin" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, syntax.MaxFileSize+1))
}

// load compiles a file, or says what is wrong with it.
func load(file string) (*compiler.Module, error) {
	m, diags := compiler.Load(file, readFile)
	return m, wrong(diags, m.Source)
}

// spaceFlags choose one space of a file and its parameters.
type spaceFlags struct {
	name string
	sets []string
}

func (f *spaceFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "space", "", "the space, when the file declares several")
	c.Flags().StringArrayVar(&f.sets, "set", nil, "a parameter of the space, as in --set c=32")
}

// compile compiles the space that the flags choose.
func (f *spaceFlags) compile(c *cobra.Command, file string) (*compiler.Module, *compiler.Space, error) {
	settings, err := parseSettings(c, f.sets)
	if err != nil {
		return nil, nil, err
	}
	m, err := load(file)
	if err != nil {
		return nil, nil, err
	}
	args, diags := plan.SpaceArguments(m, f.name, settings)
	if diags.HasErrors() {
		return nil, nil, wrong(diags, m.Source)
	}
	s, diags := m.Space(f.name, args)
	return m, s, wrong(diags, m.Source)
}

// placed shows a diagnostic among errors with the source of a module.
func placed(m *compiler.Module, err error) error {
	var all diag.List
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &all):
		return wrong(all, m.Source)
	case errors.As(err, &d):
		return wrong(diag.List{d}, m.Source)
	}
	return err
}

func parseSettings(c *cobra.Command, sets []string) ([]plan.Setting, error) {
	var out []plan.Setting
	for _, text := range sets {
		s, err := plan.ParseSetting(text)
		if err != nil {
			return nil, usage(c, "%v", err)
		}
		out = append(out, s)
	}
	return out, nil
}

// printJSON prints a value for a program to read.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// reason is the cause of a file error without the path, which is said already.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
