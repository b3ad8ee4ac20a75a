package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed peer/*.py
var peerFiles embed.FS

// torch is a PyTorch that takes part.
type torch struct {
	python  string
	version string
}

// findTorch returns the PyTorches of some interpreters, each version once.
func findTorch(ctx context.Context, pythons []string) []torch {
	var found []torch
	seen := map[string]bool{}
	for _, python := range pythons {
		out, err := exec.CommandContext(ctx, python, "-c", "import torch; print(torch.__version__)").Output()
		version := strings.TrimSpace(string(out))
		if err != nil || seen[version] {
			continue
		}
		seen[version] = true
		found = append(found, torch{python, version})
	}
	return found
}

// allocators are the libraries that may take malloc's place: none, and tcmalloc
// where it is. Much of an eager step may go into page faults with glibc's.
func allocators() []string {
	all := []string{""}
	for _, pattern := range []string{"/usr/lib/*/libtcmalloc_minimal.so.*", "/usr/lib64/libtcmalloc_minimal.so.*", "/usr/lib/*/libtcmalloc.so.*"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return append(all, found[0])
		}
	}
	return all
}

// variant is one way of PyTorch to do a work.
type variant struct {
	torch
	name      string // of peer.py
	allocator string
}

// String names the variant as the table does.
func (v variant) String() string {
	s := strings.ReplaceAll(v.name, "_", "-")
	if v.allocator != "" {
		s += ", tcmalloc"
	}
	return s
}

// published reports whether v is what published code does.
func (v variant) published() bool { return v.name == "eager" }

// variants are all ways of the given PyTorches to do a work.
func variants(torches []torch, w Work) []variant {
	names := []string{"eager", "channels_last", "tuned", "compiled"}
	if w.Kind == Convolution {
		names = names[:2]
	}
	var all []variant
	for _, t := range torches {
		for _, name := range names {
			for _, a := range allocators() {
				all = append(all, variant{t, name, a})
			}
		}
	}
	return all
}

// peer writes the Python side to a temporary folder.
func peer() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "nasc-bench-"); err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, peerFiles); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return filepath.Join(dir, "peer"), nil
}

// start starts the variant on a work.
func (v variant) start(ctx context.Context, dir string, w Work, threads int) (*process, error) {
	env := append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", threads), "PYTHONDONTWRITEBYTECODE=1")
	if v.allocator != "" {
		env = append(env, "LD_PRELOAD="+v.allocator)
	}
	return start(ctx, job{w, v.name, threads}, env, v.python, filepath.Join(dir, "peer.py"))
}
