// Package packages keeps plugins that are not part of nasc: where they are installed,
// which of them a project has pinned, and how to start them.
//
// A package is a folder with a plugin.json, which tells the plugin's name, its version
// and the command that starts it ([Read]). [Store.Install] brings one from a folder, an
// archive or an address into the user's store; several versions and platforms lie side
// by side there, and being there lets none of them run. What runs is what a project's
// nasc.lock names ([Lock]), if the package still has the hash that the lock says. The
// hash is checked again before every start of the process.
//
// Somebody who writes a plugin runs it without all of this by an [Override], of which
// nasc warns each time. Nothing is ever found by PATH or in the working directory.
package packages

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/hashicorp/go-version"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// DescriptionFile is the file that makes a folder a package.
const DescriptionFile = "plugin.json"

// Anywhere is the platform of a package that runs on all of them.
const Anywhere = "any"

// Here is the platform of this process, "linux_amd64".
func Here() string { return runtime.GOOS + "_" + runtime.GOARCH }

// Package is a plugin in a folder.
type Package struct {
	Dir         string   `json:"-"`
	Name        string   `json:"name"`    // "me/annealing"
	Version     string   `json:"version"` // "0.1.0", semantic
	Protocol    int      `json:"protocol"`
	Platform    string   `json:"platform,omitempty"` // "linux_amd64" or "any"; empty: that of who installs it
	Command     []string `json:"command"`            // "./annealing"; what begins with ./ is a file of the package
	Doc         string   `json:"doc,omitempty"`
	Unencrypted bool     `json:"unencrypted,omitempty"` // it cannot do TLS: the private folder of its socket has to do
}

var (
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9_-]*/[a-z][a-z0-9_-]*$`)
	platformForm = regexp.MustCompile(`^[a-z0-9]+_[a-z0-9]+$`)
)

// Named reports whether a name is one that a package can have: an owner and a name of
// small letters, digits, - and _. The owner nasc is nasc itself.
func Named(name string) bool { return nameForm.MatchString(name) && !strings.HasPrefix(name, "nasc/") }

// Read reads a package and checks what its plugin.json says.
func Read(dir string) (*Package, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, DescriptionFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault(BadPackage, fmt.Sprintf("%s has no %s", dir, DescriptionFile), "`nasc plugin new` writes one")
	}
	if err != nil {
		return nil, err
	}
	p := &Package{Dir: dir}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fault(BadPackage, fmt.Sprintf("%s is not valid: %v", file, err), "")
	}
	if why := p.wrong(); why != "" {
		return nil, fault(BadPackage, file+": "+why, "")
	}
	return p, nil
}

// wrong says what is wrong with a plugin.json.
func (p *Package) wrong() string {
	switch {
	case !nameForm.MatchString(p.Name):
		return fmt.Sprintf("name is %q; it must be an owner and a name, as in \"me/annealing\"", p.Name)
	case !Named(p.Name):
		return fmt.Sprintf("name is %q, but the owner nasc is nasc itself", p.Name)
	case p.Protocol != wire.ProtocolVersion:
		return fmt.Sprintf("protocol is %d; this nasc speaks %d", p.Protocol, wire.ProtocolVersion)
	case p.Platform != "" && p.Platform != Anywhere && !platformForm.MatchString(p.Platform):
		return fmt.Sprintf("platform is %q; it must be like \"linux_amd64\", or \"any\"", p.Platform)
	case len(p.Command) == 0:
		return "command is missing; it is a list, as in [\"./annealing\"]"
	}
	if v, err := version.NewSemver(p.Version); err != nil || v.Original() != v.String() {
		return fmt.Sprintf("version is %q; it must have three numbers, as in \"0.1.0\"", p.Version)
	}
	for i, arg := range p.Command {
		inside, ok := strings.CutPrefix(arg, "./")
		if ok && !filepath.IsLocal(filepath.FromSlash(inside)) {
			return fmt.Sprintf("command has %q, which is outside of the package", arg)
		}
		if i == 0 && !ok && strings.ContainsAny(arg, `/\`) {
			return fmt.Sprintf("command starts %q; it must be a file of the package, as in \"./annealing\", or the name of an interpreter", arg)
		}
	}
	return ""
}

// platform is where the package runs.
func (p *Package) platform() string {
	if p.Platform == "" {
		return Here()
	}
	return p.Platform
}

// Hash is the hash of all files of a folder, by the rule that the Go module system
// calls h1: SHA-256 over the sorted list of the files' SHA-256 sums and names.
func Hash(dir string) (string, error) {
	return hash(dir, func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, filepath.FromSlash(name))) })
}

func hash(dir string, open func(name string) (io.ReadCloser, error)) (string, error) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			return fault(BadPackage, path+" is neither a file nor a folder", "a package must not hold links")
		}
		return err
	})
	if err != nil {
		return "", err
	}
	files, err := dirhash.DirFiles(dir, "")
	if err != nil {
		return "", err
	}
	return dirhash.Hash1(files, open)
}

// command is how to start the package, whose hash is checked before.
func (p *Package) command(hash string) (host.Command, error) {
	c := host.Command{TLS: !p.Unencrypted, Sum: hash, Env: []string{"PYTHONDONTWRITEBYTECODE=1"}} // else Python changes the package
	for i, arg := range p.Command {
		if inside, ok := strings.CutPrefix(arg, "./"); ok {
			arg = filepath.Join(p.Dir, filepath.FromSlash(inside))
		} else if i == 0 {
			path, err := exec.LookPath(arg)
			if err != nil {
				return c, fault(BadPackage, fmt.Sprintf("%s %s is started by %s, which is not on this machine", p.Name, p.Version, arg), "install it, or put it on the PATH")
			}
			arg = path
		}
		if i == 0 {
			c.Path = arg
			continue
		}
		c.Args = append(c.Args, arg)
	}
	c.Verify = func() (*host.Verified, error) { return p.verify(hash) }
	return c, nil
}
