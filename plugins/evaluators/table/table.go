// Package table is the evaluator that looks architectures up in benchmarks whose
// architectures were all trained once, so that a search costs nothing but its own
// thinking: NAS-Bench-101 (and by it NAS-Bench-1Shot1), NAS-Bench-201, both spaces of
// NATS-Bench, TransNAS-Bench-101 and NAS-Bench-ASR. It reads the files that
// `nasc bench import` makes.
//
// An architecture is recognised from its graph alone: whatever made it, if it is a
// network of the benchmark the table knows it, and if not, the error says which node
// does not fit.
//
// Which of a benchmark's numbers answers which question is fixed here, a file for each
// benchmark, since mixing them up is the standard mistake with them. Searches see
// validation of the training that they pay for; the report has the test of the longest
// training. See docs/benchmarks.md.
package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Plugin is nasc/table.
var Plugin = sdk.Plugin{
	Name:    "nasc/table",
	Version: "0.2.0",
	Doc:     "Looks architectures up in published benchmarks, imported by `nasc bench import`.",
	Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(sdk.EvaluatorInfo{
		Name: "table",
		Doc: `Validation and test results of NAS-Bench-101 and 1Shot1, NAS-Bench-201, NATS-Bench,
TransNAS-Bench-101 and NAS-Bench-ASR. What is reported depends on the file: where
NAS-Bench-201 has accuracy, NAS-Bench-ASR has per, the phoneme error rate, and tasks of
TransNAS-Bench-101 have ssim or neg_loss. loss is reported where it was recorded, and
latency_DEVICE and energy_DEVICE for the devices in the file or in that of latency. The
test has every data set of the file, each under its name.`,
		Metrics: []sdk.Metric{
			{Name: "accuracy", Doc: "accuracy on the data set", Unit: "%", HigherIsBetter: true},
		},
		TestMetrics: []sdk.Metric{
			{Name: "accuracy", Doc: "test accuracy on the data set after the longest training", Unit: "%", HigherIsBetter: true},
		},
		Deterministic: true,
		Shared:        true,
		Varies:        true,
	}, start)},
}

// Settings are the parameters of the evaluator.
type Settings struct {
	Data     string `doc:"the imported benchmark, such as nasbench201.nasb; a bare name is also looked for in $NASC_DATA and in the user's folder for data of nasc"`
	Dataset  string `default:"" doc:"the data set or task to search on; nothing: cifar10, or timit, and a task of TransNAS-Bench-101 must be named"`
	Split    string `default:"valid" choices:"valid,train" doc:"what a search sees; test is for reports only"`
	Epochs   int    `default:"0" min:"0" max:"16384" doc:"of training; 0: as the benchmark is searched (NAS-Bench-201 12, NAS-Bench-101 108, else all)"`
	Schedule int    `default:"0" min:"0" max:"16384" doc:"epochs of the training that is looked into: 12 epochs of that of 200 are not the training of 12; 0: the one of just so many epochs, or the shortest longer one"`
	Seed     string `default:"mean" doc:"mean over the seeds of an architecture; drawn, one by the trial's seed; or a given one, such as 777"`
	Latency  string `default:"" doc:"a second imported benchmark with latencies or energies of the same architectures"`
	Devices  string `default:"" doc:"what counts, as in \"eyeriss, energy_fpga\": the latency and energy of a device, or one of them; nothing: all that were measured for every architecture. A search fails architectures for which something named was not measured"`
}

// answers are a table under certain settings, which searches of one process share.
type answers struct {
	settings  Settings
	benchmark *benchmark
	dataset   dataset
	main      *source
	latency   *source // nil: none
	seeds     seeds
	devices   []device
	question  *question // as configured; nil where there is no validation
	none      error     // why not
	testNames []string
	tests     []reading

	mu     sync.Mutex
	others map[int]*asked // by epochs that a trial asks for
}

type asked struct {
	*question
	problem error
}

