package official

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// TestTopology compares every number of the decoded form of the official files.
func TestTopology(t *testing.T) {
	f := imported(t, "nats-tss", data(t, "official/nats-tss"))
	if f.Len() != 3 || f.Total != 15625 {
		t.Errorf("%d of %d architectures", f.Len(), f.Total)
	}
	rows := csvRows(t, data(t, "official/nats-tss/expected.csv.gz"))[1:]
	compared := 0
	counted := map[nasb.Series]int{}
	for _, r := range rows {
		arch, dataset, schedule, seed, epoch := r[1], r[3], int(number(t, r[2])), uint32(number(t, r[4])), int(number(t, r[5]))
		ori := "test"
		if dataset == "cifar100" || dataset == "ImageNet16-120" {
			ori = "valid+test"
		}
		check := func(s nasb.Series, text string) {
			s.Dataset, s.Schedule = dataset, schedule
			v, ok := value(t, f, arch, s, seed, epoch)
			if ok != (text != "") || ok && !near(v, number(t, text)) {
				t.Fatalf("%v: %s is %v (%v), want %s", r, s, v, ok, text)
			}
			if ok {
				compared++
				counted[s]++
			}
		}
		accuracy := func(split string) nasb.Series {
			return nasb.Series{Split: split, Metric: "accuracy", Unit: "%", Higher: true}
		}
		check(nasb.Series{Split: "train", Metric: "loss"}, r[6])
		check(accuracy("train"), r[7])
		check(nasb.Series{Split: "train", Metric: "time", Unit: "s"}, r[8])
		check(accuracy("valid"), r[9])
		if ori == "test" {
			if r[10] != "" {
				t.Fatalf("%v: x-test of CIFAR-10", r)
			}
		} else {
			check(accuracy("test"), r[10])
		}
		check(accuracy(ori), r[11])
	}
	if len(rows) != 7380 {
		t.Errorf("%d rows, want 7380", len(rows))
	}
	t.Logf("%d rows, %d numbers compared", len(rows), compared)
	// And nothing beyond them: accuracies, train losses and train times are all there.
	for id, s := range f.Series {
		if s.Metric != "accuracy" && (s.Split != "train" || s.Metric == "top5") || s.Split == "" {
			continue
		}
		n := 0
		for _, row := range f.Names {
			r, err := f.Record(row)
			if err != nil {
				t.Fatal(err)
			}
			for run := range r.Runs {
				if run.Series == id {
					n += len(run.Values)
				}
			}
		}
		if n != counted[s] {
			t.Errorf("%s has %d numbers, the decoded form %d", s, n, counted[s])
		}
	}
}

const (
	arch0   = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
	noEpoch = nasb.NoEpoch
)

// TestTopologyGolden: numbers that the benchmark's own documentation and its issues
// print.
func TestTopologyGolden(t *testing.T) {
	f := imported(t, "nats-tss", data(t, "official/nats-tss"))
	for _, c := range []struct {
		s    nasb.Series
		want float64
	}{
		{percent("cifar10-valid", "valid", 200), 81.9827},
		{percent("cifar10", "test", 200), 85.8633},
		{percent("cifar100", "test", 200), 52.9133},
		{percent("ImageNet16-120", "test", 200), 26.6333},
	} {
		if got := mean(t, f, arch0, c.s, 199); math.Abs(got-c.want) > 5e-5 {
			t.Errorf("%s is %v, want %v", c.s, got, c.want)
		}
	}
	for metric, want := range map[string]float64{"params": 0.129306, "flops": 15.64737} {
		if got, ok := value(t, f, arch0, nasb.Series{Dataset: "cifar10", Metric: metric, Unit: "M"}, 0, noEpoch); !ok || got != want {
			t.Errorf("%s is %v, want %v", metric, got, want)
		}
	}
}

// TestTopologyTable: the table of the whole space says the same of the official
// architectures.
func TestTopologyTable(t *testing.T) {
	f := imported(t, "nats-tss", data(t, "official/nats-tss"))
	table := imported(t, "csv", data(t, "nasbench201.csv.gz"))
	compared := 0
	for arch := range f.Names {
		for id, s := range table.Series {
			if s.Schedule == 0 {
				continue
			}
			want := mean(t, table, arch, table.Series[id], s.Schedule-1)
			if got := mean(t, f, arch, s, s.Schedule-1); !near(got, want) {
				t.Errorf("%s of %s is %v, in the table %v", s, arch, got, want)
			}
			compared++
		}
	}
	t.Logf("%d numbers compared", compared)
	if compared != 3*13 {
		t.Errorf("%d numbers were compared", compared)
	}
}

