package table

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph/graphtest"
	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// small is a file of two architectures of NAS-Bench-201 that needs no real data.
func small(t testing.TB) string {
	return made(t, "nasbench201", 15625, func(w *nasb.Writer) {
		accuracy := func(dataset, split string, schedule int) int {
			return w.Series(nasb.Series{Dataset: dataset, Split: split, Metric: "accuracy", Schedule: schedule, Unit: "%", Higher: true})
		}
		valid, curve, tested := accuracy("cifar10-valid", "valid", 12), accuracy("cifar10-valid", "valid", 200), accuracy("cifar10", "test", 200)
		time := w.Series(nasb.Series{Dataset: "cifar10-valid", Split: "train", Metric: "time", Unit: "s"})
		fast := w.Series(nasb.Series{Metric: "latency", Device: "fast-1", Unit: "ms"})
		seconds := nasb.Run{Series: time, First: nasb.NoEpoch, Values: []float64{2}}
		add(t, w, arch0, nasb.Run{Series: valid, Seed: 777, First: 11, Values: []float64{60}}, nasb.Run{Series: valid, Seed: 888, First: 11, Values: []float64{70}},
			nasb.Run{Series: curve, Seed: 777, First: 99, Values: []float64{80, 81}}, nasb.Run{Series: tested, Seed: 777, First: 199, Values: []float64{90}}, seconds,
			nasb.Run{Series: fast, First: nasb.NoEpoch, Values: []float64{4}})
		add(t, w, arch1, nasb.Run{Series: valid, Seed: 888, First: 11, Values: []float64{50}}, seconds)
	})
}

const arch1 = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

// TestRefused: settings that do not fit the file, and what the user is told.
func TestRefused(t *testing.T) {
	path := small(t)
	dir := t.TempDir()
	write := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	folder := filepath.Join(dir, "NATS-tss-v1_0-3ffb9-simple")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write("NATS-tss-v1_0-3ffb9-simple/meta.pickle.pbz2", "x")
	other := made(t, "nasbench101", 0, func(w *nasb.Writer) {
		add(t, w, "00", nasb.Run{Series: w.Series(nasb.Series{Metric: "params"}), First: nasb.NoEpoch, Values: []float64{1}})
	})
	macro := made(t, "nasbenchmacro", 0, func(w *nasb.Writer) {
		add(t, w, "00", nasb.Run{Series: w.Series(nasb.Series{Metric: "params"}), First: nasb.NoEpoch, Values: []float64{1}})
	})
	for _, c := range []struct {
		s          Settings
		path, want string
	}{
		{settings(""), "data", "data must name the file"},
		{settings(filepath.Join(dir, "none", "x.nasb")), "data", "no such file"},
		{settings(write("x.csv.gz", "arch")), "data", "import it with `nasc bench import csv " + dir + "/x.csv.gz -o x.nasb`"},
		{settings(filepath.Join(dir, "x.nasb")), "data", "import it with `nasc bench import csv " + dir + "/x.csv.gz -o x.nasb`"},
		{settings(folder), "data", "nasc bench import nats-tss"},
		{settings(write("nasbench_only108.tfrecord", "x")), "data", "nasc bench import nasbench101"},
		{settings(write("transnas-bench_v10141024.pth", "x")), "data", "nasc bench import transnas"},
		{settings(dir), "data", "it is no regular file"},
		{settings(macro), "data", `is about "nasbenchmacro"; searches can use tables of nasbench201, nasbench101`},
		{settings(other), "data", "the file has no valid accuracy of cifar10, which a search needs"},
		{settings(path, on("cifar11")), "dataset", "did you mean `cifar10`? it has cifar10, cifar100, imagenet16-120, cifar10-valid"},
		{settings(path, on("svhn")), "dataset", `dataset is "svhn", which NAS-Bench-201 does not have`},
		{settings(path, after(13)), "epochs", "epochs is 13, after which there is no cifar10 accuracy (the file has of the training of 12 epochs those after 12; of the training of 200 epochs those after 100 to 101)"},
		{settings(path, after(201)), "epochs", "epochs is 201"},
		{settings(path, after(200)), "epochs", "epochs is 200"},
		{settings(path, after(12), of(200)), "epochs", "after 100 to 101"},
		{settings(path, of(90)), "schedule", "schedule is 90, and there is no cifar10 accuracy of trainings of 90 epochs"},
		{settings(path, seeded("999")), "seed", "seed is 999, which no training here has (the file has the seeds [777 888])"},
		{settings(path, seeded("drawm")), "seed", "did you mean `drawn`?"},
		{settings(path, seeded("-1")), "seed", "neither mean nor drawn"},
		{settings(path, seeded("4294967296")), "seed", "neither mean nor drawn"},
		{settings(path, timed(other)), "latency", "latency is about nasbench101, and data about nasbench201"},
		{settings(path, timed(filepath.Join(dir, "lat.nasb"))), "latency", "no such file"},
		{settings(path, devicesOf("fast-2")), "devices", "did you mean `fast-1`?"},
	} {
		_, err := start(sdk.Env{}, c.s)
		problemOf(t, err, "parameters."+c.path, c.want)
	}
	csv := open(t, settings(imported(t, "csv", "nasbench201.csv.gz")))
	_, err := start(sdk.Env{}, settings(csv.settings.Data, seeded("777")))
	problemOf(t, err, "parameters.seed", "one number for each architecture, without its seed: a mean")
	_, err = start(sdk.Env{}, settings(imported(t, "csv", "transnas101_micro.csv.gz")))
	problemOf(t, err, "parameters.dataset", "dataset must say which of the 7 data sets of TransNAS-Bench-101 to search on (it has class_scene, class_object")
}

