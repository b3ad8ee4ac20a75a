package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/optimizers/evolution"
	"github.com/nasc-project/nasc/plugins/optimizers/local"
	"github.com/nasc-project/nasc/plugins/optimizers/random"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// The test binary is also every plugin and every host that the tests start: a
// variable says which.
const (
	pluginKey = "TEST_PLUGIN"
	hostKey   = "TEST_HOST"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(pluginKey); name != "" {
		servePlugin(name)
		return
	}
	if os.Getenv(hostKey) != "" {
		runHost()
		return
	}
	os.Exit(m.Run())
}

func servePlugin(name string) {
	switch name {
	case "nasc/evolution":
		sdk.Serve(evolution.Plugin)
	case "nasc/local":
		sdk.Serve(local.Plugin)
	case "nasc/random":
		sdk.Serve(random.Plugin)
	case "test/evaluator":
		sdk.Serve(evaluatorPlugin())
	case "test/lookup":
		sdk.Serve(lookupPlugin())
	case "test/oneshot":
		sdk.Serve(oneShotPlugin())
	case "test/trainer":
		sdk.Serve(trainerPlugin())
	case "test/operations":
		sdk.Serve(operationsPlugin())
	case "test/optimizer":
		sdk.Serve(optimizerPlugin())
	default:
		serveBadly(name)
	}
}

// die ends the process as a crash would.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

// command starts the test binary as a plugin.
func command(name string) Command {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Command{Path: self, Env: []string{pluginKey + "=" + name}, TLS: true}
}

func commands(names ...string) map[string]Command {
	out := map[string]Command{}
	for _, n := range names {
		out[n] = command(n)
	}
	return out
}

func newTestHost(t testing.TB, o Options) *Host {
	t.Helper()
	if o.Commands == nil {
		o.Commands = commands("nasc/evolution", "nasc/local", "nasc/random", "test/evaluator", "test/lookup", "test/optimizer")
	}
	h := New(o)
	h.backOff = time.Millisecond
	t.Cleanup(h.Close)
	return h
}

func start(t testing.TB, h *Host, name string) *Plugin {
	t.Helper()
	p, err := h.Start(t.Context(), name)
	if err != nil {
		t.Fatalf("%s: %v%s", name, err, notes(err))
	}
	return p
}

// notes are the causes that a diagnostic gives.
func notes(err error) string {
	var d *diag.Diagnostic
	var b strings.Builder
	if errors.As(err, &d) {
		for _, n := range d.Notes {
			fmt.Fprintf(&b, "\n  = %s", n.Text)
		}
	}
	return b.String()
}

// fails tests that err is a diagnostic of a code about a plugin.
func fails(t *testing.T, err error, code string, parts ...string) *diag.Diagnostic {
	t.Helper()
	var d *diag.Diagnostic
	var list diag.List
	if errors.As(err, &list) && len(list) > 0 {
		d = list[0]
	} else if !errors.As(err, &d) {
		t.Fatalf("got %v, not a diagnostic", err)
	}
	text := d.Message + notes(d) + " help: " + d.Help + " source: " + d.Source
	if d.Code != code {
		t.Errorf("code %s, not %s: %s", d.Code, code, text)
	}
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
	return d
}

