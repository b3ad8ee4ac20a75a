package official

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
	space "github.com/nasc-project/nasc/spaces/nasbench201"
)

// training201 is the result of a training as NAS-Bench-201 stores it.
func training201(dataset, arch string, seed, epochs int, base float64, evals ...string) dict {
	byEpoch := func(f func(e int) float64) dict {
		var d dict
		for e := range epochs {
			d = append(d, e, f(e))
		}
		return d
	}
	var accuracy, losses, times dict
	for _, name := range evals {
		for e := range epochs {
			k := fmt.Sprintf("%s@%d", name, e)
			accuracy = append(accuracy, k, base+float64(e)/1000+float64(len(name))/10)
			losses = append(losses, k, 2-float64(e)/1000)
			times = append(times, k, 2.5)
		}
	}
	return dict{
		"name", dataset, "train_acc1es", byEpoch(func(e int) float64 { return base + float64(e)/100 }), "train_acc5es", nil,
		"train_losses", byEpoch(func(e int) float64 { return 2.3 - float64(e)/1000 }),
		"train_times", byEpoch(func(int) float64 { return 7.25 }), "arch_config", dict{"channel", 16, "num_cells", 5, "arch_str", arch},
		"params", 0.129306, "flop", 15.64737, "seed", fmt.Sprintf("%04d", seed), "epochs", epochs, "latency", list{0.0139},
		"eval_names", list{"x-valid"}, "eval_acc1es", accuracy, "eval_losses", losses, "eval_times", times, "net_state_dict", nil,
	}
}

// pth201 is an object of NAS-Bench-201-v1_*.pth with the first n architectures of a
// list of all.
func pth201(n int) dict {
	var names list
	var infos dict
	for i := range 15625 {
		arch := space.At((i*7 + 3) % 15625).String()
		names = append(names, arch)
		if i >= n {
			continue
		}
		entry := func(epochs int, seeds ...int) dict {
			var results dict
			for _, seed := range seeds {
				results = append(results, tuple{"cifar10-valid", seed}, training201("cifar10-valid", arch, seed, epochs, float64(i%90), "x-valid", "ori-test"))
			}
			results = append(results, tuple{"cifar100", seeds[0]}, training201("cifar100", arch, seeds[0], epochs, float64(i%60), "x-valid", "x-test", "ori-test"))
			return dict{"arch_index", i, "arch_str", arch, "all_results", results, "dataset_seed", dict{}, "clear_net_done", 1}
		}
		if n > 100 { // many take long
			infos = append(infos, i, dict{"full", entry(20, 777), "less", entry(12, 777)})
			continue
		}
		infos = append(infos, i, dict{"full", entry(200, 777, 888), "less", entry(12, 777)})
	}
	return dict{"meta_archs", names, "total_archs", 15625, "arch2infos", infos, "evaluated_indexes", list{}}
}

// TestPTH imports NAS-Bench-201 in both forms of torch.save.
func TestPTH(t *testing.T) {
	for form, b := range map[string][]byte{"zip": torchZip(t, pth201(5)), "old": torchOld(pth201(5))} {
		t.Run(form, func(t *testing.T) {
			f := imported(t, "nasbench201-pth", writeBytes(t, "x.pth", b))
			if f.Len() != 5 || f.Total != 15625 || f.Source[0].Size != int64(len(b)) {
				t.Errorf("%d of %d architectures, source %+v", f.Len(), f.Total, f.Source)
			}
			for i := range 5 {
				arch := space.At((i*7 + 3) % 15625).String()
				for _, c := range []struct {
					s     nasb.Series
					seed  uint32
					epoch int
					want  float64
				}{
					{percent("cifar10-valid", "valid", 200), 888, 199, float64(i) + 0.199 + 0.7},
					{percent("cifar10-valid", "test", 12), 777, 11, float64(i) + 0.011 + 0.8},
					{percent("cifar100", "test", 12), 777, 3, float64(i) + 0.003 + 0.6},
					{percent("cifar100", "valid+test", 200), 777, 3, float64(i) + 0.003 + 0.8},
					{nasb.Series{Dataset: "cifar100", Split: "train", Metric: "time", Schedule: 200, Unit: "s"}, 777, 150, 7.25},
					{nasb.Series{Dataset: "cifar10-valid", Metric: "latency", Schedule: 12, Unit: "s"}, 777, noEpoch, 0.0139},
				} {
					if v, ok := value(t, f, arch, c.s, c.seed, c.epoch); !ok || math.Abs(v-c.want) > 1e-12 {
						t.Errorf("%s of %s is %v (%v), want %v", c.s, arch, v, ok, c.want)
					}
				}
			}
			if slices.ContainsFunc(f.Series, func(s nasb.Series) bool { return s.Dataset == "cifar10" }) {
				t.Error("trainings on half of the images are said to be of cifar10")
			}
		})
	}
}

