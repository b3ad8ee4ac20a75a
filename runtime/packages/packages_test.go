package packages

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

const description = `{"name": "me/x", "version": "0.1.0", "protocol": 1, "command": ["./run"]}`

// folder makes a folder with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// code is the code of a diagnostic.
func code(err error) string {
	var d *diag.Diagnostic
	var l diag.List
	switch {
	case errors.As(err, &d):
		return d.Code
	case errors.As(err, &l) && len(l) > 0:
		return l[0].Code
	}
	return ""
}

// tarOf and zipOf make archives of names and texts. A name that ends in @ is a link.
func tarOf(t *testing.T, entries [][2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e[0], Mode: 0o644, Size: int64(len(e[1])), Typeflag: tar.TypeReg}
		if name, link := strings.CutSuffix(e[0], "@"); link {
			h = &tar.Header{Name: name, Linkname: e[1], Typeflag: tar.TypeSymlink}
			e[1] = ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "p.tar.gz")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func zipOf(t *testing.T, entries [][2]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "p.zip")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestInstall: a folder, both kinds of archive and an address of one give the same
// package with the same hash; another text under the same version is refused, and
// what is refused leaves nothing behind.
func TestInstall(t *testing.T) {
	files := map[string]string{DescriptionFile: description, "run": "#!/bin/sh\n", "lib/a": "a"}
	var entries [][2]string
	for _, name := range []string{DescriptionFile, "lib/a", "run"} {
		entries = append(entries, [2]string{"x-0.1.0/" + name, files[name]})
	}
	dir := folder(t, files)
	hidden := filepath.Join(dir, ".git")
	if err := os.WriteFile(hidden, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	archive := tarOf(t, entries)
	var hashes []string
	for _, source := range []string{dir, archive, zipOf(t, entries), "file://" + filepath.ToSlash(archive)} {
		s := Store{filepath.Join(t.TempDir(), "plugins")}
		p, hash, err := s.Install(context.Background(), source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if p.Name != "me/x" || p.Dir != filepath.Join(s.Root, "me", "x", "0.1.0", Here()) {
			t.Errorf("%s: installed as %s in %s", source, p.Name, p.Dir)
		}
		if info, err := os.Stat(filepath.Join(p.Dir, "run")); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("%s: the program cannot be run: %v", source, err)
		}
		hashes = append(hashes, hash)
		if _, _, err := s.Install(context.Background(), source); err != nil {
			t.Errorf("%s, again: %v", source, err)
		}
		other := folder(t, map[string]string{DescriptionFile: description, "run": "#!/bin/sh\nexit 1\n"})
		if _, _, err := s.Install(context.Background(), other); code(err) != Tampered {
			t.Errorf("other files of the same version: %v", err)
		}
		if all, broken := s.Installed(); len(all) != 1 || len(broken) != 0 {
			t.Errorf("%s: %d installed, %v", source, len(all), broken)
		}
		left, err := filepath.Glob(filepath.Join(s.Root, ".install-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v", source, left)
		}
	}
	for _, h := range hashes {
		if h != hashes[0] {
			t.Errorf("hashes differ: %v", hashes)
		}
	}
}

// TestRefused: what is no package is not installed, with the reason.
func TestRefused(t *testing.T) {
	with := func(text string) map[string]string { return map[string]string{DescriptionFile: text, "run": ""} }
	truncated := tarOf(t, [][2]string{{DescriptionFile, description}, {"run", strings.Repeat("x", 4000)}})
	text, err := os.ReadFile(truncated)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(truncated, text[:len(text)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	linked := folder(t, with(description))
	if err := os.Symlink(os.TempDir(), filepath.Join(linked, "link")); err != nil {
		t.Skip(err)
	}
	for source, want := range map[string]string{
		"no/such/folder":                "there is no",
		"ftp://example.org/p.zip":       "not fetched by ftp",
		folder(t, nil):                  "has no plugin.json",
		folder(t, with(`{"name":`)):     "not valid",
		folder(t, with(`{"name":"x"}`)): "an owner and a name",
		folder(t, with(strings.Replace(description, "me/x", "nasc/x", 1))):    "nasc itself",
		folder(t, with(strings.Replace(description, "0.1.0", "1", 1))):        "three numbers",
		folder(t, with(strings.Replace(description, ": 1,", ": 9,", 1))):      "this nasc speaks",
		folder(t, with(strings.Replace(description, "./run", "./../run", 1))): "outside of the package",
		folder(t, with(strings.Replace(description, "./run", "/bin/sh", 1))):  "must be a file of the package",
		folder(t, with(strings.Replace(description, "./run", "./gone", 1))):   "has no file ./gone",
		linked: "neither a file nor a folder",
		tarOf(t, [][2]string{{DescriptionFile, description}, {"../evil", "x"}}):     "leads out of it",
		zipOf(t, [][2]string{{DescriptionFile, description}, {"a/../../evil", ""}}): "leads out of it",
		tarOf(t, [][2]string{{DescriptionFile, description}, {"run@", "/bin/sh"}}):  "neither a file nor a folder",
		tarOf(t, [][2]string{{"run", ""}}):                                          "has no plugin.json",
		truncated:                                                                   "damaged",
	} {
		s := Store{filepath.Join(t.TempDir(), "plugins")}
		_, _, err := s.Install(context.Background(), source)
		if code(err) != BadPackage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
		entries, err := os.ReadDir(s.Root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) || len(entries) > 0 {
			t.Errorf("%s: left behind: %v", source, entries)
		}
	}
}

// TestLock: what is written is read again; the newest version that is wanted is
// pinned; a package that changes is not started.
func TestLock(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "plugins")}
	for _, v := range []string{"0.1.0", "0.2.0", "0.10.0", "1.0.0"} {
		dir := folder(t, map[string]string{DescriptionFile: strings.Replace(description, "0.1.0", v, 1), "run": v})
		if _, _, err := s.Install(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
	}
	for wants, want := range map[string]string{"": "1.0.0", "~> 0.1": "0.10.0", "< 0.10": "0.2.0"} {
		p, _, err := s.Pin("me/x", wants)
		if err != nil || p.Version != want {
			t.Fatalf("%q: %+v, %v; want %s", wants, p, err, want)
		}
	}
	for name, want := range map[string]string{"me/x ~> 2.0": Unwanted, "me/x what": Unwanted, "me/y ": NotThere} {
		name, wants, _ := strings.Cut(name, " ")
		if _, _, err := s.Pin(name, wants); code(err) != want {
			t.Errorf("%s %q: %v", name, wants, err)
		}
	}
	p, here, err := s.Pin("me/x", "~> 0.1")
	if err != nil {
		t.Fatal(err)
	}
	p.Describe = "sha256:00"
	p.Signatures = "import { relu } from \"std/vision\"\n\n/// Twice | once.\nop two(x: [c, h, w]) -> x {\n    params = c\n}\n"
	l := &Lock{File: filepath.Join(t.TempDir(), LockFile)}
	l.Set(&Locked{Name: "z/z", Version: "1.0.0", Protocol: 1, Describe: "sha256:1", Packages: map[string]string{"linux_amd64": "h1:1", "darwin_arm64": "h1:2"}})
	l.Set(p)
	if err := l.Write(); err != nil {
		t.Fatal(err)
	}
	again, err := FindLock(filepath.Join(filepath.Dir(l.File)))
	if err != nil {
		t.Fatal(err)
	}
	if string(again.Text()) != string(l.Text()) || again.Locked("me/x").Packages[Here()] != p.Packages[Here()] || again.Plugins[0].Name != "me/x" {
		t.Errorf("written:\n%sread:\n%s", l.Text(), again.Text())
	}
	if got := again.Locked("me/x").Signatures; got != p.Signatures || again.Locked("z/z").Signatures != "" {
		t.Errorf("signatures read: %q", got)
	}
	c, err := s.Command(again.Locked("me/x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(); err != nil {
		t.Errorf("untouched: %v", err)
	}
	if err := os.WriteFile(filepath.Join(here.Dir, "run"), []byte("evil"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(); code(err) != Tampered || !strings.Contains(err.Error(), p.Packages[Here()]) {
		t.Errorf("changed: %v", err)
	}
	if err := os.RemoveAll(here.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Command(again.Locked("me/x")); code(err) != NotThere {
		t.Errorf("removed: %v", err)
	}
}

// TestBadLocks: every line that makes no sense is told with its place.
func TestBadLocks(t *testing.T) {
	for text, want := range map[string]string{
		"plugin x 1.0.0 (protocol 1)":                                                "1:1",
		"\nplugin me/x one (protocol 1)":                                             "2:1",
		"plugin me/x 1.0.0":                                                          "1:1",
		"plugin me/x 1.0.0 (wants ?!, protocol 1)":                                   "what is wanted",
		"plugin me/x 1.0.0 (wants 1.0)":                                              "protocol is missing",
		"describe sha256:1":                                                          "before the first",
		"plugin me/x 1.0.0 (protocol 1)\nplugin me/x 1.0.1 (protocol 1)":             "locked twice",
		"plugin me/x 1.0.0 (protocol 1)\n    package linux_amd64 zh:12":              "makes no sense",
		"plugin me/x 1.0.0 (protocol 1)\n | " + strings.Repeat("x", 2<<20):           "the line cannot be read",
		"plugin me/x 1.0.0 (protocol 1)\n<<<<<<< HEAD\n    package linux_amd64 h1:1": "conflict of a merge",
	} {
		_, err := ParseLock("nasc.lock", []byte(text))
		if code(err) != BadLock || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100q: %v, want %q", text, err, want)
		}
	}
}

// FuzzParseLock: no text breaks the reader, and what it understands is written so that
// it reads the same.
func FuzzParseLock(f *testing.F) {
	f.Add("# x\nplugin me/x 1.0.0 (wants ~> 1.0, protocol 1)\n describe sha256:12\n package linux_amd64 h1:x=\n")
	f.Add("plugin me/x 1.0.0 (protocol 1)\n describe sha256:12\n | op a(x) -> x  \n |\n|b|c\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLock("nasc.lock", []byte(text))
		if err != nil {
			return
		}
		again, err := ParseLock("nasc.lock", l.Text())
		if err != nil {
			for _, p := range l.Plugins { // nothing describes it yet
				if p.Describe == "" {
					return
				}
			}
			t.Fatalf("%v\n%s", err, l.Text())
		}
		if string(again.Text()) != string(l.Text()) {
			t.Errorf("%s\n%s", l.Text(), again.Text())
		}
	})
}