// TestPartial: architectures and trainings that the file lacks, and networks that are
// none of the benchmark's.
func TestPartial(t *testing.T) {
	path := small(t)
	ctx := context.Background()
	e := open(t, settings(path))
	if v := evaluate(t, e, cell(arch0)); v.Values["accuracy"] != 65 || v.SimulatedSeconds != 24 || len(v.Values) != 1 {
		t.Errorf("%+v", v)
	}
	if v := evaluate(t, e, cell(arch1)); v.Values["accuracy"] != 50 {
		t.Errorf("%+v", v)
	}
	const absent = "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"
	_, err := e.Evaluate(ctx, cell(absent), nil)
	problemOf(t, err, "architecture", "the table has nothing of the architecture "+absent+" (it holds 2 of the benchmark's 15625 architectures)")
	_, err = e.Test(ctx, cell(arch1), nil)
	problemOf(t, err, "architecture", "the table has no cifar10 test accuracy, 200 epochs of the architecture "+arch1)
	_, err = open(t, settings(path, seeded("777"))).Evaluate(ctx, cell(arch1), nil)
	problemOf(t, err, "architecture", "the table has no training with seed 777, only [888]")
	_, err = open(t, settings(path, devicesOf("fast-1"))).Evaluate(ctx, cell(arch1), nil)
	problemOf(t, err, "architecture", "latency on fast-1 was not measured for the architecture "+arch1)
	if v := evaluate(t, open(t, settings(path, devicesOf("fast-1"))), cell(arch0)); v.Values["latency_fast_1"] != 4 {
		t.Errorf("%+v", v)
	}
	g := graphtest.NASBench201(arch0, 5)
	g.Nodes[1].Body.Nodes[0].Op = "dil_conv"
	_, err = e.Evaluate(ctx, sdk.Candidate{Graph: g}, nil)
	problemOf(t, err, "architecture", "this is no network of NAS-Bench-201: normal[0]: node n[0]: n[0].edge[0] is dil_conv")
	for _, b := range benchmarks {
		if b == e.benchmark {
			continue
		}
		_, err = e.Evaluate(ctx, sdk.Candidate{Key: &network{benchmark: b, name: "x"}}, nil)
		problemOf(t, err, "architecture", "this is a network of "+b.title+", and the table is of NAS-Bench-201")
	}
}

// TestNotFinite: imports refuse what is no number; a file that has it all the same
// does not answer with it.
func TestNotFinite(t *testing.T) {
	for _, c := range []struct {
		accuracy, seconds float64
		want              string
	}{
		{math.NaN(), 2, "the table has no accuracy, but NaN, of the architecture " + arch0},
		{math.Inf(1), 2, "no accuracy, but +Inf,"}, {50, math.NaN(), "no time, but NaN s,"}, {50, -2, "no time, but -24 s,"},
	} {
		path := made(t, "nasbench201", 15625, func(w *nasb.Writer) {
			valid := w.Series(nasb.Series{Dataset: "cifar10-valid", Split: "valid", Metric: "accuracy", Schedule: 12, Unit: "%", Higher: true})
			time := w.Series(nasb.Series{Dataset: "cifar10-valid", Split: "train", Metric: "time", Unit: "s"})
			add(t, w, arch0, nasb.Run{Series: valid, First: 11, Values: []float64{c.accuracy}}, nasb.Run{Series: time, First: nasb.NoEpoch, Values: []float64{c.seconds}})
		})
		_, err := open(t, settings(path)).Evaluate(context.Background(), cell(arch0), nil)
		problemOf(t, err, "architecture", c.want)
	}
}