func TestSize(t *testing.T) {
	f := imported(t, "nats-sss", data(t, "official/nats-sss"))
	if f.Len() != 3 || f.Total != 32768 {
		t.Errorf("%d of %d architectures", f.Len(), f.Total)
	}
	test := func(dataset string) nasb.Series { return percent(dataset, "test", 90) }
	if got, ok := value(t, f, "8:8:8:8:8", test("cifar10"), 777, 89); !ok || got != 79.79 {
		t.Errorf("8:8:8:8:8 is %v", got)
	}
	table := imported(t, "csv", data(t, "nats_sss.csv.gz"))
	compared := 0
	for arch := range f.Names {
		for _, d := range []string{"cifar10", "cifar100", "ImageNet16-120"} {
			got, ok1 := value(t, f, arch, test(d), 777, 89)
			want, ok2 := value(t, table, arch, test(d), 777, 89)
			if !ok1 || !ok2 || !near(got, want) {
				t.Errorf("%s of %s is %v, in the table %v", d, arch, got, want)
			}
			p, _ := value(t, f, arch, nasb.Series{Dataset: d, Metric: "params", Unit: "M"}, 0, noEpoch)
			n, _ := value(t, table, arch, nasb.Series{Dataset: d, Metric: "params"}, 0, noEpoch)
			if math.Abs(p*1e6-n) > 0.5 {
				t.Errorf("%s has %v million parameters, in the table %v", arch, p, n)
			}
			compared += 2
		}
	}
	t.Logf("%d numbers compared", compared)
}

// folder copies an official folder.
func folder(t testing.TB, name string) string {
	t.Helper()
	from, to := data(t, name), filepath.Join(t.TempDir(), "folder")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestFolderDamaged: an official file that was cut or changed, that stands in another's
// place, or of the other space.
func TestFolderDamaged(t *testing.T) {
	replace := func(t *testing.T, dir, name string, change func([]byte) []byte) {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(b), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(b []byte) []byte { return b[:len(b)/2] }
	t.Run("cut", func(t *testing.T) {
		dir := folder(t, "official/nats-tss")
		replace(t, dir, "000011.pickle.pbz2", cut)
		refused(t, Damaged, "000011.pickle.pbz2: ", "nats-tss", dir)
	})
	t.Run("cut list", func(t *testing.T) {
		dir := folder(t, "official/nats-tss")
		replace(t, dir, "meta.pickle.pbz2", cut)
		refused(t, Damaged, "meta.pickle.pbz2", "nats-tss", dir)
	})
	t.Run("no list", func(t *testing.T) {
		dir := folder(t, "official/nats-tss")
		os.Remove(filepath.Join(dir, "meta.pickle.pbz2"))
		refused(t, WrongFile, "no meta.pickle.pbz2", "nats-tss", dir)
	})
	t.Run("bits", func(t *testing.T) {
		dir := folder(t, "official/nats-sss")
		good, err := os.ReadFile(filepath.Join(dir, "000000.pickle.pbz2"))
		if err != nil {
			t.Fatal(err)
		}
		for at := 4; at < len(good); at += len(good) / 8 {
			replace(t, dir, "000000.pickle.pbz2", func([]byte) []byte {
				b := slices.Clone(good)
				b[at] ^= 1 << (at % 8)
				return b
			})
			refused(t, Damaged, "000000.pickle.pbz2", "nats-sss", dir)
		}
	})
	t.Run("twice", func(t *testing.T) {
		dir := folder(t, "official/nats-tss")
		b, err := os.ReadFile(filepath.Join(dir, "000000.pickle.pbz2"))
		if err != nil {
			t.Fatal(err)
		}
		replace(t, dir, "000011.pickle.pbz2", func([]byte) []byte { return b })
		refused(t, Damaged, "it is number 0 and stands in the place of number 11", "nats-tss", dir)
	})
	t.Run("other space", func(t *testing.T) {
		refused(t, WrongFile, "it lists 32768 architectures; nasbench201 has 15625", "nats-tss", data(t, "official/nats-sss"))
		refused(t, WrongFile, "it lists 15625 architectures; nats-sss has 32768", "nats-sss", data(t, "official/nats-tss"))
	})
	for file, want := range map[string][2]string{
		"bomb.pickle.pbz2":      {TooLarge, "it unpacks to more than any real file"},
		"malicious.pickle.pbz2": {Forbidden, "the pickle wants to call `posix.system`"},
	} {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			dir := folder(t, "official/nats-tss")
			replace(t, dir, "000011.pickle.pbz2", func([]byte) []byte { return b })
			refused(t, want[0], want[1], "nats-tss", dir)
		})
	}
}
