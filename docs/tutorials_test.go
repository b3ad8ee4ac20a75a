package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A tutorial is done as it is written, from its first block to its last, in one folder:
//
//	LANGUAGE FILE  the file is written
//	console        the commands behind `$ ` are run, and print what stands below them:
//	               … in a line stands for any text, a line of it for any lines
//	(none)         not tested
//
// A command that is to fail says so: `$ nasc check wrong.nas || true`.

// tutor is a tutorial that is being done.
type tutor struct {
	t    *testing.T
	page string
	dir  string // where it begins
	here string // where it is
	env  []string
}

// TestTutorials does what the tutorials say.
func TestTutorials(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds plugins and trains networks")
	}
	pages, err := filepath.Glob("tutorials/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no tutorials: %v", err)
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "nasc"), "../cmd/nasc").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			src, fences := blocks(t, page)
			if strings.Contains(src, "import nasc_plugin") {
				if out, err := exec.Command("python3", "-c", "import grpc, google.protobuf, pytest").CombinedOutput(); err != nil {
					t.Skipf("python3 cannot import what plugins in Python need: %s", out)
				}
			}
			d := t.TempDir()
			u := &tutor{t: t, page: page, dir: d, here: d, env: append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
				"NASC_SOURCE="+repo, "NASC_HOME="+filepath.Join(d, "home"), "NASC_PLUGINS=", "NO_COLOR=1",
				"PYTHONPATH="+filepath.Join(repo, "plugins", "python", "src"), "PYTHONDONTWRITEBYTECODE=1", "PYTEST_ADDOPTS=-p no:cacheprovider")}
			for _, f := range fences {
				u.do(f)
				if t.Failed() {
					return // what follows builds on it
				}
			}
		})
	}
}

// do does what a block says.
func (u *tutor) do(f fence) {
	u.t.Helper()
	switch {
	case f.kind == "":
	case f.kind == "console" && f.name == "":
		for _, c := range commands(f) {
			u.run(c)
		}
	case slices.Contains([]string{"go", "python", "nas", "json", "text"}, f.kind) && f.name != "":
		if err := os.WriteFile(filepath.Join(u.here, f.name), []byte(f.text), 0o644); err != nil {
			u.t.Errorf("%s:%d: %v", u.page, f.line, err)
		}
	default:
		u.t.Errorf("%s:%d: what is a block `%s %s`?", u.page, f.line, f.kind, f.name)
	}
}

// command is one of a console, with what it prints.
type command struct {
	line int
	text string
	want string
}

func commands(f fence) (all []command) {
	for i, l := range strings.SplitAfter(f.text, "\n") {
		if text, ok := strings.CutPrefix(l, "$ "); ok {
			all = append(all, command{line: f.line + i, text: strings.TrimSuffix(text, "\n")})
		} else if len(all) > 0 {
			all[len(all)-1].want += l
		}
	}
	return all
}

// run runs a command in a shell, where the last one has ended.
func (u *tutor) run(c command) {
	u.t.Helper()
	where := filepath.Join(u.dir, ".where")
	sh := exec.Command("sh", "-c", c.text+"\ncode=$?\npwd > \"$WHERE\"\nexit $code")
	sh.Dir = u.here
	sh.Env = append(u.env, "WHERE="+where)
	out, err := sh.CombinedOutput()
	if err != nil {
		u.t.Errorf("%s:%d: %s: %v\n%s", u.page, c.line, c.text, err, out)
		return
	}
	now, err := os.ReadFile(where)
	if err != nil {
		u.t.Errorf("%s:%d: %v", u.page, c.line, err)
		return
	}
	u.here = strings.TrimSuffix(string(now), "\n")
	if !shown(c.want).Match(out) {
		u.t.Errorf("%s:%d: %s prints\n%s\nthe page shows\n%s", u.page, c.line, c.text, out, c.want)
	}
}

// shown is what a page shows of an output, as a pattern.
func shown(text string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for _, l := range strings.SplitAfter(text, "\n") {
		if l == "…\n" {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(l), "…", ".*"))
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}

// TestAnnealing: simulated annealing, with its parameters and all, is a file of less than
// 60 lines.
func TestAnnealing(t *testing.T) {
	_, fences := blocks(t, "tutorials/optimizer-go.md")
	at := slices.IndexFunc(fences, func(f fence) bool { return f.kind == "go" && f.name == "main.go" })
	if at < 0 {
		t.Fatal("the tutorial has no main.go")
	}
	if n := strings.Count(fences[at].text, "\n"); n >= 60 {
		t.Errorf("main.go has %d lines", n)
	}
}
