package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/runtime/plan"
)

func newFmt() *cobra.Command {
	var write, differ bool
	c := &cobra.Command{
		Use:   "fmt FILE…",
		Short: "Print .nas files in canonical layout",
		Long: `fmt prints the files in canonical layout with every comment kept. With -w it
rewrites the files that differ, with -d it shows how they differ. A file with
syntax errors is left alone.`,
		Example: "  nasc fmt my.nas\n  nasc fmt -w spaces/*/*.nas\n  nasc fmt -d my.nas",
		Args:    args(1, -1),
	}
	c.Flags().BoolVarP(&write, "write", "w", false, "rewrite the files, and name those that changed")
	c.Flags().BoolVarP(&differ, "diff", "d", false, "show the difference instead")
	c.MarkFlagsMutuallyExclusive("write", "diff")
	c.RunE = func(c *cobra.Command, files []string) error {
		var first error
		for _, file := range files {
			if err := formatFile(c, file, write, differ); err != nil {
				if first != nil {
					conclude(first)
				}
				first = err
			}
		}
		return first
	}
	return c
}

func formatFile(c *cobra.Command, file string, write, differ bool) error {
	src, err := readText(file)
	if err != nil && !write {
		src, err = readFile(file)
	}
	if err != nil {
		return refuse("E0207", "", "cannot read %s: %v", file, reason(err))
	}
	out, diags := format.Source(file, src)
	if err := wrong(diags, func(string) []byte { return src }); err != nil {
		return err
	}
	same := bytes.Equal(src, out)
	switch {
	case differ:
		_, err = c.OutOrStdout().Write(diff.Diff(file, src, file+" (formatted)", out))
	case !write:
		_, err = c.OutOrStdout().Write(out)
	case !same:
		if err := replaceFile(file, out); err != nil {
			return machine(plan.CannotWrite, "", fmt.Errorf("cannot write %s: %v", file, reason(err)))
		}
		_, err = fmt.Fprintln(c.OutOrStdout(), file)
	}
	return err
}

// replaceFile rewrites a file completely or not at all, keeping its mode.
func replaceFile(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
		if !info.Mode().IsRegular() { // a pipe or a device cannot be replaced
			return os.WriteFile(name, data, mode)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, rightly, after the rename
	_, err = f.Write(data)
	if e := f.Chmod(mode); err == nil {
		err = e
	}
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
