package table

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

const arch0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"

func near(a, b float64) bool { return math.Abs(a-b) <= 6e-6*max(1, math.Abs(b)) }

// TestNASBench201 looks up architecture 0, whose results are published, in the table of
// the whole space.
func TestNASBench201(t *testing.T) {
	path := imported(t, "csv", "nasbench201.csv.gz")
	for _, c := range []struct {
		dataset          string
		epochs           int
		valid, test, sec float64
	}{
		{"cifar10", 200, 81.98267, 85.86333, 200 * 7.22109},
		{"", 0, 63.364, 85.86333, 86.65308}, // 86.7 s in the official file
		{"cifar100", 200, 52.7, 52.91333, 200 * 14.44219},
		{"ImageNet16-120", 200, 28.21111, 26.63333, 200 * 43.81759},
	} {
		e := open(t, settings(path, on(c.dataset), after(c.epochs)))
		v := evaluate(t, e, cell(arch0))
		epochs := c.epochs
		if epochs == 0 {
			epochs = 12
		}
		if v.Values["accuracy"] != c.valid || math.Abs(v.SimulatedSeconds-c.sec) > 1e-9 || v.Epochs != float64(epochs) || len(v.Values) != 1 {
			t.Errorf("%s at %d epochs: %+v", c.dataset, c.epochs, v)
		}
		want := map[string]float64{"accuracy": c.test, "cifar10": 85.86333, "cifar100": 52.91333, "imagenet16-120": 26.63333}
		if got := test(t, e, cell(arch0)); !maps.Equal(got, want) {
			t.Errorf("%s: test %v", c.dataset, got)
		}
	}
	e := open(t, settings(path))
	c := cell(arch0)
	c.Epochs = 200
	if v := evaluate(t, e, c); v.Values["accuracy"] != 81.98267 || v.Epochs != 200 {
		t.Errorf("200 epochs asked for: %+v", v)
	}
	c.Epochs = 13
	_, err := e.Evaluate(context.Background(), c, nil)
	problemOf(t, err, "parameters.epochs", "epochs is 13, after which there is no cifar10 accuracy (the file has of the training of 12 epochs those after 12; of the training of 200 epochs those after 200)")
}

// TestNASBench201Best: the best of each data set, as published, by its number there.
func TestNASBench201Best(t *testing.T) {
	path := imported(t, "csv", "nasbench201.csv.gz")
	index := map[int]string{}
	f, _, err := openSource(path)
	if err != nil {
		t.Fatal(err)
	}
	series := slices.IndexFunc(f.Series, func(s nasb.Series) bool { return s.Metric == "index" })
	for name, row := range f.Names {
		r, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		r.At(series, nasb.NoEpoch, func(_ uint32, v float64) { index[int(v)] = name })
	}
	for _, c := range []struct {
		metric string
		epochs int
		best   float64
		index  int
	}{
		{"test cifar10", 0, 94.37333, 6111}, {"test cifar100", 0, 73.51333, 9930}, {"test imagenet16-120", 0, 47.31111, 857},
		{"cifar10", 200, 91.60667, 6111}, {"cifar10-valid", 200, 91.60667, 6111}, {"test cifar10-valid", 0, 91.52333, 1459},
		{"cifar100", 200, 73.49333, 9930}, {"imagenet16-120", 200, 46.73333, 10676},
	} {
		name, isTest := strings.CutPrefix(c.metric, "test ")
		e := open(t, settings(path, on(name), after(c.epochs)))
		get := func(arch string) float64 {
			if isTest {
				return test(t, e, e.named(arch))["accuracy"]
			}
			return evaluate(t, e, e.named(arch)).Values["accuracy"]
		}
		best := 0.0
		for n := range nasbench201.Architectures {
			best = max(best, get(nasbench201.At(n).String()))
		}
		if best != c.best || get(index[c.index]) != c.best {
			t.Errorf("%s: the best is %v and number %d has %v, published %v", c.metric, best, c.index, get(index[c.index]), c.best)
		}
	}
}