// Evaluator answers from one table.
type Evaluator struct{ *answers }

func start(_ sdk.Env, s Settings) (sdk.Evaluator, error) {
	a, err := configure(s)
	if err != nil {
		return nil, err
	}
	return &Evaluator{a}, nil
}

// configured are the answers of this process by files and settings.
var configured struct {
	sync.Mutex
	known map[configuration]*answers
}

type configuration struct {
	Settings
	data, latency identity
}

func configure(s Settings) (*answers, error) {
	if s.Data == "" {
		return nil, sdk.Refuse("data", "must name the file with the results")
	}
	main, id, err := openParameter("data", s.Data)
	if err != nil {
		return nil, err
	}
	key := configuration{Settings: s, data: id}
	var latency *source
	if s.Latency != "" {
		if latency, key.latency, err = openParameter("latency", s.Latency); err != nil {
			return nil, err
		}
	}
	configured.Lock()
	defer configured.Unlock()
	if a := configured.known[key]; a != nil {
		return a, nil
	}
	a, err := prepare(s, main, latency)
	if err != nil {
		return nil, err
	}
	if configured.known == nil {
		configured.known = map[configuration]*answers{}
	}
	configured.known[key] = a
	return a, nil
}

// prepare checks settings against what the files have.
func prepare(s Settings, main, latency *source) (*answers, error) {
	a := &answers{settings: s, main: main, latency: latency, others: map[int]*asked{}}
	var err error
	if a.benchmark, err = benchmarkOf(main.Benchmark); err != nil {
		return nil, sdk.Refuse("data", "%v", err)
	}
	files := []*source{main}
	if latency != nil {
		if latency.Benchmark != main.Benchmark {
			return nil, sdk.Refuse("latency", "is about %s, and data about %s", latency.Benchmark, main.Benchmark)
		}
		files = append(files, latency)
	}
	if a.dataset, err = a.benchmark.dataset(s.Dataset); err != nil {
		return nil, err
	}
	if a.devices, err = devices(a.dataset, s.Devices, files...); err != nil {
		return nil, err
	}
	if latency != nil && !slices.ContainsFunc(latency.Series, func(s nasb.Series) bool { return s.Device != "" }) {
		return nil, sdk.Refuse("latency", "has no latency or energy on any device")
	}
	a.question, err = main.ask(a.benchmark, a.dataset, s.Split, s.Epochs, s.Schedule)
	var none errNone
	switch {
	case errors.As(err, &none):
		a.none = &sdk.Problem{Path: "parameters.data", Message: none.what + ", which a search needs", Help: main.searchable(a.benchmark, s.Split)}
	case err != nil:
		return nil, err
	}
	if a.seeds, err = seedsOf(s.Seed, main, a.question); err != nil {
		return nil, err
	}
	a.testNames, a.tests = main.examine(a.benchmark, a.dataset)
	if a.none != nil && len(a.tests) == 0 {
		return nil, a.none
	}
	return a, nil
}

// searchable says on which data sets a search can be done.
func (s *source) searchable(b *benchmark, split string) string {
	var have []string
	for _, d := range b.datasets {
		if len(s.find(d.search, split, d.main.metric)) > 0 {
			have = append(have, d.name)
		}
	}
	if have == nil {
		return "the file has tests only: `nasc eval --test` can use it"
	}
	return "it has those of " + strings.Join(have, ", ")
}

// Describe tells what is reported with these settings.
func (a *answers) Describe() sdk.Reports {
	out := sdk.Reports{Deterministic: a.seeds.mode != drawn}
	if q := a.question; q != nil {
		for _, r := range q.readings {
			out.Metrics = append(out.Metrics, sdk.Metric{Name: r.name, Unit: r.unit, HigherIsBetter: r.higher,
				Doc: fmt.Sprintf("%s on %s: %s", r.doc, a.dataset.name, a.main.Series[r.series])})
		}
		for _, d := range a.devices {
			out.Metrics = append(out.Metrics, d.metric)
		}
	}
	for i, r := range a.tests {
		out.TestMetrics = append(out.TestMetrics, sdk.Metric{Name: a.testNames[i], Unit: r.unit, HigherIsBetter: r.higher,
			Doc: a.main.Series[r.series].String()})
	}
	return out
}

