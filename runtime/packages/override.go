package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/nasc-project/nasc/runtime/host"
)

// Override is a plugin that runs from where it is made, without being installed or
// locked: "me/annealing=./annealing".
type Override struct {
	Name string
	Path string // of the program, or of a package's folder
}

// ParseOverride reads NAME=PATH.
func ParseOverride(text string) (Override, error) {
	name, path, ok := strings.Cut(text, "=")
	if !ok || path == "" || !Named(name) {
		return Override{}, fault(BadPackage, fmt.Sprintf("%q is no plugin and its path", text), "write it like `me/annealing=./annealing`")
	}
	return Override{name, path}, nil
}

// Command is how to start it.
func (o Override) Command() (host.Command, error) {
	at, err := filepath.Abs(o.Path)
	if err != nil {
		return host.Command{}, err
	}
	info, err := os.Stat(at)
	if err != nil {
		return host.Command{}, fault(BadPackage, fmt.Sprintf("%s: there is no %s", o.Name, o.Path), "")
	}
	if !info.IsDir() {
		sum, err := Sum(at)
		return host.Command{Path: at, TLS: true, Sum: sum}, err
	}
	p, err := Read(at)
	if err != nil {
		return host.Command{}, err
	}
	if p.Name != o.Name {
		return host.Command{}, fault(BadPackage, fmt.Sprintf("%s is the package of %s, not of %s", o.Path, p.Name, o.Name), "")
	}
	hash, err := Hash(at)
	if err != nil {
		return host.Command{}, err
	}
	c, err := p.command(hash)
	c.Verify = nil // its author changes it
	return c, err
}

// Sum is the SHA-256 of a program that is one file.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
