package official

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// BenchmarkOpenNASBench201 opens the table of the whole of NAS-Bench-201 and looks up
// one architecture; resident-MB is what the process holds of the file after all
// architectures were looked up.
func BenchmarkOpenNASBench201(b *testing.B) {
	out := filepath.Join(b.TempDir(), "x.nasb")
	paths := []string{data(b, "nasbench201.csv.gz"), data(b, "hwnasbench201.csv.gz"), data(b, "latency201.csv.gz")}
	if _, err := Import(context.Background(), "csv", paths, out, nil); err != nil {
		b.Fatal(err)
	}
	open := func() *nasb.File {
		f, err := nasb.Open(out)
		if err != nil {
			b.Fatal(err)
		}
		if v, ok := value(b, f, arch0, percent("cifar10-valid", "valid", 12), 0, 11); !ok || v != 63.364 {
			b.Fatal(v, ok)
		}
		return f
	}
	for b.Loop() {
		open().Close()
	}
	f := open()
	defer f.Close()
	for _, row := range f.Names {
		if _, err := f.Record(row); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(mapped(b, out), "resident-MB")
}

// mapped is how much of a mapped file is in memory, by the system's account.
func mapped(b *testing.B, path string) float64 {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		b.Logf("no account of memory here: %v", err)
		return 0
	}
	inside, kB := false, 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) > 0 && !strings.HasSuffix(f[0], ":"):
			inside = strings.HasSuffix(strings.TrimSpace(line), path)
		case inside && f[0] == "Rss:":
			n, _ := strconv.Atoi(f[1])
			kB += n
		}
	}
	return float64(kB) / 1000
}

// BenchmarkImportTopology imports the official files of three architectures.
func BenchmarkImportTopology(b *testing.B) {
	path := data(b, "official/nats-tss")
	for b.Loop() {
		if _, err := Import(context.Background(), "nats-tss", []string{path}, filepath.Join(b.TempDir(), "x.nasb"), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImportNASBench101 imports 1,092 trainings in the layout of
// NAS-Bench-101.
func BenchmarkImportNASBench101(b *testing.B) {
	path := data(b, "official/nasbench-tfrecord/energy_4V9E.tfrecord")
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := Import(context.Background(), "nasbench101", []string{path}, filepath.Join(b.TempDir(), "x.nasb"), nil); err != nil {
			b.Fatal(err)
		}
	}
}
