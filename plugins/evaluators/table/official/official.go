// Package official reads the files in which benchmarks were published, and writes
// what they hold into one file of package nasb.
//
// Nothing is left out and nothing is averaged: every seed, every epoch, losses,
// times, numbers of parameters, latencies. A file says which data set and which
// split a number belongs to; cifar10-valid (half of the images of CIFAR-10 for
// training) and cifar10 (all of them) stay apart. Sources are read as streams.
// An import that fails or is interrupted leaves nothing behind.
package official

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// Kind is a form in which a benchmark was published.
type Kind struct {
	Name string
	Doc  string // one line
	read func(*job, []string) error
	many bool // takes several paths
}

// kinds lists what can be imported.
var kinds = []Kind{
	{Name: "nats-tss", Doc: "NATS-Bench topology: the folder NATS-tss-v1_0-3ffb9-simple, or the file *.pickle.pbz2", read: natsTopology},
	{Name: "nats-sss", Doc: "NATS-Bench size: the folder NATS-sss-v1_0-50262-simple, or the file *.pickle.pbz2", read: natsSize},
	{Name: "nasbench201-pth", Doc: "NAS-Bench-201: NAS-Bench-201-v1_*.pth", read: nasbench201},
	{Name: "nasbench101", Doc: "NAS-Bench-101: nasbench_full.tfrecord or nasbench_only108.tfrecord", read: nasbench101TFRecord},
	{Name: "transnas", Doc: "TransNAS-Bench-101: transnas-bench_v10141024.pth", read: transnas},
	{Name: "nasbench-asr", Doc: "NAS-Bench-ASR: nb-asr-*.pickle, or the folder of them", read: asr, many: true},
	{Name: "hwnasbench", Doc: "HW-NAS-Bench on the space of NAS-Bench-201: HW-NAS-Bench-v1_0.pickle", read: hwnas},
	{Name: "hwnasbench-fbnet", Doc: "HW-NAS-Bench, blocks of FBNet: HW-NAS-Bench-v1_0.pickle", read: hwfbnet},
	{Name: "csv", Doc: "tables that are recognised by their columns; several of one benchmark are merged", read: tables, many: true},
	{Name: "json", Doc: "an object {architecture: {metric: number or list}}", read: object},
}

// Kinds lists what can be imported.
func Kinds() []Kind { return kinds }

// Summary is what an import made.
type Summary struct {
	Benchmark     string
	Architectures int
	Total         int // of the benchmark; 0 where that is not known
	Series        int
	Size          int64 // of the file
}

// Import reads the files of a benchmark and writes out. It calls report, where that
// is not nil, with how many of how many bytes are read. Errors about the input are
// an [*Error]; others come from writing or from ctx.
func Import(ctx context.Context, kind string, paths []string, out string, report func(done, total int64)) (s Summary, err error) {
	k, err := find(kind)
	if err != nil {
		return s, err
	}
	if len(paths) != 1 && !k.many {
		return s, fail(WrongFile, "", "", "%s is imported from one path, not %d", kind, len(paths))
	}
	w, err := nasb.Create(out, nasb.Header{})
	if err != nil {
		return s, err
	}
	j := &job{ctx: ctx, out: w, report: report, dir: filepath.Dir(out), series: map[nasb.Series]int{}, seen: map[string]bool{}}
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	if err := k.read(j, paths); err != nil {
		return s, err
	}
	if w.Len() == 0 {
		return s, fail(WrongFile, paths[0], "", "there is no architecture in it")
	}
	if err := ctx.Err(); err != nil {
		return s, err
	}
	if err := w.Close(); err != nil {
		return s, err
	}
	s = Summary{Benchmark: j.benchmark, Architectures: w.Len(), Total: j.total, Series: len(j.series)}
	if info, err := os.Stat(out); err == nil {
		s.Size = info.Size()
	}
	return s, nil
}

func find(kind string) (Kind, error) {
	var names []string
	for _, k := range kinds {
		if k.Name == kind {
			return k, nil
		}
		names = append(names, k.Name)
	}
	sort.Strings(names)
	return Kind{}, &Error{Code: UnknownKind, Message: fmt.Sprintf("%q is no form of a benchmark", kind), Known: names}
}

// The codes of what can be wrong with an import.
const (
	UnknownKind    = "E0580" // no such form of a benchmark
	WrongFile      = "E0581" // a file of another kind
	Damaged        = "E0582" // cut, or changed since it was made
	Forbidden      = "E0583" // a pickle that wants to run something
	BadValue       = "E0584" // a measurement that is none
	Twice          = "E0585" // an architecture or a measurement comes twice
	NotInBenchmark = "E0586" // an architecture of another space
	TooLarge       = "E0587" // unpacks to more than any real file
	NoTable        = "E0588" // not a .nasb file that can be read
	Unreadable     = "E0589" // the file cannot be opened
)

// Error tells what is wrong with a source.
type Error struct {
	Code    string
	Path    string
	Arch    string // that it is about; may be empty
	Message string // one sentence, lower case, no full stop
	Known   []string
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		fmt.Fprintf(&b, "%s: ", e.Path)
	}
	if e.Arch != "" {
		fmt.Fprintf(&b, "architecture %s: ", e.Arch)
	}
	b.WriteString(e.Message)
	return b.String()
}

func fail(code, path, arch, format string, args ...any) *Error {
	return &Error{Code: code, Path: path, Arch: arch, Message: fmt.Sprintf(format, args...)}
}

// unreadable is an error of opening a source.
func unreadable(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fail(Unreadable, path, "", "%v", err)
}
