package packages

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// LockFile is the name of a lock.
const LockFile = "nasc.lock"

// Lock says which packages a project runs. It is text that people can merge: the
// plugins are sorted, and everything that is hashed has a line of its own.
type Lock struct {
	File    string
	Plugins []*Locked // by name
}

// Locked is a plugin in a lock.
type Locked struct {
	Name     string
	Version  string
	Wants    string            // the versions that may be locked, "~> 1.0"; may be empty
	Protocol int               // that it speaks
	Describe string            // hash of what it says of itself
	Packages map[string]string // hashes, by platform
	// Signatures declare the operations that it offers to spaces. They are text in the
	// lock, so that whoever has the project can check, count and draw its spaces, without
	// the plugin, and sees in the history of the lock what changes.
	Signatures string

	span diag.Span
}

// FindLock reads the lock of the project that a folder belongs to: the nearest
// nasc.lock in it or above. Without one the lock is empty and would be in the folder.
func FindLock(dir string) (*Lock, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for at := dir; ; at = filepath.Dir(at) {
		file := filepath.Join(at, LockFile)
		text, err := os.ReadFile(file)
		switch {
		case err == nil:
			return ParseLock(file, text)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case at == filepath.Dir(at):
			return &Lock{File: filepath.Join(dir, LockFile)}, nil
		}
	}
}

// ParseLock reads a lock. An error has the place of what is wrong.
func ParseLock(file string, text []byte) (*Lock, error) {
	l := &Lock{File: file}
	var diags diag.List
	var now *Locked
	line := 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, syntax.MaxFileSize)
	for lines.Scan() {
		line++
		at := diag.Span{Start: diag.Pos{File: file, Line: line, Col: 1}}
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case strings.HasPrefix(words[0], "<<<<<<<"), strings.HasPrefix(words[0], "======="), strings.HasPrefix(words[0], ">>>>>>>"):
			diags.Add(BadLock, at, "the lock holds a conflict of a merge").Help = "keep the lines of one side, or run `nasc plugin lock`"
			return nil, diags.Err()
		case words[0] == "plugin":
			now = &Locked{Packages: map[string]string{}, span: at}
			if why := now.read(lines.Text()); why != "" {
				diags.Add(BadLock, at, "%s", why)
				continue
			}
			if i, there := l.search(now.Name); there {
				d := diags.Add(BadLock, at, "%s is locked twice", now.Name)
				d.Notes = append(d.Notes, diag.Note{Span: l.Plugins[i].span, Text: "first here"})
				continue
			}
			l.Plugins = append(l.Plugins, now)
			slices.SortFunc(l.Plugins, func(a, b *Locked) int { return cmp.Compare(a.Name, b.Name) })
		case now == nil:
			diags.Add(BadLock, at, "a line before the first plugin").Help = "`nasc plugin lock` writes the file; take the last good one, or remove it and lock anew"
		case words[0] == "describe" && len(words) == 2 && strings.HasPrefix(words[1], "sha256:"):
			now.Describe = words[1]
		case strings.HasPrefix(words[0], "|"):
			_, text, _ := strings.Cut(lines.Text(), "|")
			now.Signatures += strings.TrimPrefix(text, " ") + "\n"
		case words[0] == "package" && len(words) == 3 && strings.HasPrefix(words[2], "h1:"):
			now.Packages[words[1]] = words[2]
		default:
			diags.Add(BadLock, at, "the line makes no sense: %s", strings.TrimSpace(lines.Text())).Help =
				"lines of a plugin are `describe sha256:…`, `package PLATFORM h1:…` and, for its operations, `| TEXT`"
		}
	}
	if err := lines.Err(); err != nil {
		diags.Add(BadLock, diag.Span{Start: diag.Pos{File: file, Line: line + 1, Col: 1}}, "the line cannot be read: %v", err)
	}
	if err := diags.Err(); err != nil {
		return nil, err
	}
	return l, nil
}

// read reads the first line of a plugin:
//
//	plugin me/annealing 0.1.0 (wants ~> 0.1, protocol 1)
func (p *Locked) read(line string) string {
	head, rest, ok := strings.Cut(strings.TrimSpace(line), "(")
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), ")")
	words := strings.Fields(head)
	if !ok || !closed || len(words) != 3 || !Named(words[1]) {
		return "the line makes no sense; it must be like `plugin me/annealing 0.1.0 (protocol 1)`"
	}
	p.Name, p.Version = words[1], words[2]
	if _, err := version.NewSemver(p.Version); err != nil {
		return fmt.Sprintf("%s is no version", p.Version)
	}
	for _, part := range strings.Split(rest, ", ") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		switch key {
		case "wants":
			if _, err := version.NewConstraint(value); err != nil {
				return fmt.Sprintf("what is wanted makes no sense: %s", value)
			}
			p.Wants = value
		case "protocol":
			if _, err := fmt.Sscanf(value, "%d", &p.Protocol); err != nil {
				return fmt.Sprintf("%s is no version of the protocol", value)
			}
		default:
			return fmt.Sprintf("nothing is known of `%s`", part)
		}
	}
	if p.Protocol == 0 {
		return "the version of the protocol is missing"
	}
	return ""
}

