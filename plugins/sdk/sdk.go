// Package sdk is what a plugin author uses: declare optimizers, evaluators and
// operations ([NewOp]) as ordinary Go values and hand them to [Serve].
//
//	type params struct {
//		Sample int `default:"3" min:"1" doc:"how many to compare"`
//	}
//
//	func main() {
//		sdk.Serve(sdk.Plugin{
//			Name: "me/best_of", Version: "0.1.0",
//			Optimizers: []sdk.OptimizerSpec{
//				sdk.NewOptimizer(sdk.OptimizerInfo{Name: "best_of"}, newBestOf),
//			},
//		})
//	}
//
//	func newBestOf(s sdk.Search, p params) (sdk.Optimizer, error) { … }
//
// The host always calls and a plugin never calls back, but for a one-shot optimizer
// ([NewOneShot]): it is handed a supernet, whose calls the host takes to the evaluator
// that trains it. Everything random draws from the streams of [Env.Rand], so that a
// plugin that is killed and started anew gives the same answers to the same calls;
// the host depends on it.
//
// The package takes care of the process: it ends when its host is gone, accepts
// large messages, turns a panic in plugin code into an error of that one call,
// and sends what plugin code prints to the host's log.
package sdk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Plugin is one process with its components.
type Plugin struct {
	Name       string // "nasc/evolution": owner and name
	Version    string // "0.1.0"
	Doc        string // one paragraph
	Optimizers []OptimizerSpec
	Evaluators []EvaluatorSpec
	// Signatures declare the operations that the plugin offers to spaces, as a module of
	// the language: an `op` for each of Ops, and a `block` for each that is made of others.
	Signatures string
	Ops        []OpSpec
}

// The types that plugins and host share, under shorter names.
type (
	// Objective is a metric to optimize.
	Objective = wire.Objective
	// Metric is a number that an evaluator reports.
	Metric = wire.Metric
	// ValidationMetrics are the results of Evaluate.
	ValidationMetrics = wire.ValidationMetrics
	// TestMetrics are the results of Test, which no optimizer ever sees.
	TestMetrics = wire.TestMetrics
	// Progress is how far an evaluation has come.
	Progress = wire.Progress
	// Choice is one decision of a space in words.
	Choice = wire.Choice
	// Reports are what an evaluator reports with its settings.
	Reports = wire.Reports
	// Problem is an error about one parameter or architecture.
	Problem = wire.Problem
)

// Trial is a finished proposal, as an optimizer learns of it. Failure is set when
// it has no result that counts; it then failed, unless Infeasible or Rejected says
// what else.
type Trial struct {
	Trial      int64 // proposals are numbered from 0
	Genotype   space.Genotype
	Metrics    ValidationMetrics // empty when it failed or was rejected
	Failure    string            // why there is no result that counts
	Infeasible bool              // it was evaluated and violates a requirement of the search
	Rejected   bool              // it violates a constraint of the space and was not evaluated
}

// Env is what every component gets when it starts.
type Env struct {
	Seed    uint64       // of everything random
	WorkDir string       // of an evaluator in a run: a folder for its files, which it makes itself and loses when the run is finished; else empty
	Threads int          // to keep busy; 0: as it likes
	Log     *slog.Logger // to the host's log
	// Operations are those of plugins that architectures may have, for an evaluator that
	// says that it can do with them; else nil.
	Operations *remote.Operations
}

// Rand returns the random stream of a name and a counter. Equal arguments give
// equal streams; different ones are independent.
func (e Env) Rand(name string, counter uint64) *rand.Rand { return stream.New(e.Seed, name, counter) }

// Search is what an optimizer gets when it starts. For an optimizer that learns
// from vectors, compiler/encode makes them: encode.OneHot(s.Space).
type Search struct {
	Env
	Space      *space.Space
	Objectives []Objective // in order of importance, at least one
}

// Score is the first objective of a trial, turned so that more is better. It is
// not ok when the trial failed, violates a requirement of the search (Infeasible;
// its metrics are there for an optimizer that can use them) or was refused by a
// constraint of the space (Rejected).
func (s Search) Score(t Trial) (score float64, ok bool) {
	o := s.Objectives[0]
	v, ok := t.Metrics.Values[o.Metric]
	if !ok || t.Failure != "" {
		return 0, false
	}
	if !o.Maximize {
		v = -v
	}
	return v, true
}

// ErrDone is what Ask returns when an optimizer has nothing more to propose.
var ErrDone = errors.New("nothing more to propose")

// Optimizer proposes architectures and learns from their results. Calls come
// one at a time.
type Optimizer interface {
	// Ask returns up to n architectures to evaluate. Fewer than n means that
	// results must be told first; none, that some proposed trials have yet to
	// be told. The error is ErrDone at the end.
	Ask(n int) ([]space.Genotype, error)
	// Tell reports finished trials in the order of their numbers. Trial numbers
	// count proposed architectures from 0. A rejected one is told before the
	// others are finished.
	Tell(trials []Trial) error
}