// Evaluate returns the validation results and, as simulated seconds, the time that the
// training took when the benchmark was made.
func (e *Evaluator) Evaluate(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	n, err := e.network(c)
	if err != nil {
		return sdk.ValidationMetrics{}, err
	}
	if e.none != nil {
		return sdk.ValidationMetrics{}, e.none
	}
	q := e.question
	if c.Epochs != 0 && c.Epochs != q.epochs {
		if q, err = e.asked(c.Epochs); err != nil {
			return sdk.ValidationMetrics{}, err
		}
	}
	a := n.known.get(e.answers, q.epochs, func() *answer { return e.lookUp(n, q) })
	switch {
	case a.problem != nil:
		return sdk.ValidationMetrics{}, a.problem
	case len(a.results) == 1:
		return a.results[0], nil
	}
	return a.results[c.Rand("table", 0).IntN(len(a.results))], nil
}

// asked is the question for another number of epochs than the configured one.
func (a *answers) asked(epochs int) (*question, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.others[epochs]
	if q == nil {
		q = &asked{}
		q.question, q.problem = a.main.ask(a.benchmark, a.dataset, a.settings.Split, epochs, a.settings.Schedule)
		if q.problem == nil {
			q.problem = a.alike(q.question)
		}
		a.others[epochs] = q
	}
	return q.question, q.problem
}

// alike brings a question to the metrics of the configured one.
func (a *answers) alike(q *question) error {
	var readings []reading
	for _, want := range a.question.readings {
		i := slices.IndexFunc(q.readings, func(r reading) bool { return r.name == want.name })
		if i < 0 {
			return &sdk.Problem{Path: "epochs", Message: fmt.Sprintf("the file has no %s after %d epochs", want.doc, q.epochs)}
		}
		readings = append(readings, q.readings[i])
	}
	q.readings = readings
	return nil
}

// network is the recognised architecture of a candidate.
func (e *Evaluator) network(c sdk.Candidate) (*network, error) {
	if n, ok := c.Key.(*network); ok {
		return n, nil
	}
	key, err := e.Recognise(c.Graph)
	if err != nil {
		return nil, err
	}
	return key.(*network), nil
}

// Test returns the results of the report, on all data sets of the benchmark.
func (e *Evaluator) Test(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.TestMetrics, error) {
	n, err := e.network(c)
	if err != nil {
		return sdk.TestMetrics{}, err
	}
	return e.report(n)
}

// Resolve reads the benchmark's notation of an architecture.
func (e *Evaluator) Resolve(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if e.benchmark.resolve == nil {
		return nil, false, nil
	}
	return e.benchmark.resolve(strings.TrimSpace(text), decisions)
}

// Facts pin the table and the protocol for the run's manifest.
func (e *Evaluator) Facts() map[string]string {
	facts := map[string]string{
		"table.sha256":        e.main.SHA256,
		"table.benchmark":     e.benchmark.id,
		"table.architectures": fmt.Sprint(e.main.Len()),
		"table.seed":          e.settings.Seed,
	}
	if q := e.question; q != nil {
		r := q.readings[0]
		facts["table.validation"] = e.main.Series[r.series].String()
		if q.epochs > 0 {
			facts["table.validation"] += fmt.Sprintf(", after %d", q.epochs)
		}
		facts["table.seconds"] = q.clock.display
	}
	if len(e.tests) > 0 {
		facts["table.test"] = e.main.Series[e.tests[0].series].String()
	}
	if e.latency != nil {
		facts["latency.sha256"] = e.latency.SHA256
	}
	return facts
}
