// Package wire says what nasc and its plugins talk about, and turns it into the
// messages of plugins/proto and back.
//
// The types here are plain Go: the host (runtime/host) and the Go SDK
// (plugins/sdk) both work with them, and neither touches a message elsewhere.
// Conversions are pure. Whatever arrives is checked, since the other side may be
// written in another language, of another version, or wrong: a bad message is an
// error and never a panic, and costs no more memory than its own size suggests.
package wire

import (
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// MaxMessage is the largest message, in bytes, that either side accepts. Weights
// and data sets go by file, never by message.
const MaxMessage = 64 << 20

// Window is how many bytes may be on their way in one direction, of a stream and of
// a connection. Without it gRPC measures what the connection can bear, for which it
// sends a message of its own with many of ours.
const Window = 4 << 20

// ComponentKind tells optimizers and evaluators apart.
type ComponentKind string

// The kinds of component.
const (
	OptimizerKind ComponentKind = "optimizer"
	EvaluatorKind ComponentKind = "evaluator"
)

// Description is what a plugin tells about itself.
type Description struct {
	Name       string // "nasc/evolution"
	Version    string // "0.1.0"
	Doc        string // one paragraph
	Components []Component
	// Signatures declare the operations that the plugin offers, as a module of the
	// language; see package signatures.
	Signatures string `json:",omitempty"`
}

// Component is one optimizer or evaluator that a plugin offers.
type Component struct {
	Kind       ComponentKind
	Name       string // "regularized"
	Doc        string
	Parameters []Parameter
	// DecisionKinds are the kinds of decision that an optimizer handles; none
	// means all.
	DecisionKinds []space.Kind
	// Metrics are what an evaluator's Evaluate reports, TestMetrics what its
	// Test reports. They are exhaustive.
	Metrics     []Metric
	TestMetrics []Metric
	// Deterministic evaluators give equal results for equal requests, so that
	// results may be reused for equal architectures.
	Deterministic bool
	// Shared: one process may serve several searches at once.
	Shared bool
	// Ends: an optimizer goes through what it has to propose once, whatever it is
	// told, and is then done. A search with it needs no budget.
	Ends bool
	// Varies: what an evaluator reports depends on its settings. Metrics are then
	// what it usually reports.
	Varies bool
	// OneShot: an optimizer searches a supernet, with an evaluator that trains them.
	OneShot bool
	// Supernets: an evaluator trains supernets.
	Supernets bool
	// Operations: an evaluator has operations of plugins computed by their processes.
	Operations bool `json:",omitempty"`
}

// Reports are what an evaluator reports with certain settings, where that varies.
type Reports struct {
	Metrics       []Metric // may be none: then nothing can be searched for
	TestMetrics   []Metric
	Deterministic bool
}

// Type is the type of a parameter.
type Type string

// The types of parameters and, as Go types of their values, int64, float64,
// bool and string.
const (
	Int    Type = "int"
	Real   Type = "real"
	Bool   Type = "bool"
	String Type = "string"
)

// Parameter is a typed setting of a component.
type Parameter struct {
	Name     string
	Doc      string
	Type     Type
	Default  any      // int64, float64, bool or string; nil: must be given
	Min, Max *float64 // inclusive bounds of int and real; nil: none
	Choices  []string // what a string may be; none: anything
}

// Settings are the values of parameters by name: int64, float64, bool or string.
type Settings map[string]any

// Metric is a number that an evaluator reports.
type Metric struct {
	Name           string
	Doc            string
	Unit           string // "%", "s" or nothing
	HigherIsBetter bool
}

// Objective is a metric to optimize.
type Objective struct {
	Metric   string
	Maximize bool
}

// Configuration starts one component.
type Configuration struct {
	Component string
	Settings  Settings // complete: every declared parameter has a value
	Seed      uint64
	WorkDir   string // for the plugin's own files; empty: it needs none
	Threads   int    // to keep busy; 0: the plugin's choice
	// Operations are where operations of plugins are computed, for an evaluator.
	Operations []OpsAddress
}

// OpsAddress is where a process computes the operations of a plugin for one evaluator.
type OpsAddress struct {
	Plugin  string // "me/swirl"
	Version string
	Socket  string // a path
	Secret  []byte // for who connects there
	Folder  string // for the files of tensors
	// Patience is how long a request may take; 0: as long as it likes.
	Patience time.Duration
}

// Source is how messages name the plugin: "me/swirl 0.1.0".
func (a OpsAddress) Source() string { return a.Plugin + " " + a.Version }

// Problem is an error about one parameter or one architecture.
type Problem struct {
	Path    string // "parameters.sample", "architecture"; empty: the whole request
	Message string // one sentence, lower case, no full stop
	Help    string
}

func (p *Problem) Error() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Help != "" {
		s += " (" + p.Help + ")"
	}
	return s
}

// ValidationMetrics are what an optimizer may learn of a trial.
type ValidationMetrics struct {
	Values map[string]float64
	// SimulatedSeconds is what this evaluation costs on the simulated clock of
	// a tabular benchmark; 0 for evaluators that really train.
	SimulatedSeconds float64
	Epochs           float64 // of training that the result stands for
}

// Validation is ValidationMetrics with values by the place of their names in a
// list that both sides know.
type Validation struct {
	Values           []float64
	SimulatedSeconds float64
	Epochs           float64
}

// TestMetrics are for the report only. They are a type of their own so that
// none can reach an optimizer.
type TestMetrics struct {
	Values map[string]float64
}

// Told is what an optimizer learns of a proposal that is finished. Failure is set
// when it has no result that counts; it then failed, unless Infeasible or
// Rejected says what else. A plugin that knows neither takes it as failed.
type Told struct {
	Trial int64 // proposals are numbered from 0
	// Metrics are in the order in which the optimizer's configuration names
	// them; there are none when the proposal failed or was rejected.
	Metrics    Validation
	Failure    string // why there is no result that counts
	Infeasible bool   // it was evaluated and violates a requirement of the search
	Rejected   bool   // it violates a constraint of the space and was not evaluated
}

// Job is one architecture to judge.
type Job struct {
	Number int64 // of its trial
	// Architecture names the graph: equal numbers other than 0 have equal graphs,
	// as long as the host lives. A graph is sent once to a process that can keep
	// what it makes of it. 0: the graph has no name and is always sent.
	Architecture uint64
	// Graph makes the graph, or returns one made before. It is called when the
	// process has to be sent the graph, from any goroutine, and may be called
	// again after a crash.
	Graph  func() (*graph.Graph, error)
	Seed   uint64 // of everything random in this evaluation
	Epochs int    // training effort; 0: as configured
}

// OneGraph is the Graph of a job whose graph is at hand.
func OneGraph(g *graph.Graph) func() (*graph.Graph, error) {
	return func() (*graph.Graph, error) { return g, nil }
}

// Event is progress of a job or, once for each, its result.
type Event struct {
	Number   int64 // of the job
	Progress *Progress
	Result   *Result
}

// Result is how a job ended.
type Result struct {
	// Metrics are in the order in which the evaluator's description declares
	// them, all finite; there are none when the job failed.
	Metrics Validation
	Failure *Problem // set when this architecture failed
}

// Progress is how far an evaluation has come.
type Progress struct {
	Fraction float64 // 0..1
	Text     string  // "epoch 3: loss 0.41, accuracy 91.2"
	Values   map[string]float64
}

// Choice is one decision of a space in words: what an evaluator needs to read
// its own notation of an architecture.
type Choice struct {
	Address string
	Kind    space.Kind
	Labels  []string // of the alternatives or items
}