// OptimizerInfo describes an optimizer.
type OptimizerInfo struct {
	Name string
	Doc  string
	// DecisionKinds are the kinds of decision it can handle; none means all.
	DecisionKinds []space.Kind
	// Shared: one process may serve several searches. Each has a value of its
	// own, and the code keeps no global state.
	Shared bool
	// Ends: it goes through what it has to propose once, whatever it is told, and
	// then says ErrDone. A search with it needs no budget.
	Ends bool
}

// OptimizerSpec is an optimizer that a plugin offers; NewOptimizer makes one.
type OptimizerSpec struct {
	info       OptimizerInfo
	parameters []wire.Parameter
	err        error
	start      func(Search, wire.Settings) (Optimizer, error)
	search     func(Search, wire.Settings) (OneShot, error) // instead of start, of a one-shot optimizer
}

// NewOptimizer declares an optimizer with parameters P, a struct whose fields
// are described by tags; see [Parameters].
func NewOptimizer[P any](info OptimizerInfo, start func(Search, P) (Optimizer, error)) OptimizerSpec {
	parameters, err := Parameters[P]()
	return OptimizerSpec{info: info, parameters: parameters, err: err,
		start: func(s Search, values wire.Settings) (Optimizer, error) {
			p, err := fill[P](values)
			if err != nil {
				return nil, err
			}
			return start(s, p)
		}}
}

// NewOneShot declares a one-shot optimizer with parameters P, a struct whose fields
// are described by tags; see [Parameters].
func NewOneShot[P any](info OptimizerInfo, start func(Search, P) (OneShot, error)) OptimizerSpec {
	parameters, err := Parameters[P]()
	return OptimizerSpec{info: info, parameters: parameters, err: err,
		search: func(s Search, values wire.Settings) (OneShot, error) {
			p, err := fill[P](values)
			if err != nil {
				return nil, err
			}
			return start(s, p)
		}}
}

// NewOneShotOf declares a one-shot optimizer whose parameters are known only when the
// plugin starts, as those of a catalogue of components. start gets a value for each of
// them, which [Fill] puts into structs. err is a mistake in the parameters, told when the
// plugin is served.
func NewOneShotOf(info OptimizerInfo, parameters []wire.Parameter, err error, start func(Search, wire.Settings) (OneShot, error)) OptimizerSpec {
	return OptimizerSpec{info: info, parameters: parameters, err: err,
		search: func(s Search, values wire.Settings) (OneShot, error) {
			values, err := checked(parameters, values)
			if err != nil {
				return nil, err
			}
			return start(s, values)
		}}
}

// StartOneShot makes the one-shot optimizer in this process, for tests of its author.
// Settings that are not given have their defaults.
func (o OptimizerSpec) StartOneShot(s Search, settings wire.Settings) (OneShot, error) {
	all, err := o.complete(settings)
	if err != nil {
		return nil, err
	}
	return o.search(s, all)
}

// Start makes the optimizer in this process, for tests of its author. Settings
// that are not given have their defaults.
func (o OptimizerSpec) Start(s Search, settings wire.Settings) (Optimizer, error) {
	all, err := o.complete(settings)
	if err != nil {
		return nil, err
	}
	return o.start(s, all)
}

// complete adds the defaults to settings.
func (o OptimizerSpec) complete(settings wire.Settings) (wire.Settings, error) {
	if o.err != nil {
		return nil, o.err
	}
	all := wire.Settings{}
	for _, p := range o.parameters {
		if p.Default != nil {
			all[p.Name] = p.Default
		}
	}
	for name, v := range settings {
		all[name] = v
	}
	return all, nil
}

// Candidate is an architecture to judge.
type Candidate struct {
	Number int64 // of the trial, in the log of its search
	// Graph is the architecture; nil for a [Recogniser], which has Key instead.
	Graph  *graph.Graph
	Key    any    // what the evaluator recognised the graph as
	Seed   uint64 // of everything random in this evaluation
	Epochs int    // training effort; 0: as configured
}

// Rand returns the random stream of this candidate's seed, a name and a counter.
func (c Candidate) Rand(name string, counter uint64) *rand.Rand {
	return stream.New(c.Seed, name, counter)
}

// Evaluator judges architectures. Calls come one at a time; a host that wants
// two evaluations at once starts two processes.
//
// An evaluator may also be a [Tester], a [Resolver], a [Reporter], a [Describer] and
// a [Recogniser].
type Evaluator interface {
	// Evaluate reports the declared validation metrics of c. It should return
	// soon after ctx is cancelled. An error fails this candidate alone.
	Evaluate(ctx context.Context, c Candidate, progress func(Progress)) (ValidationMetrics, error)
}

// Tester measures an architecture on the held-out test split, with the same
// configuration that Evaluate uses.
type Tester interface {
	Test(ctx context.Context, c Candidate, progress func(Progress)) (TestMetrics, error)
}