// testSpace has six decisions of five alternatives, as a cell of NAS-Bench-201.
func testSpace(t testing.TB) *space.Space {
	t.Helper()
	root := &space.Group{}
	for n := range 3 {
		for e := range n + 1 {
			d := &space.Decision{Address: fmt.Sprintf("n[%d].edge[%d]", n, e), Kind: space.OneOf}
			for a := range 5 {
				d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint("op", a)})
			}
			root.Decisions = append(root.Decisions, d)
		}
	}
	s, err := space.New("test", root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// landscape is a score with several optima.
func landscape(g space.Genotype) float64 {
	sum := 0.0
	for i, v := range g {
		sum += math.Sin(float64(v*7+int64(i)*3)) * float64(i+1)
	}
	return sum
}

func told(trial int64, g space.Genotype) wire.Told {
	return wire.Told{Trial: trial, Metrics: wire.Validation{Values: []float64{landscape(g)}}}
}

var maximize = []wire.Objective{{Metric: "score", Maximize: true}}

// oneOp is a graph of one operation with the attribute v.
func oneOp(v int64) *graph.Graph {
	shape := graph.Shape{3, 8, 8}
	return &graph.Graph{Name: "one", Kind: "space", Inputs: []graph.Input{{Name: "x", Shape: shape}},
		Nodes: []*graph.Node{{Name: "n", Op: "conv", Attrs: []graph.Attr{{Name: "v", Value: v}},
			Inputs: []graph.Ref{graph.InputRef(0)}, Shape: shape}}}
}

func trial(number, v int64) wire.Job {
	return wire.Job{Number: number, Graph: wire.OneGraph(oneOp(v)), Seed: uint64(number)}
}

// ---------------------------------------------------------------- plugins

type evaluatorParams struct {
	Nan       int     `default:"-1" doc:"the value whose score is not a number"`
	Fail      int     `default:"-1" doc:"the value that fails"`
	Panic     int     `default:"-1" doc:"the value that panics"`
	Die       int     `default:"-1" doc:"the value that kills the process"`
	DieAlways bool    `default:"false" doc:"every value kills the process"`
	DieOnce   string  `default:"" doc:"a file; while it exists the process removes it and dies"`
	Extra     bool    `default:"false" doc:"report an undeclared metric"`
	Missing   bool    `default:"false" doc:"report no metric"`
	Slow      bool    `default:"false" doc:"wait for the end of the call"`
	Child     bool    `default:"false" doc:"start a process"`
	Print     int     `default:"0" doc:"bytes to print without a newline"`
	Env       string  `default:"" doc:"a variable to report as a fact"`
	Limit     int     `default:"5" min:"1" max:"10" doc:"nothing"`
	Mode      string  `default:"a" choices:"a,b" doc:"nothing"`
	Rate      float64 `default:"0.5" min:"0" max:"1" doc:"nothing"`
}

type evaluator struct {
	sdk.Env
	evaluatorParams
	facts map[string]string
}

func evaluatorPlugin() sdk.Plugin {
	metric := func(n string) []sdk.Metric { return []sdk.Metric{{Name: n, HigherIsBetter: true}} }
	return sdk.Plugin{Name: "test/evaluator", Version: "1.2.3", Evaluators: []sdk.EvaluatorSpec{
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "value", Metrics: metric("score"), TestMetrics: metric("test_score"), Deterministic: true},
			func(e sdk.Env, p evaluatorParams) (sdk.Evaluator, error) {
				if p.Limit == 7 {
					return nil, sdk.Refuse("limit", "must not be seven")
				}
				v := &evaluator{Env: e, evaluatorParams: p, facts: map[string]string{"data": "sha256:00"}}
				if p.Env != "" {
					v.facts["env"], v.facts["all"] = os.Getenv(p.Env), strings.Join(os.Environ(), "\n")
				}
				if p.Child {
					c := exec.Command("sleep", "1000")
					if err := c.Start(); err != nil {
						return nil, err
					}
					v.facts["child"] = fmt.Sprint(c.Process.Pid)
				}
				return v, nil
			}),
	}}
}

func (e *evaluator) Facts() map[string]string { return e.facts }

func (e *evaluator) Evaluate(ctx context.Context, c sdk.Candidate, progress func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	v, _ := c.Graph.Nodes[0].Int("v")
	if e.Print > 0 {
		chunk := strings.Repeat("x", 1000)
		for range e.Print / 1000 {
			fmt.Fprint(os.Stdout, chunk)
			fmt.Fprint(os.Stderr, chunk)
			write(1, []byte(chunk))
			write(2, []byte(chunk))
		}
		write(2, []byte("\n{\"@level\": 7, \"@message\": \"odd\"}\n{\"@level\": \"info\", \"@message\": []}\n"))
		write(2, []byte(`{"@level":"info","@message":"m","@timestamp":5}`+"\n"))
	}
	if e.DieOnce != "" && os.Remove(e.DieOnce) == nil || v == e.Die || e.DieAlways {
		die()
	}
	progress(sdk.Progress{Fraction: 0.5, Text: fmt.Sprint("half of ", v)})
	m := sdk.ValidationMetrics{Values: map[string]float64{"score": float64(v) + float64(c.Seed%7)/10}, Epochs: 1}
	switch {
	case e.Slow:
		<-ctx.Done()
		return m, ctx.Err()
	case v == e.Nan:
		m.Values["score"] = math.NaN()
	case v == e.Fail:
		return m, fmt.Errorf("value %d fails", v)
	case v == e.Panic:
		panic("value panics")
	case e.Missing:
		m.Values = nil
	case e.Extra:
		m.Values["test_score"] = 1
	}
	return m, nil
}

func (e *evaluator) Test(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.TestMetrics, error) {
	v, _ := c.Graph.Nodes[0].Int("v")
	return sdk.TestMetrics{Values: map[string]float64{"test_score": float64(v) * 2}}, nil
}