// TestOfficialTopology compares every validation accuracy, loss and time that the
// evaluator can be asked for with the decoded form of the official files: three
// architectures, every epoch, every seed.
func TestOfficialTopology(t *testing.T) {
	path := imported(t, "nats-tss", "official/nats-tss")
	type key struct {
		arch, dataset         string
		schedule, seed, epoch int
	}
	accuracy, seconds := map[key]float64{}, map[key]float64{}
	for _, r := range rows(t, data(t, "official/nats-tss/expected.csv.gz"))[1:] {
		k := key{r[1], r[3], int(number(t, r[2])), int(number(t, r[4])), int(number(t, r[5]))}
		if r[9] != "" { // x-valid
			accuracy[k] = number(t, r[9])
		}
		seconds[k] = number(t, r[8])
	}
	compared := 0
	for k, want := range accuracy {
		if k.epoch%7 != 0 && k.epoch != k.schedule-1 {
			continue
		}
		dataset := k.dataset
		e := open(t, settings(path, on(dataset), of(k.schedule), after(k.epoch+1), seeded(fmt.Sprint(k.seed))))
		v := evaluate(t, e, cell(k.arch))
		if !near(v.Values["accuracy"], want) {
			t.Fatalf("%+v is %v, want %v", k, v.Values, want)
		}
		train := 0.0
		for epoch := range k.epoch + 1 {
			at := k
			at.epoch = epoch
			train += seconds[at]
		}
		// One evaluation is added to the training.
		if evaluation := v.SimulatedSeconds - train; evaluation <= 0 || evaluation > 0.6*train/float64(k.epoch+1) {
			t.Errorf("%+v takes %v s, and its training %v", k, v.SimulatedSeconds, train)
		}
		compared++
	}
	t.Logf("%d of %d accuracies compared", compared, len(accuracy))
	if compared < 300 {
		t.Errorf("%d accuracies were compared", compared)
	}
}

