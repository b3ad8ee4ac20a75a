package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// What a locked plugin says of itself is kept in the store beside its package, whose hash
// it must not change, so that searches can be checked without starting anything. It is
// believed if it has the hash that the lock says.

// DescriptionHash is the hash of what a plugin says of itself, as a lock has it.
func DescriptionHash(d wire.Description) (string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// kept is the file with what a plugin says of itself.
func (p *Package) kept() string { return p.Dir + ".describe" }

// Describe keeps what a locked plugin says of itself.
func (s Store) Describe(p *Locked, d wire.Description) error {
	found, err := s.find(p.Name, p.Version)
	if err != nil {
		return err
	}
	m, err := wire.FromDescription(d)
	if err != nil {
		return err
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(found.Dir), ".describe-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), found.kept())
}

// Described returns what a locked plugin says of itself, without starting it.
func (s Store) Described(p *Locked) (wire.Description, error) {
	found, err := s.find(p.Name, p.Version)
	if err != nil {
		return wire.Description{}, err
	}
	unknown := fault(NotDescribed, fmt.Sprintf("%s %s is locked, and what it says of itself is not known on this machine", p.Name, p.Version),
		"`nasc plugin verify` asks it")
	text, err := os.ReadFile(found.kept())
	if errors.Is(err, fs.ErrNotExist) {
		return wire.Description{}, unknown
	} else if err != nil {
		return wire.Description{}, err
	}
	var m nascv1.DescribeResponse
	if err := proto.Unmarshal(text, &m); err != nil {
		return wire.Description{}, unknown
	}
	d, err := wire.ToDescription(&m)
	if err != nil {
		return wire.Description{}, unknown
	}
	if hash, err := DescriptionHash(d); err != nil || hash != p.Describe {
		return wire.Description{}, unknown
	}
	return d, nil
}
