package reproduce

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Data are the measurements that a study looks up.
type Data struct {
	What    string // one line
	Setting string // the evaluator's parameter that names the file
	Table   string // the name of the imported file, which serves as it is
	Imports []Import
}

// Import is a form in which the data exist and which can be imported.
type Import struct {
	Name     string // of the file or folder
	Kind     string // for `nasc bench import`
	Official bool   // published by the authors of the benchmark
	Size     string // in words
	From     string // where to get it
}

// Found is a file or folder that holds the data.
type Found struct {
	Path string
	Kind string // to import it as; empty when it is imported
}

// Find looks for the data in folders, the first that has any form of them, the
// imported one first.
func (d Data) Find(folders ...string) (Found, bool) {
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		for _, c := range append([]Import{{Name: d.Table}}, d.Imports...) {
			path := filepath.Join(folder, c.Name)
			if _, err := os.Stat(path); err == nil {
				return Found{path, c.Kind}, true
			}
		}
	}
	return Found{}, false
}

// Open says what a file or folder is that the user named: one that holds the data,
// or a folder in which they are found. It goes by the names of files.
func (d Data) Open(path string) (Found, bool) {
	name := strings.ToLower(filepath.Base(path))
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Found{}, false
	case info.IsDir():
		if f, ok := d.Find(path); ok {
			return f, true
		}
		for _, c := range d.Imports { // the official folder, under any name
			if _, err := os.Stat(filepath.Join(path, "meta.pickle.pbz2")); err == nil && strings.HasPrefix(c.Kind, "nats-") {
				return Found{path, c.Kind}, true
			}
		}
		return Found{}, false
	case strings.HasSuffix(name, ".nasb"):
		return Found{path, ""}, true
	}
	for _, c := range d.Imports {
		if ext := extension(c.Name); ext != "" && strings.HasSuffix(name, ext) {
			return Found{path, c.Kind}, true
		}
	}
	return Found{}, false
}

// extension is what the name of a file ends with, that of its compression included.
func extension(name string) string {
	name = strings.ToLower(name)
	zip := ""
	if filepath.Ext(name) == ".gz" {
		zip = ".gz"
	}
	ext := filepath.Ext(strings.TrimSuffix(name, zip))
	if ext == "" {
		return ""
	}
	return ext + zip
}

// Cached is the file that the data are imported to: below the folder for what
// programs can make again, with a name that changes when the source does.
func (d Data) Cached(f Found) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", f.Kind, path, info.Size(), info.ModTime().UnixNano()))
	name := strings.TrimSuffix(d.Table, ".nasb")
	return filepath.Join(dir, "nasc", fmt.Sprintf("%s-%x.nasb", name, key[:8])), nil
}
