package official

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
	space "github.com/nasc-project/nasc/spaces/nasbench201"
)

// The largest real files unpack to a twentieth of this.
const (
	maxNATSArch = 16 << 20
	maxNATSMeta = 32 << 20
	maxArchive  = 64 << 30
)

// natsSpace is one of the two spaces of NATS-Bench.
type natsSpace struct {
	benchmark, doc string
	valid          func(arch string) bool
}

var topology = natsSpace{"nasbench201", "NAS-Bench-201 and NATS-Bench topology: cells of four nodes and five operations, trained on three data sets.", validCell}

var sizes = natsSpace{"nats-sss", "NATS-Bench size: the channels of five layers, trained on three data sets.", validSizes}

func validCell(arch string) bool {
	a, err := space.ParseArch(arch)
	return err == nil && a.String() == arch
}

func validSizes(arch string) bool {
	parts := strings.Split(arch, ":")
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 8 || n > 64 || n%8 != 0 || p != strconv.Itoa(n) {
			return false
		}
	}
	return len(parts) == 5
}

func natsTopology(j *job, paths []string) error { return j.nats(paths[0], topology) }
func natsSize(j *job, paths []string) error     { return j.nats(paths[0], sizes) }

// nats reads a folder of one file per architecture, or all of them in one file.
func (j *job) nats(path string, s natsSpace) error {
	info, err := os.Stat(path)
	if err != nil {
		return unreadable(path, err)
	}
	j.about(s.benchmark, s.doc)
	if !info.IsDir() {
		return j.natsArchive(path, s, func(r io.Reader) (io.Reader, error) {
			raw := bufio.NewReaderSize(r, 1<<16)
			if magic, _ := raw.Peek(3); string(magic) != "BZh" {
				return nil, fail(WrongFile, path, "", "it is not packed by bzip2, as %s is", "NATS-*.pickle.pbz2")
			}
			return &bounded{bzip2.NewReader(raw), maxArchive}, nil
		})
	}
	return j.natsFolder(path, s)
}

var natsName = regexp.MustCompile(`^([0-9]{6})\.pickle\.pbz2$`)

// natsFolder reads the simple layout: meta.pickle.pbz2 lists the architectures, and
// 000000.pickle.pbz2 and so on hold them.
func (j *job) natsFolder(dir string, s natsSpace) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	var files []string
	for _, e := range entries {
		if natsName.MatchString(e.Name()) {
			files = append(files, e.Name())
			if info, err := e.Info(); err == nil {
				j.size += info.Size()
			}
		}
	}
	slices.Sort(files)
	meta := filepath.Join(dir, "meta.pickle.pbz2")
	if len(files) == 0 {
		return fail(WrongFile, dir, "", "there is no file like 000000.pickle.pbz2 in the folder")
	}
	all := sha256.New()
	sum := func(name string, data []byte) {
		one := sha256.Sum256(data)
		fmt.Fprintf(all, "%x  %s\n", one, name)
	}
	data, err := os.ReadFile(meta)
	if errors.Is(err, fs.ErrNotExist) {
		return fail(WrongFile, dir, "", "there is no meta.pickle.pbz2 in the folder, which lists the architectures")
	} else if err != nil {
		return unreadable(meta, err)
	}
	j.size += int64(len(data))
	sum("meta.pickle.pbz2", data)
	j.read(int64(len(data)))
	names, err := natsNames(data, s)
	if err != nil {
		return broken(meta, err)
	}
	size := int64(len(data))
	err = j.natsEach(dir, files, s, names, func(name string, data []byte, a natsArch) error {
		sum(name, data)
		size += int64(len(data))
		j.read(int64(len(data)))
		return j.add(filepath.Join(dir, name), a.name, a.measures)
	})
	if err != nil {
		return err
	}
	base := filepath.Base(dir)
	if full, err := filepath.Abs(dir); err == nil {
		base = filepath.Base(full)
	}
	j.out.Source(nasb.Source{Name: fmt.Sprintf("%s (%d files)", base, len(files)+1), Size: size, SHA256: hex.EncodeToString(all.Sum(nil))})
	return nil
}

// natsNames reads the list of architectures.
func natsNames(data []byte, s natsSpace) ([]string, error) {
	v, err := unpackPickle(data, maxNATSMeta)
	if err != nil {
		return nil, err
	}
	d, err := dictOf(v)
	if err != nil {
		return nil, fail(WrongFile, "", "", "%v", err)
	}
	return namesOf(d, s)
}

