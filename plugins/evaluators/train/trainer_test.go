package train

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// quick are settings for a training of a fraction of a second.
func quick() Settings {
	return Settings{Dataset: "glyphs", Train: 320, Valid: 100, Test: 100, Epochs: 2, BatchSize: 16,
		Lr: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4, Clip: 5}
}

func newTrainer(t *testing.T, s Settings, threads int) *Trainer {
	t.Helper()
	tr, err := New(s, threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

var image = []int{1, 16, 16}

func ignore(Epoch) {}

func run(t *testing.T, tr *Trainer, g *graph.Graph, seed uint64) Metrics {
	t.Helper()
	m, err := tr.Run(context.Background(), Job{Graph: g, Seed: seed}, ignore)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// mixed uses every kind of operation.
func mixed(classes int) *graph.Graph {
	return nasbench201(4, 1, classes, image, cell(4, conv3, skip, avg3, sep5, max3, conv1))
}

func TestDeterminism(t *testing.T) {
	s := quick()
	s.Flip, s.Shift = true, 2
	one, two := newTrainer(t, s, 1), newTrainer(t, s, 2)
	g := mixed(10)
	want := run(t, one, g, 7)
	run(t, two, nasbench201(8, 1, 10, image, cell(3, max3, zero, skip)), 1) // leaves its traces in scratch memory
	if got := run(t, two, g, 7); got != want {
		t.Errorf("with 2 threads %v, with 1 %v", got, want)
	}
	if got := run(t, one, g, 8); got == want {
		t.Error("the seed changes nothing")
	}
}

// TestDropped: what is dropped depends on the seed and the step, not on the threads
// or on what was trained before.
func TestDropped(t *testing.T) {
	g := newBuilder("drop", image...).then("conv_bn", "out", 4).then("drop_path").then("noise").then("dropout")
	g.op("sum", []graph.Ref{0, 1, 3})
	net := g.classifier(10)
	one, two := newTrainer(t, quick(), 1), newTrainer(t, quick(), 3)
	want := run(t, one, net, 7)
	run(t, two, net, 8)
	if got := run(t, two, net, 7); got != want {
		t.Errorf("with 3 threads %v, with 1 %v", got, want)
	}
}

// TestLearns trains for long enough that chance (10 %) is far away.
func TestLearns(t *testing.T) {
	s := quick()
	s.Train, s.Epochs, s.BatchSize = 1000, 3, 16
	tr := newTrainer(t, s, 2)
	g := nasbench201(8, 1, 10, image, cell(3, conv3, skip, conv3))
	var epochs []Epoch
	m, err := tr.Test(context.Background(), Job{Graph: g, Seed: 1}, func(e Epoch) { epochs = append(epochs, e) })
	if err != nil {
		t.Fatal(err)
	}
	if m.Accuracy < 50 || len(epochs) != 3 || epochs[2].TrainLoss > epochs[0].TrainLoss/1.5 {
		t.Errorf("test %v after %v", m, epochs)
	}
	if epochs[2].Number != 3 || epochs[2].Of != 3 || epochs[2].Valid.Accuracy < 50 {
		t.Errorf("last epoch %v", epochs[2])
	}
	short := 0
	if _, err := tr.Run(context.Background(), Job{Graph: g, Seed: 1, Epochs: 1}, func(Epoch) { short++ }); err != nil || short != 1 {
		t.Errorf("%d epochs instead of the one asked for (%v)", short, err)
	}
}

// TestFamilies trains a network of each family of operations until its loss is well
// below that of a guess, 2.3. A transformer needs more examples than a test has
// time for to tell others apart, but it can learn few by heart.
func TestFamilies(t *testing.T) {
	mobile := newBuilder("mobile", image...).then("conv_bn_act", "out", 8, "act", "h_swish").
		then("mbconv", "expand", 3, "out", 16, "stride", 2, "se", true, "act", "h_swish").
		then("grouped_mbconv", "expand", 2, "groups", 2).then("shuffle", "out", 32, "stride", 2).then("shuffle_xception")
	tokens := newBuilder("tokens", image...).then("patch_embed", "dim", 16, "size", 4)
	for range 2 {
		x := tokens.Output
		tokens.then("layer_norm").then("attention", "heads", 2, "width", 8, "reach", 3)
		y := tokens.op("sum", []graph.Ref{x, tokens.Output})
		tokens.then("layer_norm").then("feed_forward", "ratio", 2)
		tokens.op("sum", []graph.Ref{y, tokens.Output})
	}
	tokens.then("layer_norm").then("global_pool").then("linear", "out", 10)
	tokens.Nodes[len(tokens.Nodes)-1].Shape = graph.Shape{10}
	speech := newBuilder("speech", image...).then("conv_bn_relu", "out", 8, "stride", 2).
		then("adaptive_pool", "height", 8, "width", 1).then("conv_relu", "out", 24, "kernel", 3).then("frame_norm").then("lstm", "units", 32)
	for _, c := range []struct {
		g                *graph.Graph
		examples, epochs int
		rate, loss       float64
	}{
		{mobile.classifier(10), 1000, 4, 0.1, 1.6},
		{tokens.Graph, 160, 25, 0.05, 0.7},
		{speech.classifier(10), 1000, 4, 0.1, 1.9},
	} {
		s := quick()
		s.Train, s.Epochs, s.Lr = c.examples, c.epochs, c.rate
		var last float64
		if _, err := newTrainer(t, s, 2).Run(context.Background(), Job{Graph: c.g, Seed: 1}, func(e Epoch) { last = e.TrainLoss }); err != nil {
			t.Fatal(err)
		}
		if last > c.loss {
			t.Errorf("%s: a loss of %v after %d epochs, want at most %v", c.g.Name, last, c.epochs, c.loss)
		}
	}
}

// TestSmoothing: the loss in training is that of smoothed labels, the one that is
// reported is not.
func TestSmoothing(t *testing.T) {
	s := quick()
	s.Lr = 0
	losses := func(smoothing float64) (train, valid float64) {
		s.Smoothing = smoothing
		m, err := newTrainer(t, s, 2).Run(context.Background(), Job{Graph: mixed(10), Seed: 1, Epochs: 1}, func(e Epoch) { train = e.TrainLoss })
		if err != nil {
			t.Fatal(err)
		}
		return train, m.Loss
	}
	train, valid := losses(0)
	smooth, same := losses(0.5)
	if valid != same || math.Abs(train-smooth) < 1e-4 {
		t.Errorf("training losses %v and %v, of the validation %v and %v", train, smooth, valid, same)
	}
}

func TestNoPath(t *testing.T) {
	tr := newTrainer(t, quick(), 2)
	for _, g := range []*graph.Graph{
		nasbench201(4, 1, 10, image, cell(4, zero, zero, zero, zero, zero, zero)),
		newBuilder("dead", image...).then("zero").then("global_pool").then("linear", "out", 10).Graph,
	} {
		g.Nodes[len(g.Nodes)-1].Shape = graph.Shape{10}
		if m := run(t, tr, g, 1); m.Accuracy > 25 {
			t.Errorf("%s: accuracy %v without a path from the image", g.Name, m.Accuracy)
		}
	}
	// With every edge absent the residual blocks still pass the image on; cut
	// the network in two instead.
	cut := newBuilder("cut", image...).then("conv_bn", "out", 4).then("zero").then("conv_bn", "out", 4).classifier(10)
	if m := run(t, tr, cut, 1); m.Accuracy != 10 {
		t.Errorf("accuracy %v with a constant output, want that of chance", m.Accuracy)
	}
}

func TestDivergence(t *testing.T) {
	s := quick()
	s.Lr, s.Clip = 1e30, 0
	tr := newTrainer(t, s, 2)
	_, err := tr.Run(context.Background(), Job{Graph: mixed(10), Seed: 1}, ignore)
	if err == nil || !strings.HasPrefix(err.Error(), "training diverged: the loss is ") {
		t.Fatalf("error %v", err)
	}
	// What a failed training leaves behind does not reach the next.
	tr.settings = quick()
	if got, want := run(t, tr, mixed(10), 7), run(t, newTrainer(t, quick(), 1), mixed(10), 7); got != want {
		t.Errorf("after a failure %v, else %v", got, want)
	}
}

func TestCancel(t *testing.T) {
	tr := newTrainer(t, quick(), 2)
	ctx, cancel := context.WithCancel(context.Background())
	epochs := 0
	_, err := tr.Run(ctx, Job{Graph: mixed(10), Seed: 1}, func(Epoch) { epochs++; cancel() })
	if !errors.Is(err, context.Canceled) || epochs != 1 {
		t.Errorf("error %v after %d epochs", err, epochs)
	}
}

func TestMismatch(t *testing.T) {
	tr := newTrainer(t, quick(), 1)
	two := mixed(10)
	two.Inputs = append(two.Inputs, two.Inputs[0])
	for _, c := range []struct {
		g    *graph.Graph
		want string
	}{
		{nasbench201(4, 1, 10, []int{3, 32, 32}, cell(2, skip)), "architecture takes images of shape [3, 32, 32], but those of glyphs have [1, 16, 16]; size=32 and color=true draw them so"},
		{nasbench201(4, 1, 10, []int{2, 32, 32}, cell(2, skip)), "architecture takes images of shape [2, 32, 32], but those of glyphs have [1, 16, 16]"},
		{mixed(12), "architecture gives [12], but glyphs needs one number for each of its 10 classes, [10]"},
		{two, "architecture has 2 inputs; images are one"},
		{newBuilder("q", 1, 16, 16).then("fourier").classifier(10), `0:fourier: no implementation of the op "fourier" for training`},
	} {
		if _, err := tr.Run(context.Background(), Job{Graph: c.g, Seed: 1}, ignore); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// TestRandomArchitectures trains what a first search meets.
func TestRandomArchitectures(t *testing.T) {
	s := quick()
	s.Train, s.Epochs = 32, 1
	tr := newTrainer(t, s, 2)
	r := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		g, name := quickstart(r, 10)
		if _, err := tr.Run(context.Background(), Job{Graph: g, Seed: 1}, ignore); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeclarations checks that a network that differs from its declaration is
// refused rather than trained.
func TestDeclarations(t *testing.T) {
	tr := newTrainer(t, quick(), 1)
	for _, c := range []struct {
		change func(*graph.Node)
		want   string
	}{
		{func(n *graph.Node) { n.Params = 41 }, "0:conv_bn: conv_bn has 44 trainable numbers, but its declaration says 41"},
		{func(n *graph.Node) { n.Shape = graph.Shape{4, 8, 8} }, "0:conv_bn: conv_bn gives [4, 16, 16], but its declaration says [4, 8, 8]"},
	} {
		g := mixed(10)
		c.change(g.Nodes[0])
		if _, err := tr.Run(context.Background(), Job{Graph: g, Seed: 1}, ignore); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// TestParams builds architectures of NAS-Bench-201 and compares the number of
// trainable parameters with the benchmark's own.
func TestParams(t *testing.T) {
	check := func(arch string, want float64) {
		t.Helper()
		byName := map[string]edge{"none": zero, "skip_connect": skip, "nor_conv_1x1": conv1, "nor_conv_3x3": conv3, "avg_pool_3x3": avg3}
		var edges []edge
		for _, e := range strings.FieldsFunc(arch, func(r rune) bool { return r == '|' || r == '+' }) {
			name, _, _ := strings.Cut(e, "~")
			edges = append(edges, byName[name])
		}
		ws := kernel.NewWorkers(1)
		defer ws.Close()
		n, err := newNetwork(nasbench201(16, 5, 10, []int{3, 32, 32}, cell(4, edges...)), ws, 1, 0, objective{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(n.weights.count) / 1e6; math.Abs(got-want) > 5e-7 {
			t.Errorf("%s has %v million parameters, want %v", arch, got, want)
		}
	}
	check("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 0.073306)
	rows := publishedParams(t)
	for i := 0; i < len(rows); i += 1500 {
		check(rows[i].arch, rows[i].params)
	}
}

type published struct {
	arch   string
	params float64
}

func publishedParams(t *testing.T) []published {
	t.Helper()
	data := os.Getenv("NASC_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(data, "nasbench201.csv.gz"))
	if err != nil {
		t.Skipf("no NAS-Bench-201 table: %v", err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var rows []published
	lines := bufio.NewScanner(zr)
	lines.Scan() // index,arch,params_cifar10_m,…
	for lines.Scan() {
		cells := strings.Split(lines.Text(), ",")
		p, err := strconv.ParseFloat(cells[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, published{cells[1], p})
	}
	return rows
}

// TestPlugin goes through the SDK's types.
func TestPlugin(t *testing.T) {
	d, err := Plugin.Description()
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "nasc/train" || len(d.Components) != 1 || d.Components[0].Name != "train" {
		t.Errorf("described as %+v", d)
	}
	s := quick()
	s.Dataset, s.Data = "idx", t.TempDir()
	_, err = start(sdk.Env{Threads: 2}, s)
	var p *sdk.Problem
	if !errors.As(err, &p) || p.Path != "parameters.data" || !strings.Contains(p.Message, "is missing") {
		t.Errorf("a missing file is reported as %v", err)
	}
	far := quick()
	far.Shift = 16
	if _, err := start(sdk.Env{}, far); !errors.As(err, &p) || p.Path != "parameters.shift" {
		t.Errorf("a shift out of the image is reported as %v", err)
	}
	e, err := start(sdk.Env{Threads: 2}, quick())
	if err != nil {
		t.Fatal(err)
	}
	defer e.(io.Closer).Close()
	if facts := e.(sdk.Reporter).Facts(); facts["dataset"] != "glyphs" || facts["dataset.test.sha256"] == "" {
		t.Errorf("facts %v", facts)
	}
	var c sdk.Candidate
	c.Graph, c.Seed = mixed(10), 3
	var texts []string
	m, err := e.Evaluate(context.Background(), c, func(p sdk.Progress) { texts = append(texts, p.Text) })
	if err != nil || m.Epochs != 2 || m.Values["accuracy"] <= 0 || len(m.Values) != 2 {
		t.Errorf("metrics %v, %v", m, err)
	}
	if len(texts) != 2 || !strings.HasPrefix(texts[1], "epoch 2: loss ") {
		t.Errorf("progress %q", texts)
	}
	tm, err := e.(sdk.Tester).Test(context.Background(), c, func(sdk.Progress) {})
	if err != nil || tm.Values["accuracy"] <= 0 {
		t.Errorf("test metrics %v, %v", tm, err)
	}
	c.Graph = mixed(11)
	if _, err := e.Evaluate(context.Background(), c, func(sdk.Progress) {}); !errors.As(err, &p) || p.Path != "architecture" {
		t.Errorf("a wrong architecture is reported as %v", err)
	}
}

// BenchmarkStep is a training step of a NAS-Bench-201 network of 8 channels and
// one cell per stage on 16x16 images, batch 64, on two threads.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name  string
		edges []edge
	}{
		{"conv3x3", []edge{conv3, conv3, conv3, conv3, conv3, conv3}},
		{"mixed", []edge{conv3, skip, avg3, zero, conv1, conv3}},
		{"pooling", []edge{max3, max3, avg3, avg3, skip, max3}},
		{"separable", []edge{sep5, sep5, sep5, sep5, sep5, sep5}},
	} {
		b.Run(c.name, func(b *testing.B) {
			ws := kernel.NewWorkers(2)
			defer ws.Close()
			n, err := newNetwork(nasbench201(8, 1, 10, image, cell(4, c.edges...)), ws, 64, 1, objective{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			o := optim.New(optim.SGD{Momentum: 0.9, Nesterov: true}, n.params)
			b.ReportAllocs()
			for b.Loop() {
				if err := n.step(context.Background()); err != nil {
					b.Fatal(err)
				}
				o.Step(ws, n.grads, 0.01)
			}
			b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
			b.ReportMetric(float64(n.training.Memory())/(1<<20), "MiB")
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	g := mixed(10)
	for b.Loop() {
		if _, err := newNetwork(g, ws, 64, 1, objective{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
