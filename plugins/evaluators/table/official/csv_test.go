package official

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// everyCell compares every number of a table with the file that was made of it.
func everyCell(t *testing.T, f *nasb.File, table string, key string) {
	t.Helper()
	rows := csvRows(t, data(t, table))
	l, err := recognise(rows[0])
	if err != nil {
		t.Fatal(err)
	}
	k, epochColumn := slices.Index(rows[0], key), slices.Index(rows[0], "epoch")
	cells := make([]cell, len(rows[0]))
	id := make([]int, len(rows[0]))
	for i, name := range rows[0] {
		c, ok := l.column(name)
		cells[i], id[i] = c, -1
		if ok && i != k {
			id[i] = slices.Index(f.Series, c.series)
		}
	}
	compared := 0
	for _, r := range rows[1:] {
		row, ok := f.Find(r[k])
		if !ok {
			t.Fatalf("%s is not in the file", r[k])
		}
		record, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range r {
			if id[i] < 0 {
				continue
			}
			epoch := cells[i].epoch
			if epochColumn >= 0 && epoch != noEpoch {
				epoch = int(number(t, r[epochColumn]))
			}
			got, n := 0.0, 0
			record.At(id[i], epoch, func(seed uint32, v float64) {
				if seed == cells[i].seed {
					got = v
					n++
				}
			})
			want := math.NaN()
			if text != "" {
				want = number(t, text)
			}
			absent := text == "" || l.absent(rows[0][i], want)
			same := got == want || epochColumn >= 0 && math.Abs(got-want) < 5.1e-5 // curves have four decimals
			if n > 1 || absent == (n == 1) || !absent && !same {
				t.Fatalf("%s of %s is %v (%d times), want %q", rows[0][i], r[k], got, n, text)
			}
			compared++
		}
	}
	t.Logf("%s: %d rows, %d numbers compared", table, len(rows)-1, compared)
}

// knownBest are the facts that the tables come with.
func knownBest(t *testing.T, f *nasb.File, s nasb.Series, epoch int, arch string, want float64) {
	t.Helper()
	name, v := best(t, f, s, epoch)
	if math.Abs(v-want) > 5.1e-6 {
		t.Errorf("best %s is %v of %s, want %v", s, v, name, want)
	}
	id := slices.Index(f.Series, s)
	row, ok := f.Find(arch)
	if !ok {
		t.Fatalf("%s is not in the file", arch)
	}
	r, err := f.Record(row)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	r.At(id, epoch, func(_ uint32, x float64) { found = found || x == v })
	if !found {
		t.Errorf("best %s is of %s, want %s", s, name, arch)
	}
}

// at201 is the architecture of an official index.
func at201(t *testing.T, f *nasb.File, index int) string {
	t.Helper()
	id := slices.Index(f.Series, nasb.Series{Metric: "index", Single: true})
	for arch, row := range f.Names {
		r, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		r.At(id, noEpoch, func(_ uint32, v float64) { found = int(v) == index })
		if found {
			return arch
		}
	}
	t.Fatalf("no index %d", index)
	return ""
}

// TestTables: the tables of NAS-Bench-201 become one file, with accuracies, curves and
// the latencies of two sources.
func TestTables(t *testing.T) {
	names := []string{"nasbench201.csv.gz", "nasbench201_curves.csv.gz", "hwnasbench201.csv.gz", "latency201.csv.gz"}
	var paths []string
	for _, n := range names {
		paths = append(paths, data(t, n))
	}
	f := imported(t, "csv", paths...)
	if f.Len() != 15625 || f.Total != 15625 || len(f.Source) != len(names) {
		t.Errorf("%d of %d architectures, %d sources", f.Len(), f.Total, len(f.Source))
	}
	for _, n := range names {
		everyCell(t, f, n, "arch")
	}
	for _, c := range []struct {
		s     nasb.Series
		index int
		want  float64
	}{
		{percent("cifar10", "test", 200), 6111, 94.37333}, {percent("cifar10", "test", 200), 13714, 94.37333},
		{percent("cifar100", "test", 200), 9930, 73.51333}, {percent("ImageNet16-120", "test", 200), 857, 47.31111},
		{percent("cifar10-valid", "valid", 200), 6111, 91.60667}, {percent("cifar10-valid", "test", 200), 1459, 91.52333},
		{percent("cifar100", "valid", 200), 9930, 73.49333}, {percent("ImageNet16-120", "valid", 200), 10676, 46.73333},
	} {
		knownBest(t, f, c.s, 199, at201(t, f, c.index), c.want)
	}
	for device, want := range map[string]float64{"raspi4": 10.481977, "pixel3": 3.60585, "eyeriss": 3.64562, "fpga": 2.57296} {
		s := hwSeries(device + "_latency")
		s.Dataset = "cifar10"
		if v, ok := value(t, f, arch0, s, 0, noEpoch); !ok || v != want {
			t.Errorf("%s: %v, want %v", device, v, want)
		}
	}
}

