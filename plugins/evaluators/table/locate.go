package table

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// DataEnv is the variable that names a folder of imported benchmarks.
const DataEnv = "NASC_DATA"

// Folders are where a bare file name is looked for after the current folder: the one
// in $NASC_DATA and the user's own for data of nasc.
func Folders() []string {
	var out []string
	if dir := os.Getenv(DataEnv); dir != "" {
		out = append(out, dir)
	}
	home, _ := os.UserHomeDir()
	switch dir := os.Getenv("XDG_DATA_HOME"); {
	case runtime.GOOS == "windows":
		if dir := os.Getenv("LOCALAPPDATA"); dir != "" {
			out = append(out, filepath.Join(dir, "nasc"))
		}
	case dir != "":
		out = append(out, filepath.Join(dir, "nasc"))
	case home != "" && runtime.GOOS == "darwin":
		out = append(out, filepath.Join(home, "Library", "Application Support", "nasc"))
	case home != "":
		out = append(out, filepath.Join(home, ".local", "share", "nasc"))
	}
	return out
}

// locate finds the file that a parameter names.
func locate(parameter, name string) (string, error) {
	_, err := os.Stat(name)
	if err == nil {
		return name, nil
	}
	p := &sdk.Problem{Path: "parameters." + parameter}
	if !errors.Is(err, fs.ErrNotExist) || name != filepath.Base(name) {
		p.Message = fmt.Sprintf("%s is %q, which cannot be read: %v", parameter, name, reason(err))
		p.Help = elsewhere([]string{filepath.Dir(name)}, name)
		return "", p
	}
	looked := append([]string{"."}, Folders()...)
	for _, dir := range looked[1:] {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name), nil
		}
	}
	p.Message = fmt.Sprintf("%s is %q, and no such file is in the current folder", parameter, name)
	for _, dir := range looked[1:] {
		p.Message += ", nor in " + dir
	}
	if p.Help = elsewhere(looked, name); p.Help == "" {
		p.Help = "import one with `nasc bench import`, or say with " + DataEnv + " in which folder it is"
	}
	return "", p
}

func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// elsewhere is help where a file that can be imported lies beside the one that is
// missing.
func elsewhere(dirs []string, name string) string {
	stem := strings.TrimSuffix(filepath.Base(name), ".nasb")
	for _, dir := range dirs {
		for _, ending := range []string{".csv.gz", ".csv"} {
			from := filepath.Join(dir, stem+ending)
			if _, err := os.Stat(from); err == nil {
				return command("csv", from)
			}
		}
	}
	return ""
}

// command is help that tells how to import a file.
func command(kind, from string) string {
	base := filepath.Base(from)
	for _, ending := range []string{".gz", ".csv", ".json", ".tfrecord", ".pth", ".pickle"} {
		base = strings.TrimSuffix(base, ending)
	}
	return fmt.Sprintf("import it with `nasc bench import %s %s -o %s.nasb`", kind, from, base)
}

// importing is help for a path that is no imported benchmark but something that can be
// made one.
func importing(path string) string {
	name := strings.ToLower(filepath.Base(path))
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, "meta.pickle.pbz2")); err != nil {
			return ""
		}
		if strings.Contains(name, "sss") {
			return command("nats-sss", path)
		}
		return command("nats-tss", path)
	}
	for _, k := range []struct{ ending, kind string }{
		{".csv", "csv"}, {".csv.gz", "csv"}, {".json", "json"}, {".tfrecord", "nasbench101"}, {".pth", "nasbench201-pth"},
	} {
		switch {
		case !strings.HasSuffix(name, k.ending):
		case strings.Contains(name, "transnas"):
			return command("transnas", path)
		default:
			return command(k.kind, path)
		}
	}
	if strings.HasPrefix(name, "hw-nas-bench") {
		return command("hwnasbench", path)
	}
	return "`nasc bench import` makes one of a benchmark's official files"
}

// openParameter opens the file that a parameter names.
func openParameter(parameter, name string) (*source, identity, error) {
	path, err := locate(parameter, name)
	if err != nil {
		return nil, identity{}, err
	}
	s, id, err := openSource(path)
	if err != nil {
		p := &sdk.Problem{Path: "parameters." + parameter, Message: fmt.Sprintf("%s cannot be used: %v", parameter, err)}
		if info, statErr := os.Stat(path); errors.Is(err, nasb.ErrNotNASB) || statErr == nil && info.IsDir() {
			p.Help = importing(path)
		}
		return nil, id, p
	}
	return s, id, nil
}