// TestOtherBenchmarks: a table recognises what is another benchmark's.
func TestOtherBenchmarks(t *testing.T) {
	e := open(t, settings(small(t)))
	for file, want := range map[string]*benchmark{
		"nasbench101/nasbench101.nas": &ofModules, "nasbench1shot1/space2.nas": &ofModules, "natssize/natssize.nas": &ofSizes,
		"transnasbench101/micro.nas": &ofTasks, "transnasbench101/macro.nas": &ofTasks, "nasbenchasr/nasbenchasr.nas": &ofSpeech,
		"nasbench201/nasbench201.nas": &ofTopology,
	} {
		s := shippedFile(t, file)
		for g := range s.All() {
			b, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			key, err := e.Recognise(b)
			if err != nil {
				if strings.Contains(err.Error(), "no path leads") {
					continue
				}
				t.Fatalf("%s: %v", file, err)
			}
			if n := key.(*network); n.benchmark != want || n.name == "" {
				t.Errorf("%s is recognised as %q of %s", file, n.name, n.benchmark.title)
			}
			break
		}
	}
}

// TestLocated: a bare name is looked for where data of nasc lies.
func TestLocated(t *testing.T) {
	path := small(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	one, two := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(two, "nasc"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NASC_DATA", one)
	t.Setenv("XDG_DATA_HOME", two)
	_, err = start(sdk.Env{}, settings("located.nasb"))
	problemOf(t, err, "parameters.data", "no such file is in the current folder, nor in "+one+", nor in "+filepath.Join(two, "nasc"))
	for _, dir := range []string{filepath.Join(two, "nasc"), one} {
		if err := os.WriteFile(filepath.Join(dir, "located.nasb"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := locate("data", "located.nasb"); err != nil || got != filepath.Join(dir, "located.nasb") {
			t.Errorf("%q, %v; want the one in %s", got, err, dir)
		}
	}
	open(t, settings("located.nasb"))
}

// TestDamaged: files that were cut, changed, replaced or are of another version.
func TestDamaged(t *testing.T) {
	good, err := os.ReadFile(small(t))
	if err != nil {
		t.Fatal(err)
	}
	try := func(content []byte) error {
		p := filepath.Join(t.TempDir(), "x.nasb")
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := start(sdk.Env{}, settings(p))
		if err != nil {
			return err
		}
		_, err = e.Evaluate(context.Background(), cell(arch0), nil)
		return err
	}
	if err := try(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty": {nil, "it is no .nasb file"}, "text": {[]byte("hello"), "it is no .nasb file"},
		"half":    {good[:len(good)/2], "its end is missing"},
		"version": {changed(good, len(good)-12, 99), "it was written by another version of nasc"},
		"magic":   {changed(good, 0, 'X'), "it is no .nasb file"},
		"record":  {changed(good, 30, 'X'), "the table cannot be read at " + arch0 + ": it is damaged"},
	} {
		if err := try(c.content); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	for at := range good { // a flipped bit is an error or changes nothing that is asked
		if err := try(changed(good, at, good[at]^1<<(at%8))); err != nil {
			var p *sdk.Problem
			if !errors.As(err, &p) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
}

func changed(b []byte, at int, to byte) []byte {
	b = append([]byte(nil), b...)
	b[at] = to
	return b
}

// FuzzTable: whatever a file holds, it is refused or answers.
func FuzzTable(f *testing.F) {
	good, err := os.ReadFile(small(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 12, "mean")
	f.Add(good[:len(good)-9], 200, "777")
	f.Add([]byte("NASB\r\n\x1a\n"), 0, "drawn")
	f.Fuzz(func(t *testing.T, content []byte, epochs int, seed string) {
		p := filepath.Join(t.TempDir(), "x.nasb")
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := nasb.Open(p)
		if err != nil {
			return
		}
		defer s.Close()
		a, err := prepare(settings(p, after(min(max(epochs, 0), 16384)), seeded(seed)), &source{File: s}, nil)
		if err != nil {
			return
		}
		e := &Evaluator{a}
		e.Describe()
		e.Facts()
		for _, arch := range []string{arch0, arch1} {
			e.Evaluate(context.Background(), e.named(arch), nil)
			e.Test(context.Background(), e.named(arch), nil)
		}
	})
}