// TestPTHMemory: what is held does not grow with the number of architectures.
func TestPTHMemory(t *testing.T) {
	peak := func(n int) uint64 {
		path := writeBytes(t, "x.pth", torchZip(t, pth201(n)))
		runtime.GC()
		var most, before runtime.MemStats
		runtime.ReadMemStats(&before)
		high := uint64(0)
		calls := 0
		_, err := Import(context.Background(), "nasbench201-pth", []string{path}, filepath.Join(t.TempDir(), "x.nasb"), func(int64, int64) {
			if calls++; calls%20 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&most)
				high = max(high, most.HeapAlloc)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return high - min(high, before.HeapAlloc)
	}
	few, many := peak(200), peak(1200)
	t.Logf("200 architectures %.1f MB, 1200 %.1f MB", float64(few)/1e6, float64(many)/1e6)
	if many > few+8<<20 {
		t.Errorf("memory grows from %d to %d bytes", few, many)
	}
}

func TestPTHRefused(t *testing.T) {
	refuse := func(what, code, about string, b []byte) {
		t.Run(what, func(t *testing.T) { refused(t, code, about, "nasbench201-pth", writeBytes(t, "x.pth", b)) })
	}
	object := pth201(3)
	infos := object[5].(dict)
	good := torchZip(t, object)
	refuse("plain pickle", WrongFile, "torch.save has not written it", pickled(2, object))
	refuse("other object", WrongFile, `no entry "arch2infos"`, torchZip(t, dict{"a", 1}))
	refuse("no object", WrongFile, "a number stands where a dictionary must", torchZip(t, 5))
	refuse("cut zip", Damaged, "zip", good[:len(good)-50])
	old := torchOld(object)
	refuse("cut", Damaged, "the file ends inside a pickle", old[:len(old)/2])
	for _, at := range []int{len(good) / 3, len(good) / 2} {
		b := slices.Clone(good)
		b[at] ^= 0x10
		out := t.TempDir()
		if _, err := Import(context.Background(), "nasbench201-pth", []string{writeBytes(t, "x.pth", b)}, filepath.Join(out, "x"), nil); err == nil {
			t.Errorf("byte %d was changed, and nothing was said", at)
		}
		empty(t, out)
	}
	with := func(change func(d dict)) []byte {
		o := pth201(3)
		change(o)
		return torchZip(t, o)
	}
	less := func(o dict, i int) dict { return o[5].(dict)[2*i+1].(dict)[3].(dict) }
	refuse("twice", Twice, "it comes twice", with(func(o dict) {
		o[5] = append(slices.Clone(infos), infos[4], infos[5])
	}))
	refuse("other place", Damaged, "it is number 1 and stands in the place of number 0", with(func(o dict) { o[5].(dict)[1] = infos[3] }))
	refuse("other space", NotInBenchmark, "8:8:8:8:8: nasbench201 has no such architecture", with(func(o dict) {
		d := o[5].(dict)[1].(dict)
		d[1].(dict)[3], d[3].(dict)[3] = "8:8:8:8:8", "8:8:8:8:8"
	}))
	refuse("not in the list", NotInBenchmark, "number 0 of the list of architectures is another", with(func(o dict) {
		l := o[1].(list)
		l[0], l[1] = l[1], l[0]
	}))
	refuse("NaN", BadValue, "is NaN", with(func(o dict) { less(o, 1)[5].(dict)[1].(dict)[3].(dict)[1] = math.NaN() }))
	refuse("infinity", BadValue, "is +Inf", with(func(o dict) { less(o, 1)[5].(dict)[1].(dict)[7].(dict)[3] = math.Inf(1) }))
	refuse("epoch", BadValue, "goes on to epoch 71", with(func(o dict) { less(o, 1)[5].(dict)[1].(dict)[3].(dict)[22] = 70 }))
	refuse("epochs", Damaged, "it is of 13 epochs and stands among those of 12", with(func(o dict) {
		o[5].(dict)[1].(dict)[2] = "12"
		less(o, 0)[5].(dict)[1].(dict)[19] = 13
	}))
	refuse("seed", Damaged, "its seed is 0999", with(func(o dict) { less(o, 0)[5].(dict)[1].(dict)[17] = "0999" }))
	refuse("text", Damaged, "holds the text", with(func(o dict) { less(o, 0)[5].(dict)[1].(dict)[3].(dict)[1] = "high" }))
	evil := bytes.Replace(torchOld(dict{"arch2infos", dict{0, "EVIL"}}), []byte("X\x04\x00\x00\x00EVIL"), []byte("cos\nsystem\nX\x02\x00\x00\x00ls\x85R"), 1)
	refuse("malicious", Forbidden, "the pickle wants to call `os.system`, which is not data", evil)
	refuse("huge count", Damaged, "longer than", bytes.Replace(torchOld(dict{"k", "EVIL"}), []byte("X\x04\x00\x00\x00EVIL"), []byte("X\xff\xff\xff\xff"), 1))
	deep := append(slices.Clone(torchLegacy), pickled(2, 1001)...)
	deep = append(append(deep, pickled(2, 1)...), bytes.Repeat([]byte("("), 20_000)...)
	refuse("deep", Damaged, "nested more than", append(deep, '.'))
}

// TestArchive: all architectures in one packed file.
func TestArchive(t *testing.T) {
	refused(t, WrongFile, "not packed by bzip2", "nats-tss", writeBytes(t, "x", pickled(4, pth201(1))))
	refused(t, WrongFile, `no entry "arch2infos"`, "nats-tss", data(t, "official/nats-tss/000000.pickle.pbz2"))
	// bzip2 is not written here, so the content is read as it is.
	out := filepath.Join(t.TempDir(), "x.nasb")
	w, err := nasb.Create(out, nasb.Header{Benchmark: "nasbench201"})
	if err != nil {
		t.Fatal(err)
	}
	j := &job{ctx: context.Background(), out: w, series: map[nasb.Series]int{}, seen: map[string]bool{}}
	path := writeBytes(t, "x", pickled(4, pth201(4)))
	if err := j.natsArchive(path, topology, func(r io.Reader) (io.Reader, error) { return r, nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := nasb.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 4 {
		arch := space.At((i*7 + 3) % 15625).String()
		want := float64(i) + 0.011 + 0.8
		if v, ok := value(t, f, arch, percent("cifar10-valid", "test", 12), 777, 11); !ok || math.Abs(v-want) > 1e-12 {
			t.Errorf("%s is %v (%v), want %v", arch, v, ok, want)
		}
	}
}

// TestTorchLists reads real files of torch.save: latencies by the index of
// NAS-Bench-201.
func TestTorchLists(t *testing.T) {
	rows := csvRows(t, data(t, "latency201.csv.gz"))
	hw := csvRows(t, data(t, "hwnasbench201.csv.gz"))
	compared := 0
	for file, want := range map[string]struct {
		rows   [][]string
		column string
	}{"fpga.pt": {hw, "fpga_latency_ms"}, "1080ti_1.pt": {rows, "1080ti_1_ms"}, "pixel2.pt": {rows, "pixel2_ms"}} {
		j := &job{ctx: context.Background()}
		f, err := j.torch(data(t, filepath.Join("official/help", file)))
		if err != nil {
			t.Fatal(err)
		}
		d, end, err := f.open()
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.Decode()
		if err == nil {
			err = end()
		}
		if err != nil {
			t.Fatal(err)
		}
		values, ok := numbersOf(v)
		if !ok || len(values) != 15625 {
			t.Fatalf("%s: %d numbers", file, len(values))
		}
		k := slices.Index(want.rows[0], want.column)
		for _, r := range want.rows[1:] {
			if x := values[int(number(t, r[0]))]; !near(x, number(t, r[k])) {
				t.Fatalf("%s: index %s is %v, in the table %s", file, r[0], x, r[k])
			}
			compared++
		}
	}
	t.Logf("%d numbers compared", compared)
}

// TestEagle reads a real pickle of latencies: six numbers of operations are the key.
func TestEagle(t *testing.T) {
	in, err := os.Open(data(t, "official/eagle/desktop-cpu-core-i7-7820x-fp32.pkl"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	v, err := pickle.NewDecoder(in).Decode()
	if err != nil {
		t.Fatal(err)
	}
	d, err := dictOf(v)
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]float64{}
	ops := []string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}
	for i, k := range d.Keys {
		key, _ := itemsOf(k)
		var digits strings.Builder
		for _, x := range key {
			n, _ := intOf(x)
			fmt.Fprint(&digits, n)
		}
		table[digits.String()], _ = numberOf(d.Values[i])
	}
	rows := csvRows(t, data(t, "latency201.csv.gz"))
	k := slices.Index(rows[0], "eagle_i7_7820x_ms")
	compared := 0
	for _, r := range rows[1:] {
		if r[k] == "" {
			continue
		}
		var digits strings.Builder
		for _, part := range strings.FieldsFunc(r[1], func(c rune) bool { return c == '|' || c == '+' }) {
			name, _, _ := strings.Cut(part, "~")
			fmt.Fprint(&digits, slices.Index(ops, name))
		}
		if v, ok := table[digits.String()]; !ok || !near(1000*v, number(t, r[k])) {
			t.Fatalf("%s: %v seconds (%v), in the table %s ms", r[1], v, ok, r[k])
		}
		compared++
	}
	t.Logf("%d numbers compared", compared)
}

func TestTransNAS(t *testing.T) {
	task := func(base float64, metrics ...string) dict {
		var m dict
		for i, name := range metrics {
			m = append(m, name, list{base, base + float64(i), base + 2*float64(i)})
		}
		return dict{"total_epochs", 3, "metrics", m, "model_info", dict{"encoder_params", 5.5e5, "inference_time", 0.25}}
	}
	object := func(arch string, first float64) dict {
		return dict{
			"task_list", list{"jigsaw", "room_layout"}, "metrics_dict", dict{}, "info_names", list{"encoder_params"},
			"data", dict{
				"macro", dict{
					"64-1234-basic", dict{"jigsaw", task(50, "train_top1", "valid_top1"), "room_layout", task(-1, "valid_neg_loss")},
					"64-1114-basic", dict{"jigsaw", task(40, "valid_top1", "valid_loss"), "room_layout", task(-1, "valid_neg_loss")},
				},
				"micro", dict{
					arch, dict{"jigsaw", task(first, "train_top1", "valid_top1", "test_top1", "valid_loss", "time_elapsed"), "room_layout", task(-2, "valid_neg_loss")},
					"64-41414-1_02_333", dict{"jigsaw", task(10, "valid_top1"), "room_layout", task(-1, "valid_neg_loss")},
				},
			},
		}
	}
	for form, b := range map[string][]byte{"zip": torchZip(t, object("64-41414-0_00_000", 20)), "old": torchOld(object("64-41414-0_00_000", 20))} {
		t.Run(form, func(t *testing.T) {
			f := imported(t, "transnas", writeBytes(t, "x.pth", b))
			if f.Len() != 4 || f.Total != 7352 {
				t.Errorf("%d of %d architectures", f.Len(), f.Total)
			}
			for _, c := range []struct {
				arch  string
				s     nasb.Series
				epoch int
				want  float64
			}{
				{"64-41414-0_00_000", percent("jigsaw", "valid", 3), 2, 22},
				{"64-41414-0_00_000", percent("jigsaw", "test", 3), 2, 24},
				{"64-41414-0_00_000", nasb.Series{Dataset: "jigsaw", Metric: "elapsed", Schedule: 3, Unit: "s"}, 1, 24},
				{"64-41414-0_00_000", nasb.Series{Dataset: "room_layout", Split: "valid", Metric: "neg_loss", Schedule: 3, Higher: true}, 0, -2},
				{"64-1234-basic", percent("jigsaw", "valid", 3), 2, 52},
				{"64-1234-basic", nasb.Series{Dataset: "jigsaw", Metric: "encoder_params"}, noEpoch, 5.5e5},
			} {
				if v, ok := value(t, f, c.arch, c.s, 0, c.epoch); !ok || v != c.want {
					t.Errorf("%s of %s is %v (%v), want %v", c.s, c.arch, v, ok, c.want)
				}
			}
		})
	}
	refused(t, NotInBenchmark, "64-41414-9", "transnas", writeBytes(t, "x", torchZip(t, object("64-41414-9", 20))))
	refused(t, BadValue, "64-41414-0_00_000: its jigsaw train accuracy, 3 epochs is NaN", "transnas", writeBytes(t, "x", torchZip(t, object("64-41414-0_00_000", math.NaN()))))
	refused(t, Twice, "it comes twice", "transnas", writeBytes(t, "x", torchZip(t, object("64-41414-1_02_333", 20))))
	refused(t, WrongFile, `no entry "data"`, "transnas", writeBytes(t, "x", torchZip(t, dict{"x", 1})))
}

func TestASR(t *testing.T) {
	arch := list{list{1, 0}, list{1, 0, 0}, list{1, 0, 0, 0}}
	const hash = "36855332a5778e0df5114305bc3ce238"
	const name = "[[1,0],[1,0,0],[1,0,0,0]]"
	two := func(header, body any) []byte { return append(pickled(4, header), pickled(4, body)...) }
	settings := dict{"ops", list{"linear"}, "nodes", 3}
	training := func(seed int, first, last float64, rows ...any) []byte {
		all := append(list{tuple{hash, list{first, 0.5, last}, 0.26, arch}}, rows...)
		return two(dict{"dataset_type", "training", "version", 1, "seed", seed, "epochs", 3, "columns", list{"model_hash", "val_per", "test_per", "model"}, "search_space", settings}, all)
	}
	dir := t.TempDir()
	for file, b := range map[string][]byte{
		"nb-asr-e40-1234.pickle": training(1234, 0.9, 0.25), "nb-asr-e40-1235.pickle": training(1235, 0.8, 0.24),
		"nb-asr-bench-jetson-nano.pickle": two(dict{"dataset_type", "benchmarking", "version", 1, "device", "jetson-nano", "columns", list{"model_hash", "latency", "model"}}, list{tuple{hash, 0.125, arch}}),
		"nb-asr-info.pickle":              two(dict{"dataset_type", "static", "version", 2, "columns", list{"model_hash", "params", "flops", "model"}}, list{tuple{hash, 26338848, 1.5e9, arch}}),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := imported(t, "nasbench-asr", dir)
	if f.Len() != 1 || f.Total != 8242 || len(f.Source) != 4 {
		t.Errorf("%d of %d architectures of %d files", f.Len(), f.Total, len(f.Source))
	}
	for _, c := range []struct {
		s     nasb.Series
		seed  uint32
		epoch int
		want  float64
	}{
		{nasb.Series{Dataset: "timit", Split: "valid", Metric: "per", Schedule: 3}, 1235, 2, 0.24},
		{nasb.Series{Dataset: "timit", Split: "valid", Metric: "per", Schedule: 3}, 1234, 0, 0.9},
		{nasb.Series{Dataset: "timit", Split: "test", Metric: "per", Schedule: 3}, 1234, noEpoch, 0.26},
		{nasb.Series{Metric: "latency", Device: "jetson-nano"}, 0, noEpoch, 0.125},
		{nasb.Series{Metric: "params"}, 0, noEpoch, 26338848},
	} {
		if v, ok := value(t, f, name, c.s, c.seed, c.epoch); !ok || v != c.want {
			t.Errorf("%s is %v (%v), want %v", c.s, v, ok, c.want)
		}
	}
	for _, c := range []struct {
		what, code, about string
		b                 []byte
	}{
		{"header alone", Damaged, "incomplete", pickled(4, dict{"dataset_type", "training"})},
		{"no header", WrongFile, "no header of NAS-Bench-ASR", two(list{}, list{})},
		{"twice", Twice, name + ": it comes twice", training(1, 0.9, 0.2, tuple{hash, list{0.5}, 0.2, arch})},
		{"NaN", BadValue, name + ": its timit valid per, 3 epochs is NaN", training(1, 0.9, math.NaN())},
		{"two hashes", Twice, name + ": it comes twice", training(1, 0.9, 0.2, tuple{"ff", list{0.5}, 0.2, arch})},
		{"no architecture", Damaged, "does not end with an architecture", training(1, 0.9, 0.2, tuple{"ff", list{0.5}, 0.2, list{1}})},
		{"columns", Damaged, "a row has 2 values", training(1, 0.9, 0.2, tuple{"ff", arch})},
		{"epochs", BadValue, "goes on to epoch 4", training(1, 0.9, 0.2, tuple{"ff", list{0.5, 0.5, 0.5, 0.5}, 0.2, list{list{2, 0}, list{1, 0, 0}, list{1, 0, 0, 0}}})},
	} {
		t.Run(c.what, func(t *testing.T) { refused(t, c.code, c.about, "nasbench-asr", writeBytes(t, "x.pickle", c.b)) })
	}
}

func TestHWNASBench(t *testing.T) {
	object := func(arch string, value float64) dict {
		config := list{dict{"name", "infer.tiny", "C", 16, "arch_str", arch0}, dict{"name", "infer.tiny", "C", 16, "arch_str", arch}}
		return dict{
			"nasbench201", dict{
				"cifar10", dict{"config", config, "edgegpu_latency", list{5.5, value}, "eyeriss_arithmetic_intensity", list{1.0, 2.0}, "edgetpu_latency", list{-1, 3}},
				"cifar100", dict{"config", config, "edgegpu_energy", list{7.5, 8.5}},
			},
			"fbnet", dict{"pixel3_latency", dict{"skip_1", 0.5, "k3_e1_2", 0.75}, "fpga_energy", dict{"k3_e1_2", 4.0}},
		}
	}
	const other = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	path := writeBytes(t, "x.pickle", pickled(3, object(other, 6.5)))
	f := imported(t, "hwnasbench", path)
	for _, c := range []struct {
		arch, dataset, name string
		want                float64
	}{{arch0, "cifar10", "edgegpu_latency", 5.5}, {other, "cifar10", "edgegpu_latency", 6.5}, {other, "cifar100", "edgegpu_energy", 8.5}, {other, "cifar10", "eyeriss_arithmetic_intensity", 2}} {
		s := hwSeries(c.name)
		s.Dataset = c.dataset
		if v, ok := value(t, f, c.arch, s, 0, noEpoch); !ok || v != c.want {
			t.Errorf("%s of %s is %v (%v), want %v", s, c.arch, v, ok, c.want)
		}
	}
	tpu := nasb.Series{Dataset: "cifar10", Metric: "latency", Device: "edgetpu", Unit: "ms"}
	if v, ok := value(t, f, arch0, tpu, 0, noEpoch); ok {
		t.Errorf("what cannot run takes %v ms", v)
	}
	blocks := imported(t, "hwnasbench-fbnet", path)
	if v, ok := value(t, blocks, "k3_e1_2", hwSeries("fpga_energy"), 0, noEpoch); !ok || v != 4 {
		t.Errorf("%v, %v", v, ok)
	}
	refused(t, NotInBenchmark, "8:8", "hwnasbench", writeBytes(t, "x", pickled(3, object("8:8", 1))))
	refused(t, BadValue, "is NaN", "hwnasbench", writeBytes(t, "x", pickled(3, object(other, math.NaN()))))
	refused(t, BadValue, "is -3", "hwnasbench", writeBytes(t, "x", pickled(3, object(other, -3))))
	refused(t, Twice, "it comes twice", "hwnasbench", writeBytes(t, "x", pickled(3, object(arch0, 1))))
	refused(t, WrongFile, `no entry "nasbench201"`, "hwnasbench", writeBytes(t, "x", pickled(3, dict{"a", 1})))
	b := pickled(3, object(other, 6.5))
	refused(t, Damaged, "the file ends inside a pickle", "hwnasbench", writeBytes(t, "x", b[:len(b)-40]))
}

// TestWatched: reading ends when the import is given up.
func TestWatched(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := watched{strings.NewReader("abc"), &job{ctx: ctx}}
	cancel()
	if _, err := io.ReadAll(&w); err != context.Canceled {
		t.Errorf("%v", err)
	}
}