func TestTableOfSizes(t *testing.T) {
	f := imported(t, "csv", data(t, "nats_sss.csv.gz"))
	everyCell(t, f, "nats_sss.csv.gz", "channels")
	if f.Len() != 32768 {
		t.Errorf("%d architectures", f.Len())
	}
	knownBest(t, f, percent("cifar10", "test", 90), 89, "64:64:56:64:24", 93.65)
	knownBest(t, f, percent("cifar100", "test", 90), 89, "64:64:48:48:64", 71.34)
	knownBest(t, f, percent("ImageNet16-120", "test", 90), 89, "64:64:56:64:56", 47.4)
}

func TestTableOfNASBench101(t *testing.T) {
	if testing.Short() {
		t.Skip("423,624 rows")
	}
	f := imported(t, "csv", data(t, "nasbench101.csv.gz"))
	everyCell(t, f, "nasbench101.csv.gz", "hash")
	s := percent("cifar10", "test", 108)
	knownBest(t, f, s, 107, "02e5a0247bbdcf2860b7e96f74961594", 94.31758)
	id, vertices := slices.Index(f.Series, s), slices.Index(f.Series, nasb.Series{Metric: "vertices", Single: true})
	sum := 0.0
	count := map[int]int{}
	for _, row := range f.Names {
		r, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		r.At(id, 107, func(_ uint32, v float64) { sum += v })
		r.At(vertices, noEpoch, func(_ uint32, v float64) { count[int(v)]++ })
	}
	if m := sum / float64(f.Len()); math.Abs(m-89.67985) > 5.1e-6 || f.Len() != 423624 {
		t.Errorf("the mean of %d modules is %v", f.Len(), m)
	}
	for n, want := range map[int]int{2: 1, 3: 6, 4: 84, 5: 2441, 6: 62010, 7: 359082} {
		if count[n] != want {
			t.Errorf("%d modules of %d vertices, want %d", count[n], n, want)
		}
	}
}

func TestTableOfMacro(t *testing.T) {
	f := imported(t, "csv", data(t, "nasbenchmacro.csv.gz"))
	everyCell(t, f, "nasbenchmacro.csv.gz", "arch")
	s := percent("cifar10", "test", 0)
	mean := s
	mean.Metric = "mean-accuracy"
	knownBest(t, f, mean, noEpoch, "22212202", 93.12666)
	// The published JSON says the same.
	j := imported(t, "json", data(t, "official/nas-bench-macro/nas-bench-macro_cifar10.json.gz"))
	if j.Len() != 6561 || j.Benchmark != "nasbenchmacro" {
		t.Errorf("%d architectures of %s", j.Len(), j.Benchmark)
	}
	compared := 0
	for arch := range f.Names {
		for seed := range uint32(3) {
			a, ok1 := value(t, f, arch, s, seed, noEpoch)
			b, ok2 := value(t, j, arch, s, seed, noEpoch)
			if !ok1 || !ok2 || !near(a, b) {
				t.Fatalf("%s, training %d: %v in the table, %v in the JSON", arch, seed, a, b)
			}
			compared++
		}
		for _, m := range []nasb.Series{{Metric: "params"}, {Metric: "flops"}, mean} {
			a, ok1 := value(t, f, arch, m, 0, noEpoch)
			b, ok2 := value(t, j, arch, m, 0, noEpoch)
			if !ok1 || !ok2 || !near(a, b) {
				t.Fatalf("%s of %s: %v in the table, %v in the JSON", m, arch, a, b)
			}
			compared++
		}
	}
	t.Logf("%d numbers compared", compared)
}