func (l *Lock) search(name string) (int, bool) {
	return slices.BinarySearchFunc(l.Plugins, name, func(p *Locked, name string) int { return cmp.Compare(p.Name, name) })
}

// Locked returns the plugin of a name; nil: it is not locked.
func (l *Lock) Locked(name string) *Locked {
	if i, ok := l.search(name); ok {
		return l.Plugins[i]
	}
	return nil
}

// Set puts a plugin into the lock, in the place of what was there.
func (l *Lock) Set(p *Locked) {
	i, there := l.search(p.Name)
	if there {
		l.Plugins[i] = p
		return
	}
	l.Plugins = slices.Insert(l.Plugins, i, p)
}

// Text is the lock as it is written.
func (l *Lock) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s: which plugins this project runs. Written by `nasc plugin lock`; commit it.\n", LockFile)
	for _, p := range l.Plugins {
		terms := fmt.Sprintf("protocol %d", p.Protocol)
		if p.Wants != "" {
			terms = "wants " + p.Wants + ", " + terms
		}
		fmt.Fprintf(&b, "\nplugin %s %s (%s)\n    describe %s\n", p.Name, p.Version, terms, p.Describe)
		for _, platform := range slices.Sorted(maps.Keys(p.Packages)) {
			fmt.Fprintf(&b, "    package  %s %s\n", platform, p.Packages[platform])
		}
		if p.Signatures == "" {
			continue
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(p.Signatures, "\n"), "\n") {
			b.WriteString(strings.TrimRight("    | "+line, " ") + "\n")
		}
	}
	return b.Bytes()
}

// Write writes the lock, as a whole or not at all.
func (l *Lock) Write() error {
	f, err := os.CreateTemp(filepath.Dir(l.File), "."+LockFile+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(l.Text())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), l.File)
}

// Wanted says what is wrong with a plugin of which certain versions are wanted, as
// "~> 1.0" or ">= 1.2, < 2"; nil: nothing.
func Wanted(d wire.Description, wants string) *diag.Diagnostic {
	if wants == "" {
		return nil
	}
	c, err := version.NewConstraint(wants)
	if err != nil {
		return noVersions(wants)
	}
	if v, err := version.NewSemver(d.Version); err != nil || !c.Check(v) {
		return fault(Unwanted, fmt.Sprintf("%s is there in version %s, and the file wants %s", d.Name, d.Version, wants), "install and lock another version, or change the `import plugin`")
	}
	return nil
}

func noVersions(text string) *diag.Diagnostic {
	return fault(Unwanted, fmt.Sprintf("`%s` says no versions", text), "write it like `~> 1.0` or `>= 1.2, < 2`")
}

// Pin makes what a lock says of a plugin: the newest version of the store that is
// wanted, with the packages for all platforms that are installed. What the plugin says
// of itself is added by who starts it.
func (s Store) Pin(name, wants string) (*Locked, *Package, error) {
	var allowed version.Constraints
	if wants != "" {
		var err error
		if allowed, err = version.NewConstraint(wants); err != nil {
			return nil, nil, noVersions(wants)
		}
	}
	p := &Locked{Name: name, Wants: wants, Protocol: wire.ProtocolVersion, Packages: map[string]string{}}
	var here *Package
	all := s.Of(name)
	for _, found := range all {
		if p.Version != "" && found.Version != p.Version || allowed != nil && !allowed.Check(version.Must(version.NewSemver(found.Version))) {
			continue
		}
		hash, err := Hash(found.Dir)
		if err != nil {
			return nil, nil, err
		}
		p.Version = found.Version
		p.Packages[found.platform()] = hash
		if found.platform() == Here() || here == nil && found.platform() == Anywhere {
			here = found
		}
	}
	switch {
	case len(all) == 0:
		return nil, nil, fault(NotThere, name+" is not installed", "install it with `nasc plugin install`")
	case p.Version == "":
		return nil, nil, fault(Unwanted, fmt.Sprintf("no installed version of %s is %s; the newest is %s", name, wants, all[0].Version), "")
	case here == nil:
		return nil, nil, fault(NotThere, fmt.Sprintf("%s %s is not installed for %s", name, p.Version, Here()), "install it with `nasc plugin install`")
	}
	return p, here, nil
}

// Command is how to start a locked plugin.
func (s Store) Command(p *Locked) (c host.Command, err error) {
	found, err := s.find(p.Name, p.Version)
	if err != nil {
		return c, err
	}
	hash, ok := p.Packages[found.platform()]
	if !ok {
		return c, fault(NotThere, fmt.Sprintf("the lock has no package of %s %s for %s", p.Name, p.Version, found.platform()),
			"lock it here too, with `nasc plugin lock "+p.Name+"`")
	}
	return found.command(hash)
}