func (e *evaluator) Resolve(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	labels, ok := strings.CutPrefix(text, "own:")
	switch {
	case !ok:
		return nil, false, nil
	case labels == "bad":
		return nil, true, &sdk.Problem{Path: "architecture", Message: "the string is cut"}
	}
	out := map[string]string{}
	for i, l := range strings.Split(labels, ",") {
		out[decisions[i].Address] = l
	}
	return out, true, nil
}

// lookup is an evaluator as a table is one: shared, and of few words.
type lookup struct {
	lookupParams
	recognised atomic.Int64
}

type lookupParams struct {
	Bias float64 `default:"0" doc:"what is added"`
	Sick int     `default:"-1" doc:"the value that cannot be recognised"`
	Die  int     `default:"-1" doc:"the value that kills the process"`
	Wait int     `default:"-1" doc:"the value that takes until it is cancelled"`
}

func lookupPlugin() sdk.Plugin {
	metric := func(n string) []sdk.Metric { return []sdk.Metric{{Name: n, HigherIsBetter: true}} }
	return sdk.Plugin{Name: "test/lookup", Version: "1.0.0", Evaluators: []sdk.EvaluatorSpec{
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "value", Metrics: metric("score"), TestMetrics: metric("recognised"), Deterministic: true, Shared: true},
			func(_ sdk.Env, p lookupParams) (sdk.Evaluator, error) { return &lookup{lookupParams: p}, nil }),
	}}
}

func (l *lookup) Recognise(g *graph.Graph) (any, error) {
	l.recognised.Add(1)
	v, _ := g.Nodes[0].Int("v")
	if v == l.Sick {
		panic("cannot read it")
	}
	return v, nil
}

func (l *lookup) Evaluate(ctx context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	v := c.Key.(int)
	switch v {
	case l.Die:
		die()
	case l.Wait:
		<-ctx.Done()
		return sdk.ValidationMetrics{}, ctx.Err()
	}
	return sdk.ValidationMetrics{Values: map[string]float64{"score": float64(v) + l.Bias}, Epochs: 1}, nil
}

// Test tells how many graphs this value has recognised, its own included.
func (l *lookup) Test(context.Context, sdk.Candidate, func(sdk.Progress)) (sdk.TestMetrics, error) {
	return sdk.TestMetrics{Values: map[string]float64{"recognised": float64(l.recognised.Load())}}, nil
}

type optimizerParams struct {
	Do    string `default:"" doc:"what to do wrong"`
	After int    `default:"0" doc:"from which trial on"`
	Once  string `default:"" doc:"a file; only while it exists, which this removes"`
	Until string `default:"" doc:"a file to wait for"`
}

type optimizer struct {
	sdk.Search
	optimizerParams
	proposed int
}

func optimizerPlugin() sdk.Plugin {
	return sdk.Plugin{Name: "test/optimizer", Version: "0.0.1", Optimizers: []sdk.OptimizerSpec{
		sdk.NewOptimizer(sdk.OptimizerInfo{Name: "wrong", Shared: true}, func(s sdk.Search, p optimizerParams) (sdk.Optimizer, error) {
			if p.Do == "panic at start" {
				panic("oh no")
			}
			return &optimizer{Search: s, optimizerParams: p}, nil
		}),
		sdk.NewOptimizer(sdk.OptimizerInfo{Name: "flat", DecisionKinds: []space.Kind{space.Range}},
			func(s sdk.Search, p struct{}) (sdk.Optimizer, error) { return nil, nil }),
	}}
}

func (o *optimizer) Ask(n int) ([]space.Genotype, error) {
	g := o.Space.Sample(o.Rand("g", uint64(o.proposed)))
	due := o.proposed >= o.After && (o.Once == "" || os.Remove(o.Once) == nil)
	o.proposed++
	if !due {
		return []space.Genotype{g}, nil
	}
	switch o.Do {
	case "die":
		die()
	case "wait":
		for {
			if _, err := os.Stat(o.Until); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
	case "outside":
		g[0] = 5
	case "short":
		g = g[:3]
	case "too many":
		return []space.Genotype{g, g}, nil
	case "none":
		return nil, nil
	case "done":
		return nil, sdk.ErrDone
	case "panic":
		panic("in Ask")
	case "error":
		return nil, errors.New("no idea\x1b[31m left")
	case "panic aside":
		go panic("in a goroutine")
		time.Sleep(time.Minute)
	case "pid":
		g[0] = int64(os.Getpid() % 5)
	}
	return []space.Genotype{g}, nil
}

func (o *optimizer) Tell([]sdk.Trial) error { return nil }