func TestTableOfTransNAS(t *testing.T) {
	f := imported(t, "csv", data(t, "transnas101_micro.csv.gz"))
	everyCell(t, f, "transnas101_micro.csv.gz", "arch")
	if f.Len() != 4096 || f.Total != 7352 {
		t.Errorf("%d of %d architectures", f.Len(), f.Total)
	}
	for task, want := range map[string]float64{
		"class_scene": 54.93631, "class_object": 45.58619, "jigsaw": 95.37222, "room_layout": -0.6009988,
		"segmentsemantic": 94.61252, "normal": 0.5872865, "autoencoder": 0.5772307,
	} {
		i := slices.IndexFunc(f.Series, func(s nasb.Series) bool { return s.Dataset == task && s.Split == "valid" })
		if _, v := best(t, f, f.Series[i], noEpoch); v != want {
			t.Errorf("best %s is %v, want %v", task, v, want)
		}
	}
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTableRefused(t *testing.T) {
	const other = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	head := "index,arch,cifar10_valid_200\n"
	row := func(arch, v string) string { return "0," + arch + "," + v + "\n" }
	for _, c := range []struct{ what, code, about, text string }{
		{"unknown", WrongFile, "no table that is known", "a,b\n1,2\n"},
		{"unknown column", WrongFile, `the column "luck" is none`, "arch,cifar10_valid_200,luck\n"},
		{"column twice", WrongFile, `"cifar10_valid_200" comes twice`, "arch,cifar10_valid_200,cifar10_valid_200\n"},
		{"no rows", WrongFile, "no architecture in it", head},
		{"twice", Twice, "architecture " + arch0 + ": it comes twice", head + row(arch0, "1") + row(other, "1") + row(arch0, "1")},
		{"NaN", BadValue, "architecture " + arch0 + `: its cifar10_valid_200 is "NaN"`, head + row(arch0, "NaN")},
		{"infinity", BadValue, `"-Inf"`, head + row(arch0, "-Inf")},
		{"too large", BadValue, `"1e999"`, head + row(arch0, "1e999")},
		{"text", BadValue, `"high"`, head + row(arch0, "high")},
		{"per cent", BadValue, "is 101 %", head + row(arch0, "101")},
		{"other space", NotInBenchmark, "8:8:8:8:8", head + row("8:8:8:8:8", "1")},
		{"index", BadValue, "32 bits cannot hold", strings.Replace(head+row(arch0, "5"), "\n0,", "\n0.1,", 1)},
		{"cut", Damaged, "line 2: wrong number of fields", head + "0," + arch0},
		{"epoch", BadValue, `"200" is no epoch from 0 to 199`, "arch,epoch,valid_acc\n" + arch0 + ",200,5\n"},
		{"epoch below", BadValue, `"-1" is no epoch`, "arch,epoch,valid_acc\n" + arch0 + ",-1,5\n"},
		{"epoch twice", Twice, "comes twice", "arch,epoch,valid_acc\n" + arch0 + ",7,5\n" + arch0 + ",7,6\n"},
		{"hash", Damaged, "another hash", "hash,vertices,edges,ops,params,test_acc_108\n" + convHash + ",3,101,b,1,90\n"},
		{"edges", Damaged, "are no module", "hash,vertices,edges,ops,params,test_acc_108\n" + convHash + ",3,1,a,1,90\n"},
		{"latency", BadValue, "latency on pixel3 is -3", "arch,pixel3_latency_ms\n" + arch0 + ",-3\n"},
		{"nothing", Damaged, "nothing was measured", "arch,pixel3_latency_ms\n" + arch0 + ",\n"},
	} {
		t.Run(c.what, func(t *testing.T) { refused(t, c.code, c.about, "csv", write(t, "t.csv", c.text)) })
	}
	a := write(t, "a.csv", head+row(arch0, "50"))
	t.Run("contradiction", func(t *testing.T) {
		refused(t, Twice, "is 51 here and 50 in ", "csv", a, write(t, "b.csv", head+row(arch0, "51")))
	})
	t.Run("two benchmarks", func(t *testing.T) {
		refused(t, WrongFile, "it is a table of nats-sss, and the others are of nasbench201", "csv", a, write(t, "b.csv", "channels,cifar10_test_90\n8:8:8:8:8,5\n"))
	})
	imported(t, "csv", a, write(t, "same.csv", head+row(arch0, "50")))

	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(head + row(arch0, "50")))
	w.Close()
	t.Run("gzip", func(t *testing.T) {
		imported(t, "csv", write(t, "t.csv.gz", z.String()))
		refused(t, Damaged, "incomplete", "csv", write(t, "t.csv.gz", z.String()[:z.Len()-5]))
		b := z.Bytes()
		for _, i := range []int{0, len(b) / 2, len(b) - 6} {
			c := slices.Clone(b)
			c[i] ^= 1
			out := t.TempDir()
			if _, err := Import(context.Background(), "csv", []string{write(t, "t.csv.gz", string(c))}, filepath.Join(out, "x"), nil); err == nil {
				t.Errorf("byte %d was changed, and nothing was said", i)
			}
			empty(t, out)
		}
	})
	t.Run("bomb", func(t *testing.T) {
		r := bounded{strings.NewReader(strings.Repeat("x", 100)), 50}
		n, err := bytes.NewBuffer(nil).ReadFrom(&r)
		if n != 50 || err != errLarge {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

func TestJSON(t *testing.T) {
	f := imported(t, "json", write(t, "mine.json", `{"a": {"valid_acc": [10, 20, 30], "params": 5, "test_loss": 0.5}, "b": {"params": 7}}`))
	if f.Benchmark != "mine" || f.Len() != 2 {
		t.Errorf("%d architectures of %s", f.Len(), f.Benchmark)
	}
	if v, ok := value(t, f, "a", nasb.Series{Split: "valid", Metric: "accuracy", Higher: true}, 0, 2); !ok || v != 30 {
		t.Errorf("%v", v)
	}
	if v, ok := value(t, f, "a", nasb.Series{Split: "test", Metric: "loss"}, 0, noEpoch); !ok || v != 0.5 {
		t.Errorf("%v", v)
	}
	var kinds strings.Builder
	for i := range maxSeries {
		fmt.Fprintf(&kinds, `"m%d": 1, `, i)
	}
	for _, c := range []struct{ what, code, about, text string }{
		{"list", WrongFile, "no JSON object", `[]`},
		{"no metrics", WrongFile, "architecture a: its value is no object", `{"a": 5}`},
		{"text", WrongFile, "architecture a: its value is no object", `{"a": {"acc": "high"}}`},
		{"nested", WrongFile, "architecture a: its value is no object", `{"a": {"acc": [[1]]}}`},
		{"NaN", Damaged, "architecture a: invalid character 'N'", `{"a": {"acc": NaN}}`},
		{"too large", BadValue, "architecture a", `{"a": {"acc": 1e999}}`},
		{"twice", Twice, "architecture a: it comes twice", `{"a": {"acc": 1}, "a": {"acc": 2}}`},
		{"metric twice", Twice, "architecture a: its my_acc", `{"a": {"my_acc": 1, "my_acc": 2}}`},
		{"cut", Damaged, "incomplete", `{"a": {"acc": 1}, "b": {"acc"`},
		{"cut at the end", Damaged, "incomplete", `{"a": {"acc": 1}`},
		{"more", Damaged, "something follows", `{"a": {"acc": 1}} {}`},
		{"empty", WrongFile, "no architecture", `{}`},
		{"nothing", Damaged, "nothing was measured", `{"a": {}}`},
		{"empty list", Damaged, "has no values", `{"a": {"acc": []}}`},
		{"no name", BadValue, "cannot be called", `{"": {"acc": 1}}`},
		{"kinds", WrongFile, "more than 4096 kinds of numbers", `{"a": {` + kinds.String() + `"last": 1}}`},
		{"epochs", BadValue, "is of epochs 0 to", `{"a": {"acc": [1` + strings.Repeat(",1", maxEpoch) + `]}}`},
	} {
		t.Run(c.what, func(t *testing.T) { refused(t, c.code, c.about, "json", write(t, "t.json", c.text)) })
	}
}

// fuzzImport imports any bytes: it must fail cleanly or make a file.
func fuzzImport(t *testing.T, kind string, b []byte) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.nasb")
	if err := os.WriteFile(in, b, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Import(context.Background(), kind, []string{in}, out, nil)
	if err == nil {
		f, err := nasb.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	} else if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Fatalf("%v is left after %v", left, err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("index,arch,cifar10_valid_200,cifar10_epoch_s\n0," + arch0 + ",50.5,7\n"))
	f.Add([]byte("arch,epoch,valid_acc\n" + arch0 + ",0,5\n" + arch0 + ",3,6\n"))
	f.Add([]byte("hash,vertices,edges,ops,params,test_acc_108\n" + convHash + ",3,101,a,1,90\n"))
	f.Add([]byte("channels,cifar10_test_90\n8:8:8:8:8,5\n"))
	f.Fuzz(func(t *testing.T, b []byte) { fuzzImport(t, "csv", b) })
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a": {"valid_acc": [10, 20, 30], "params": 5}, "b": {"params": 7}}`))
	f.Add([]byte(`{"00000000": {"test_acc": [1, 2, 3], "mean_acc": 2, "std": 1, "params": 4, "flops": 5}}`))
	f.Fuzz(func(t *testing.T, b []byte) { fuzzImport(t, "json", b) })
}
