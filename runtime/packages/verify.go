package packages

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nasc-project/nasc/runtime/host"
)

// verify tells whether the package has the hash that was locked. The program of it that is
// executed is hashed by way of the file that stays open, and of all files and folders is noted
// by what the system would tell that they were changed.
func (p *Package) verify(locked string) (_ *host.Verified, err error) {
	before, err := p.settled()
	if err != nil {
		return nil, err
	}
	v := &host.Verified{}
	inside, own := strings.CutPrefix(p.Command[0], "./")
	inside = filepath.Clean(filepath.FromSlash(inside))
	if own {
		if v.Program, err = os.Open(filepath.Join(p.Dir, inside)); errors.Is(err, fs.ErrNotExist) {
			return nil, p.tampered("has changed since it was locked: it has no " + inside + " any more")
		} else if err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				v.Program.Close()
			}
		}()
	}
	now, err := hash(p.Dir, func(name string) (io.ReadCloser, error) {
		if name = filepath.FromSlash(name); own && name == inside {
			return io.NopCloser(v.Program), nil
		}
		return os.Open(filepath.Join(p.Dir, name))
	})
	if err != nil {
		return nil, err
	}
	if now != locked {
		return nil, p.tampered(fmt.Sprintf("has changed since it was locked: its hash is %s, the lock says %s", now, locked))
	}
	v.Unchanged = func() error {
		after, err := stamps(p.Dir)
		program := before[inside]
		if err == nil && own {
			program, err = stampOf(v.Program)
		}
		if errors.Is(err, fs.ErrNotExist) || err == nil && (program != before[inside] || !maps.Equal(before, after)) {
			return p.tampered("was changed while it was started")
		}
		return err
	}
	return v, nil
}

func (p *Package) tampered(how string) error {
	return fault(Tampered, fmt.Sprintf("%s %s %s", p.Name, p.Version, how),
		"install it again, or accept the change with `nasc plugin lock "+p.Name+"`")
}

// grain is above the resolution of the times that systems give to files.
const grain = 50 * time.Millisecond

// settled are the stamps of the package, when every later change gives it others: not
// within the same tick of the clock as one before.
func (p *Package) settled() (map[string]stamp, error) {
	for {
		all, err := stamps(p.Dir)
		if err != nil {
			return nil, err
		}
		young := time.Duration(0)
		for _, s := range all {
			if age := time.Since(s.changed()); age >= 0 && age < grain {
				young = max(young, grain-age)
			}
		}
		if young == 0 {
			return all, nil
		}
		time.Sleep(young)
	}
}

// stamps are those of a folder and of all that is in it, by their names from there.
func stamps(dir string) (map[string]stamp, error) {
	all := map[string]stamp{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			all[name], err = stampAt(path)
		}
		return err
	})
	return all, err
}