// namesOf checks the entry meta_archs.
func namesOf(d *pickle.Dict, s natsSpace) ([]string, error) {
	list, _ := d.Get("meta_archs")
	items, ok := itemsOf(list)
	if !ok {
		return nil, fail(WrongFile, "", "", "it has no list \"meta_archs\"")
	}
	if len(items) != totals[s.benchmark] {
		return nil, fail(WrongFile, "", "", "it lists %d architectures; %s has %d", len(items), s.benchmark, totals[s.benchmark])
	}
	names := make([]string, len(items))
	for i, it := range items {
		names[i], ok = it.(string)
		if !ok || !s.valid(names[i]) {
			return nil, fail(NotInBenchmark, "", fmt.Sprint(it), "%s has no such architecture", s.benchmark)
		}
	}
	return names, nil
}

func unpackPickle(data []byte, limit int64) (any, error) {
	if !bytes.HasPrefix(data, []byte("BZh")) {
		return nil, fail(WrongFile, "", "", "it is not packed by bzip2")
	}
	// All of it first, so that its checksums are looked at before what it says.
	plain, err := io.ReadAll(&bounded{bzip2.NewReader(bytes.NewReader(data)), limit})
	if err != nil {
		return nil, err
	}
	d := pickle.NewDecoder(bytes.NewReader(plain))
	d.Limit(maxValues)
	v, err := d.Decode()
	if err != nil {
		return nil, err
	}
	if _, err := d.Decode(); err != io.EOF {
		return nil, fail(Damaged, "", "", "something follows the pickle")
	}
	return v, nil
}

// natsEach unpacks files in parallel and hands them over in order.
func (j *job) natsEach(dir string, files []string, s natsSpace, names []string, each func(string, []byte, natsArch) error) error {
	type result struct {
		data []byte
		arch natsArch
		err  error
	}
	workers := min(runtime.GOMAXPROCS(0), 8)
	pending := make(chan chan result, workers)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(pending)
		for _, name := range files {
			out := make(chan result, 1)
			select {
			case pending <- out:
			case <-stop:
				return
			}
			go func() {
				var r result
				r.data, r.arch, r.err = natsFile(filepath.Join(dir, name), s, names)
				out <- r
			}()
		}
	}()
	i := 0
	for out := range pending {
		if err := j.ctx.Err(); err != nil {
			return err
		}
		r := <-out
		if r.err != nil {
			return r.err
		}
		if err := each(files[i], r.data, r.arch); err != nil {
			return err
		}
		i++
	}
	return nil
}

// maxPacked bounds a packed file of an architecture.
const maxPacked = 8 << 20

// natsFile reads the file of one architecture.
func natsFile(path string, s natsSpace, names []string) ([]byte, natsArch, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, natsArch{}, unreadable(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(&bounded{f, maxPacked})
	if err != nil {
		return nil, natsArch{}, broken(path, err)
	}
	v, err := unpackPickle(data, maxNATSArch)
	if err != nil {
		return nil, natsArch{}, broken(path, err)
	}
	index, _ := strconv.Atoi(natsName.FindStringSubmatch(filepath.Base(path))[1])
	a, err := natsChecked(path, v, index, s, names)
	return data, a, err
}

// natsChecked reads an architecture and checks that it is the one of its place.
func natsChecked(path string, v any, index int, s natsSpace, names []string) (natsArch, error) {
	setups, err := dictOf(v)
	var a natsArch
	if err == nil {
		a, err = natsInfo(setups)
	}
	arch := a.name
	if arch == "" {
		arch = fmt.Sprint(index)
	}
	switch {
	case err != nil:
		return a, fail(Damaged, path, arch, "%v", err)
	case !s.valid(a.name):
		return a, fail(NotInBenchmark, path, a.name, "%s has no such architecture", s.benchmark)
	case a.index != index:
		return a, fail(Damaged, path, arch, "it is number %d and stands in the place of number %d", a.index, index)
	case names != nil && (index < 0 || index >= len(names) || names[index] != a.name):
		return a, fail(NotInBenchmark, path, arch, "number %d of the list of architectures is another", index)
	}
	return a, nil
}
