package packages

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/hashicorp/go-version"
)

// Store is the folder of installed packages:
// OWNER/NAME/VERSION/PLATFORM/plugin.json.
type Store struct{ Root string }

// UserStore is the store of the user: plugins in the folder that NASC_HOME names, else
// where the system keeps the data of programs.
func UserStore() (Store, error) {
	home := os.Getenv("NASC_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return Store{}, fmt.Errorf("no folder for plugins: %w; set NASC_HOME", err)
		}
		switch runtime.GOOS {
		case "windows":
			home = filepath.Join(cmp.Or(os.Getenv("LOCALAPPDATA"), filepath.Join(user, "AppData", "Local")), "nasc")
		case "darwin":
			home = filepath.Join(user, "Library", "Application Support", "nasc")
		default:
			home = filepath.Join(cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(user, ".local", "share")), "nasc")
		}
	}
	return Store{filepath.Join(home, "plugins")}, nil
}

// place is where a package is installed.
func (s Store) place(name, version, platform string) string {
	return filepath.Join(s.Root, filepath.FromSlash(name), version, platform)
}

// Installed lists all packages, by name and then version, the newest first. Of
// folders that hold none it says why.
func (s Store) Installed() (all []*Package, broken []error) {
	found, err := filepath.Glob(filepath.Join(s.Root, "*", "*", "*", "*", DescriptionFile))
	if err != nil {
		return nil, []error{err}
	}
	for _, file := range found {
		p, err := Read(filepath.Dir(file))
		if err == nil && p.Dir != s.place(p.Name, p.Version, p.platform()) {
			err = fault(BadPackage, fmt.Sprintf("%s holds %s %s for %s, which does not belong there", p.Dir, p.Name, p.Version, p.platform()), "install it again")
		}
		if err != nil {
			broken = append(broken, err)
			continue
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), newer(a.Version, b.Version), cmp.Compare(a.platform(), b.platform()))
	})
	return all, broken
}

// newer orders versions, the newest first.
func newer(a, b string) int {
	return version.Must(version.NewSemver(b)).Compare(version.Must(version.NewSemver(a)))
}

// Of lists the packages of a plugin, all versions and platforms.
func (s Store) Of(name string) []*Package {
	all, _ := s.Installed()
	return slices.DeleteFunc(all, func(p *Package) bool { return p.Name != name })
}

// find returns the package of a version that runs here, with its platform.
func (s Store) find(name, version string) (*Package, error) {
	for _, platform := range []string{Here(), Anywhere} {
		p, err := Read(s.place(name, version, platform))
		if _, missing := os.Stat(s.place(name, version, platform)); errors.Is(missing, fs.ErrNotExist) {
			continue
		}
		return p, err
	}
	return nil, fault(NotThere, fmt.Sprintf("%s %s is locked, but not installed for %s", name, version, Here()),
		"install it with `nasc plugin install`")
}