// TestOfficialAgreesWithTable: what a search with default settings sees of the official
// files is what it sees of the table of the whole space.
func TestOfficialAgreesWithTable(t *testing.T) {
	path, table := imported(t, "nats-tss", "official/nats-tss"), imported(t, "csv", "nasbench201.csv.gz")
	f, _, err := openSource(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, dataset := range []string{"cifar10", "cifar100", "imagenet16-120"} {
		for _, epochs := range []int{0, 200} {
			a, b := open(t, settings(path, on(dataset), after(epochs))), open(t, settings(table, on(dataset), after(epochs)))
			for arch := range f.Names {
				v, w := evaluate(t, a, cell(arch)), evaluate(t, b, cell(arch))
				if !near(v.Values["accuracy"], w.Values["accuracy"]) || v.Epochs != w.Epochs {
					t.Errorf("%s of %s: %v and %v", dataset, arch, v, w)
				}
				// The table has training time alone.
				if q := v.SimulatedSeconds / w.SimulatedSeconds; q < 1 || q > 1.1 {
					t.Errorf("%s of %s takes %v s and %v s", dataset, arch, v.SimulatedSeconds, w.SimulatedSeconds)
				}
				want := test(t, b, cell(arch))
				for name, got := range test(t, a, cell(arch)) {
					if !near(got, want[name]) {
						t.Errorf("%s, test %s of %s: %v and %v", dataset, name, arch, got, want[name])
					}
				}
			}
		}
	}
}

// TestSchedules: twelve epochs of the training of 200 are not the training of twelve.
func TestSchedules(t *testing.T) {
	path := imported(t, "nats-tss", "official/nats-tss")
	value := func(change ...func(*Settings)) float64 {
		return evaluate(t, open(t, settings(path, change...)), cell(arch0)).Values["accuracy"]
	}
	whole, part := value(after(12)), value(after(12), of(200))
	if whole != value() || !near(whole, 63.364) {
		t.Errorf("the training of 12 epochs ends at %v and, by default, %v", whole, value())
	}
	if part == whole || part == value(of(200)) || value(after(50)) != value(after(50), of(200)) {
		t.Errorf("12 of 200 epochs are %v, 12 of 12 %v, all of 200 %v", part, whole, value(of(200)))
	}
	e := open(t, settings(path, of(200)))
	c := cell(arch0)
	c.Epochs = 12 // as an optimizer of several fidelities asks
	if got := evaluate(t, e, c).Values["accuracy"]; got != part {
		t.Errorf("asked for 12 epochs of the training of 200: %v, want %v", got, part)
	}
}

// TestCurves: a file that has the training of 200 epochs only is searched at its end,
// where it agrees with the table of the whole space; part of it must be asked for.
func TestCurves(t *testing.T) {
	curves, table := open(t, settings(imported(t, "csv", "nasbench201_curves.csv.gz"))), open(t, settings(imported(t, "csv", "nasbench201.csv.gz"), after(200)))
	part := open(t, settings(curves.settings.Data, after(12)))
	n := 0
	for arch := range curves.main.Names {
		v, w := evaluate(t, curves, curves.named(arch)), evaluate(t, table, table.named(arch))
		if v.Epochs != 200 || !near(v.Values["accuracy"], w.Values["accuracy"]) {
			t.Errorf("%s has %+v, in the table %+v", arch, v, w)
		}
		if p := evaluate(t, part, part.named(arch)); p.Epochs != 12 || p.Values["accuracy"] == v.Values["accuracy"] {
			t.Errorf("after 12 epochs %s has %+v", arch, p)
		}
		n++
	}
	if n != 200 {
		t.Errorf("%d architectures", n)
	}
	if facts := part.Facts(); facts["table.validation"] != "cifar10-valid valid accuracy, 200 epochs, after 12" {
		t.Errorf("%v", facts)
	}
}

// TestSeeds: the mean is of the single ones, drawing follows the trial's seed, and all
// of them are drawn.
func TestSeeds(t *testing.T) {
	path := imported(t, "nats-tss", "official/nats-tss")
	single := map[float64]bool{}
	sum := 0.0
	for _, seed := range []string{"777", "888", "999"} {
		e := open(t, settings(path, after(200), seeded(seed)))
		v := evaluate(t, e, cell(arch0)).Values["accuracy"]
		single[v] = true
		sum += v
		if a, b := test(t, e, cell(arch0))["accuracy"], test(t, open(t, settings(path, after(200))), cell(arch0))["accuracy"]; a == b {
			t.Errorf("test of seed %s is the mean, %v", seed, a)
		}
	}
	m := open(t, settings(path, after(200)))
	if got := evaluate(t, m, cell(arch0)).Values["accuracy"]; math.Abs(got-sum/3) > 1e-12 || !near(got, 81.98267) {
		t.Errorf("the mean is %v, want %v", got, sum/3)
	}
	d := open(t, settings(path, after(200), seeded("drawn")))
	if !m.Describe().Deterministic || d.Describe().Deterministic {
		t.Error("drawing is said to be deterministic, or the mean not to be")
	}
	drawnValues := map[float64]bool{}
	for seed := range uint64(60) {
		c := cell(arch0)
		c.Seed = seed
		v := evaluate(t, d, c)
		if !single[v.Values["accuracy"]] {
			t.Fatalf("%v is of no seed", v)
		}
		drawnValues[v.Values["accuracy"]] = true
		if again := evaluate(t, d, c); !maps.Equal(again.Values, v.Values) || again.SimulatedSeconds != v.SimulatedSeconds {
			t.Errorf("seed %d gives %v and then %v", seed, v, again)
		}
	}
	if len(drawnValues) != 3 {
		t.Errorf("of three seeds %d were drawn", len(drawnValues))
	}
	if a, b := test(t, d, cell(arch0)), test(t, m, cell(arch0)); !maps.Equal(a, b) {
		t.Errorf("where seeds are drawn the report has %v, not the mean %v", a, b)
	}
	twelve := open(t, settings(path, seeded("111")))
	if v := evaluate(t, twelve, cell(arch0)); len(v.Values) != 2 {
		t.Errorf("seed 111 of the training of 12 epochs: %v", v)
	}
}

// TestTrainSplit: what a training says of its own images.
func TestTrainSplit(t *testing.T) {
	path := imported(t, "nats-tss", "official/nats-tss")
	e := open(t, settings(path, split("train"), after(200)))
	v := evaluate(t, e, cell(arch0))
	w := evaluate(t, open(t, settings(path, after(200))), cell(arch0))
	if v.Values["accuracy"] <= w.Values["accuracy"] || v.SimulatedSeconds >= w.SimulatedSeconds {
		t.Errorf("train %v, validation %v", v, w)
	}
}

// TestSizes: NATS-Bench size, official samples and the table of all tests.
func TestSizes(t *testing.T) {
	e := open(t, settings(imported(t, "nats-sss", "official/nats-sss"), after(90)))
	if got := test(t, e, e.named("8:8:8:8:8")); got["accuracy"] != 79.79 || !near(got["cifar100"], 32.3) || !near(got["imagenet16-120"], 15.53333) {
		t.Errorf("8:8:8:8:8 has %v", got)
	}
	if v := evaluate(t, e, e.named("8:8:8:8:8")); v.Epochs != 90 || v.Values["accuracy"] < 70 || v.SimulatedSeconds <= 0 {
		t.Errorf("%+v", v)
	}
	tests := open(t, settings(imported(t, "csv", "nats_sss.csv.gz")))
	if got := test(t, tests, tests.named("64:64:56:64:24"))["accuracy"]; got != 93.65 {
		t.Errorf("the best has %v, published 93.65", got)
	}
	if got := test(t, tests, tests.named("64:64:48:48:64"))["cifar100"]; got != 71.34 {
		t.Errorf("the best on CIFAR-100 has %v, published 71.34", got)
	}
	if r := tests.Describe(); len(r.Metrics) != 0 || len(r.TestMetrics) != 4 {
		t.Errorf("a table of tests reports %v", r)
	}
	_, err := tests.Evaluate(context.Background(), tests.named("8:8:8:8:8"), nil)
	problemOf(t, err, "parameters.data", "the file has no valid accuracy of cifar10-valid, which a search needs")
}

// TestTasks: TransNAS-Bench-101's cells.
func TestTasks(t *testing.T) {
	path := imported(t, "csv", "transnas101_micro.csv.gz")
	for task, want := range map[string]float64{
		"class_scene": 54.93631, "class_object": 45.58619, "jigsaw": 95.37222, "room_layout": -0.6009988,
		"segmentsemantic": 94.61252, "normal": 0.5872865, "autoencoder": 0.5772307,
	} {
		e := open(t, settings(path, on(task)))
		reports := e.Describe()
		if len(reports.Metrics) != 1 || !reports.Metrics[0].HigherIsBetter || len(reports.TestMetrics) != 0 {
			t.Errorf("%s reports %v", task, reports)
		}
		best := math.Inf(-1)
		for name := range e.main.Names {
			v := evaluate(t, e, e.named(name))
			best = max(best, v.Values[reports.Metrics[0].Name])
		}
		if !near(best, want) {
			t.Errorf("the best of %s has %v, published %v", task, best, want)
		}
		if facts := e.Facts(); facts["table.seconds"] != "not recorded" {
			t.Errorf("%v", facts)
		}
	}
}

// TestModules: NAS-Bench-101 by hash.
func TestModules(t *testing.T) {
	if testing.Short() {
		t.Skip("423,624 modules are imported")
	}
	e := open(t, settings(imported(t, "csv", "nasbench101.csv.gz")))
	for hash, want := range map[string]float64{"00005c142e6f48ac74fdcf73e3439874": 92.06063, "02e5a0247bbdcf2860b7e96f74961594": 94.31758} {
		if got := test(t, e, e.named(hash))["accuracy"]; got != want {
			t.Errorf("%s has %v, published %v", hash, got, want)
		}
	}
	// A file in the official layout has fractions, halves of trainings and repeats.
	e = open(t, settings(imported(t, "nasbench101", "official/nasbench-tfrecord/energy_4V9E.tfrecord")))
	best := 0.0
	for name := range e.main.Names {
		v := evaluate(t, e, e.named(name))
		if v.Epochs != 108 || v.SimulatedSeconds <= 0 || v.Values["accuracy"] > 100 {
			t.Fatalf("%s: %+v", name, v)
		}
		one := open(t, settings(e.settings.Data, seeded("0")))
		best = max(best, test(t, one, one.named(name))["accuracy"])
		one = open(t, settings(e.settings.Data, seeded("1")))
		best = max(best, test(t, one, one.named(name))["accuracy"])
		one = open(t, settings(e.settings.Data, seeded("2")))
		best = max(best, test(t, one, one.named(name))["accuracy"])
	}
	if !near(best, 93.5296) {
		t.Errorf("the best single training has %v, published 93.5296", best)
	}
	first := open(t, settings(e.settings.Data, of(108), after(1)))
	full := open(t, settings(e.settings.Data, of(108)))
	for name := range e.main.Names {
		a, b := evaluate(t, first, first.named(name)), evaluate(t, full, full.named(name))
		if a.Epochs != 1 || a.SimulatedSeconds >= b.SimulatedSeconds {
			t.Errorf("one epoch of %s is %+v, all %+v", name, a, b)
		}
	}
}

// TestSpeech: of architectures of NAS-Bench-ASR that mean the same the file has one,
// and validation is the lowest so far.
func TestSpeech(t *testing.T) {
	const inFile, same = "[[5,1],[1,0,0],[1,0,0,0]]", "[[5,1],[1,0,1],[1,0,0,0]]"
	path := made(t, "nasbenchasr", 8242, func(w *nasb.Writer) {
		valid := w.Series(nasb.Series{Dataset: "timit", Split: "valid", Metric: "per", Schedule: 4})
		tested := w.Series(nasb.Series{Dataset: "timit", Split: "test", Metric: "per", Schedule: 4})
		nano := w.Series(nasb.Series{Metric: "latency", Device: "jetson-nano", Unit: "s"})
		add(t, w, inFile, nasb.Run{Series: valid, Seed: 1234, Values: []float64{0.9, 0.25, 0.5, 0.375}}, nasb.Run{Series: valid, Seed: 1235, Values: []float64{0.5, 0.75, 0.75, 0.125}},
			nasb.Run{Series: tested, Seed: 1234, First: nasb.NoEpoch, Values: []float64{0.25}}, nasb.Run{Series: tested, Seed: 1235, First: nasb.NoEpoch, Values: []float64{0.5}},
			nasb.Run{Series: nano, First: nasb.NoEpoch, Values: []float64{0.125}})
	})
	for _, c := range []struct {
		epochs int
		seed   string
		want   float64
	}{{0, "mean", 0.1875}, {3, "mean", 0.375}, {3, "1234", 0.25}, {1, "1234", 0.9}} {
		e := open(t, settings(path, after(c.epochs), seeded(c.seed)))
		for _, arch := range []string{inFile, same} {
			v := evaluate(t, e, e.named(arch))
			if v.Values["per"] != c.want || v.Values["latency_jetson_nano"] != 0.125 || len(v.Values) != 2 {
				t.Errorf("%s, %d epochs, seed %s: %v, want %v", arch, c.epochs, c.seed, v.Values, c.want)
			}
		}
		if m := e.Describe().Metrics[0]; m.Name != "per" || m.HigherIsBetter {
			t.Errorf("%+v", m)
		}
	}
	e := open(t, settings(path))
	if got := test(t, e, e.named(same)); got["per"] != 0.375 || got["timit"] != 0.375 {
		t.Errorf("test %v", got)
	}
	_, err := e.Evaluate(context.Background(), e.named("[[0,0],[0,0,0],[0,0,0,0]]"), nil)
	problemOf(t, err, "architecture", "the table has nothing of the architecture [[0,0],[0,0,0],[0,0,0,0]] (it holds 1 of the benchmark's 8242 architectures)")
}

// TestTaskTimes: seconds since the training began, of a task and its epoch.
func TestTaskTimes(t *testing.T) {
	const arch = "64-1234-basic"
	path := made(t, "transnasbench101", 7352, func(w *nasb.Writer) {
		valid := w.Series(nasb.Series{Dataset: "jigsaw", Split: "valid", Metric: "accuracy", Schedule: 3, Unit: "%", Higher: true})
		time := w.Series(nasb.Series{Dataset: "jigsaw", Metric: "elapsed", Schedule: 3, Unit: "s"})
		add(t, w, arch, nasb.Run{Series: valid, Values: []float64{50, 60, 55}}, nasb.Run{Series: time, Values: []float64{10, 20, 30}})
	})
	e := open(t, settings(path, on("jigsaw")))
	if v := evaluate(t, e, e.named(arch)); v.Values["accuracy"] != 55 || v.SimulatedSeconds != 30 || v.Epochs != 3 {
		t.Errorf("%+v", v)
	}
	e = open(t, settings(path, on("jigsaw"), after(2)))
	if v := evaluate(t, e, e.named(arch)); v.Values["accuracy"] != 60 || v.SimulatedSeconds != 20 || v.Epochs != 2 {
		t.Errorf("%+v", v)
	}
}