// Resolver reads architectures in a notation of its own, such as a benchmark's
// string: labels of the alternatives to take, by decision address. recognised
// tells whether the text is in that notation at all; an error, that it is but
// makes no sense.
type Resolver interface {
	Resolve(architecture string, decisions []Choice) (labels map[string]string, recognised bool, err error)
}

// Describer tells what is reported with the settings that the evaluator was started
// with, where its [EvaluatorInfo] says that this varies.
type Describer interface {
	Describe() Reports
}

// Recogniser turns graphs into keys, such as rows of a table. Then an architecture
// that several trials, or several searches, have in common is sent to a process and
// recognised once: candidates have the key and no graph. The key is kept in memory
// and must not be changed; an error fails the candidate.
type Recogniser interface {
	Recognise(g *graph.Graph) (key any, err error)
}

// Reporter tells facts for the run's manifest: hashes of data sets and splits,
// versions of tables.
type Reporter interface {
	Facts() map[string]string
}

// EvaluatorInfo describes an evaluator.
type EvaluatorInfo struct {
	Name string
	Doc  string
	// Metrics are what Evaluate reports, all of them each time; TestMetrics what
	// Test reports.
	Metrics     []Metric
	TestMetrics []Metric
	// Deterministic: equal candidates, seeds apart, give equal results.
	Deterministic bool
	// Shared: one process may serve several searches. Each has a value of its
	// own, and the code keeps no global state that changes.
	Shared bool
	// Varies: what is reported depends on the settings, and the evaluator is a
	// [Describer]. Metrics and TestMetrics are what it usually reports.
	Varies bool
	// Supernets: the evaluator is a [SupernetTrainer].
	Supernets bool
	// Operations: the evaluator has operations of plugins computed by [Env.Operations].
	Operations bool
}

// EvaluatorSpec is an evaluator that a plugin offers; NewEvaluator makes one.
type EvaluatorSpec struct {
	info       EvaluatorInfo
	parameters []wire.Parameter
	err        error
	start      func(Env, wire.Settings) (Evaluator, error)
}

// NewEvaluator declares an evaluator with parameters P, a struct whose fields
// are described by tags; see [Parameters].
func NewEvaluator[P any](info EvaluatorInfo, start func(Env, P) (Evaluator, error)) EvaluatorSpec {
	parameters, err := Parameters[P]()
	return EvaluatorSpec{info: info, parameters: parameters, err: err,
		start: func(e Env, values wire.Settings) (Evaluator, error) {
			p, err := fill[P](values)
			if err != nil {
				return nil, err
			}
			return start(e, p)
		}}
}

// StartOptimizer makes the plugin's optimizer of a name in this process, for tests.
func (p Plugin) StartOptimizer(name string, s Search, settings wire.Settings) (Optimizer, error) {
	for _, o := range p.Optimizers {
		if o.info.Name == name && o.start != nil {
			return o.Start(s, settings)
		}
	}
	return nil, fmt.Errorf("%s has no optimizer %q", p.Name, name)
}

// Refuse is an error about the value of a parameter, which the host shows where
// the user wrote it: Refuse("sample", "must not exceed population").
func Refuse(parameter, format string, args ...any) error {
	return &Problem{Path: "parameters." + parameter, Message: parameter + " " + fmt.Sprintf(format, args...)}
}

// RefuseDecision is an error about a decision of the space that a component cannot
// handle, which the host shows where the decision is written.
func RefuseDecision(address, format string, args ...any) error {
	return &Problem{Path: "decisions." + address, Message: fmt.Sprintf(format, args...)}
}

// Description is what the plugin tells about itself, checked.
func (p Plugin) Description() (wire.Description, error) {
	d := wire.Description{Name: p.Name, Version: p.Version, Doc: p.Doc, Signatures: p.Signatures}
	if err := p.checkOps(); err != nil {
		return d, err
	}
	for _, o := range p.Optimizers {
		if o.err != nil {
			return d, fmt.Errorf("optimizer %q: %w", o.info.Name, o.err)
		}
		d.Components = append(d.Components, wire.Component{Kind: wire.OptimizerKind, Name: o.info.Name, Doc: o.info.Doc,
			Parameters: o.parameters, DecisionKinds: o.info.DecisionKinds, Shared: o.info.Shared, Ends: o.info.Ends, OneShot: o.search != nil})
	}
	for _, e := range p.Evaluators {
		if e.err != nil {
			return d, fmt.Errorf("evaluator %q: %w", e.info.Name, e.err)
		}
		d.Components = append(d.Components, wire.Component{Kind: wire.EvaluatorKind, Name: e.info.Name, Doc: e.info.Doc,
			Parameters: e.parameters, Metrics: e.info.Metrics, TestMetrics: e.info.TestMetrics, Deterministic: e.info.Deterministic,
			Shared: e.info.Shared, Varies: e.info.Varies, Supernets: e.info.Supernets, Operations: e.info.Operations})
	}
	return d, d.Check()
}
