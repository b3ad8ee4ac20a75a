package official

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// NAS-Bench-ASR (Mehrotra et al., ICLR 2021) is several files of two pickles each, a
// header and the rows that its columns describe:
//
//	{'dataset_type': 'training', 'version': 2, 'seed': 1234, 'epochs': 40,
//	 'columns': ['model_hash', 'val_per', 'test_per', …, 'model'], 'search_space': …}
//	[(hash, [by epoch], number, …, [[1, 0], [1, 0, 0], [1, 0, 0, 0]]), …]
//
// The type is training (one file per seed), benchmarking (per device) or static. The
// last column is the architecture: the operation and the skip connections of each
// vertex. The test error is the one at the epoch with the lowest validation error.

const asrDoc = "NAS-Bench-ASR: cells for speech recognition, trained on TIMIT; phoneme error rates."

const maxASR = 256 << 20

// asrArch is an architecture under way.
type asrArch struct {
	name     string
	measures []measure
}

func asr(j *job, paths []string) error {
	j.about("nasbenchasr", asrDoc)
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return unreadable(p, err)
		}
		if !info.IsDir() {
			files = append(files, p)
			j.size += info.Size()
			continue
		}
		found, err := filepath.Glob(filepath.Join(p, "*.pickle"))
		if err != nil || len(found) == 0 {
			return fail(WrongFile, p, "", "there is no file like nb-asr-e40-1234.pickle in the folder")
		}
		files = append(files, found...)
	}
	archs := map[string]*asrArch{}
	for _, f := range files {
		if err := j.asrFile(f, archs); err != nil {
			return err
		}
	}
	hashes := make([]string, 0, len(archs))
	for h := range archs {
		hashes = append(hashes, h)
	}
	slices.SortFunc(hashes, func(a, b string) int { return strings.Compare(archs[a].name, archs[b].name) })
	for _, h := range hashes {
		if err := j.add(paths[0], archs[h].name, archs[h].measures); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) asrFile(path string, archs map[string]*asrArch) error {
	s, err := j.open(path)
	if err != nil {
		return err
	}
	in, err := s.unpacked(maxASR)
	if err != nil {
		return err
	}
	d := pickle.NewDecoder(in)
	d.Limit(maxValues)
	head, err := d.Decode()
	if err != nil {
		return s.broken(err)
	}
	body, err := d.Decode()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return s.broken(err)
	}
	header, err := dictOf(head)
	if err != nil {
		return fail(WrongFile, path, "", "its first pickle is no header of NAS-Bench-ASR: %v", err)
	}
	columns, err := asrColumns(header)
	if err != nil {
		return fail(WrongFile, path, "", "its first pickle is no header of NAS-Bench-ASR: %v", err)
	}
	rows, ok := itemsOf(body)
	if !ok {
		return fail(Damaged, path, "", "its second pickle is %s, not the rows", kindOf(body))
	}
	once := map[string]bool{}
	for _, r := range rows {
		if err := columns.row(path, r, archs, once); err != nil {
			return err
		}
	}
	return s.end()
}

// asrFileColumns is what the columns of a file are.
type asrFileColumns struct {
	series []nasb.Series // of each column but the first and the last
	names  []string
	seed   uint32
}

func asrColumns(h *pickle.Dict) (c asrFileColumns, err error) {
	kind, err := textIn(h, "dataset_type")
	if err != nil {
		return c, err
	}
	v, err := member(h, "columns")
	if err != nil {
		return c, err
	}
	items, _ := itemsOf(v)
	for _, it := range items {
		name, ok := it.(string)
		if !ok {
			return c, fmt.Errorf("a column is %s, not a text", kindOf(it))
		}
		c.names = append(c.names, name)
	}
	if len(c.names) < 2 || c.names[0] != "model_hash" {
		return c, fmt.Errorf("its first column is not \"model_hash\"")
	}
	var epochs, seed int
	var device string
	switch kind {
	case "training":
		if seed, err = intIn(h, "seed"); err == nil {
			epochs, err = intIn(h, "epochs")
		}
		if err == nil && (seed < 0 || seed >= 1<<32) {
			err = fmt.Errorf("its seed is %d", seed)
		}
	case "benchmarking":
		device, err = textIn(h, "device")
	case "static":
	default:
		err = fmt.Errorf("its type is %q", kind)
	}
	c.seed = uint32(seed)
	for _, n := range c.names[1:] {
		s := nasb.Series{Metric: n, Schedule: epochs, Device: device}
		if kind == "training" {
			s.Dataset = "timit"
		}
		switch n {
		case "val_per":
			s.Split, s.Metric = "valid", "per"
		case "test_per":
			s.Split, s.Metric = "test", "per"
		}
		c.series = append(c.series, s)
	}
	return c, err
}

// row takes a row: a hash, values, and the architecture at its end. Columns may not
// name the architecture.
func (c *asrFileColumns) row(path string, v any, archs map[string]*asrArch, once map[string]bool) error {
	items, _ := itemsOf(v)
	if len(items) != len(c.names) && len(items) != len(c.names)+1 || len(items) < 3 {
		return fail(Damaged, path, "", "a row has %d values for the columns %s", len(items), strings.Join(c.names, ", "))
	}
	hash, ok := items[0].(string)
	name, err := asrName(items[len(items)-1])
	if !ok || err != nil {
		return fail(Damaged, path, hash, "a row does not end with an architecture, or has no hash")
	}
	if once[hash] {
		return fail(Twice, path, name, "it comes twice")
	}
	once[hash] = true
	a := archs[hash]
	if a == nil {
		a = &asrArch{name: name}
		archs[hash] = a
	} else if a.name != name {
		return fail(Damaged, path, name, "it has the hash of %s", a.name)
	}
	for i, it := range items[1 : len(items)-1] {
		if i >= len(c.series) {
			break
		}
		s := c.series[i]
		if n, ok := numberOf(it); ok {
			a.measures = append(a.measures, measure{s, c.seed, nasb.NoEpoch, []float64{n}})
		} else if list, ok := numbersOf(it); ok && len(list) > 0 {
			a.measures = append(a.measures, measure{s, c.seed, 0, list})
		} else {
			return fail(Damaged, path, name, "its %s is %s", c.names[i+1], kindOf(it))
		}
	}
	return nil
}

// asrName writes an architecture as Python does, without blanks:
// [[1,0],[1,0,0],[1,0,0,0]].
func asrName(v any) (string, error) {
	nodes, _ := itemsOf(v)
	bad := fmt.Errorf("it is no architecture")
	if len(nodes) != 3 {
		return "", bad
	}
	var b strings.Builder
	for i, n := range nodes {
		choices, _ := itemsOf(n)
		if len(choices) != i+2 {
			return "", bad
		}
		b.WriteString([]string{"[[", ",["}[min(i, 1)])
		for k, c := range choices {
			x, ok := intOf(c)
			if !ok || x < 0 || k == 0 && x > 5 || k > 0 && x > 1 {
				return "", bad
			}
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(x))
		}
		b.WriteByte(']')
	}
	b.WriteByte(']')
	return b.String(), nil
}
