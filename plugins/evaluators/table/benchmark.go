package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// benchmark is what has to be known of a benchmark to answer from its file: how it
// names an architecture, and which of its numbers answers which question.
type benchmark struct {
	id    string // in the header of its file
	title string
	space string // where its architectures are declared, for people
	// recognise finds the benchmark's name of an architecture.
	recognise func(*graph.Graph) (string, error)
	// row finds the row of a name; nil: names in the file are those of recognise.
	row func(*source, string) (int, bool)
	// resolve reads the benchmark's notation as labels of a space's decisions;
	// nil: it has none.
	resolve func(text string, decisions []sdk.Choice) (map[string]string, bool, error)

	datasets []dataset
	fallback string // the data set where none is chosen; empty: one must be
	epochs   int    // of the training that searches are published with; 0: the longest
}

// dataset is a data set that can be searched on.
type dataset struct {
	name   string // what users call it
	search string // the file's data set of trainings that validation comes from
	report string // and of those that test comes from
	main   measure
	others []measure
	hidden bool // not among the data sets that a report lists
}

// measure is a quantity that a training is judged by.
type measure struct {
	name   string // of the metric here
	metric string // of the series in the file
	doc    string
	unit   string
	higher bool // is better
	best   bool // of the epochs up to the one asked for, as the benchmark defines it
}

var (
	accuracy = measure{name: "accuracy", metric: "accuracy", doc: "accuracy", unit: "%", higher: true}
	loss     = measure{name: "loss", metric: "loss", doc: "loss"}
)

// benchmarks in the order in which they are tried.
var benchmarks = []*benchmark{&ofTopology, &ofModules, &ofSizes, &ofTasks, &ofSpeech}

// benchmarkOf is the benchmark of a file.
func benchmarkOf(id string) (*benchmark, error) {
	for _, b := range benchmarks {
		if b.id == id {
			return b, nil
		}
	}
	var known []string
	for _, b := range benchmarks {
		known = append(known, b.id)
	}
	return nil, fmt.Errorf("is about %q; searches can use tables of %s", id, strings.Join(known, ", "))
}

// dataset finds a data set by what the user calls it.
func (b *benchmark) dataset(name string) (dataset, error) {
	var names []string
	if name == "" {
		name = b.fallback
	}
	for _, d := range b.datasets {
		if strings.EqualFold(d.name, name) {
			return d, nil
		}
		names = append(names, d.name)
	}
	p := &sdk.Problem{Path: "parameters.dataset", Help: "it has " + strings.Join(names, ", "),
		Message: fmt.Sprintf("dataset is %q, which %s does not have", name, b.title)}
	if name == "" {
		p.Message = fmt.Sprintf("dataset must say which of the %d data sets of %s to search on", len(names), b.title)
	} else if near, ok := diag.Suggest(strings.ToLower(name), names); ok {
		p.Help = "did you mean `" + near + "`? " + p.Help
	}
	return dataset{}, p
}

// network is an architecture that was recognised: the key of a candidate. It keeps
// what tables say of it, so that asking again is cheap.
type network struct {
	benchmark *benchmark
	name      string
	known     answered
}

// Recognise finds out which architecture of which benchmark a graph is. The answer
// does not depend on the settings: searches that share a process share it.
func (e *Evaluator) Recognise(g *graph.Graph) (any, error) {
	name, err := e.benchmark.recognise(g)
	if err == nil {
		return &network{benchmark: e.benchmark, name: name}, nil
	}
	for _, b := range benchmarks {
		if b == e.benchmark {
			continue
		}
		if name, err := b.recognise(g); err == nil {
			return &network{benchmark: b, name: name}, nil
		}
	}
	return nil, &sdk.Problem{Path: "architecture", Message: fmt.Sprintf("this is no network of %s: %v", e.benchmark.title, err),
		Help: "search the space " + e.benchmark.space}
}

// reported lists the data sets that a report tells of.
func (b *benchmark) reported() []dataset {
	return slices.DeleteFunc(slices.Clone(b.datasets), func(d dataset) bool { return d.hidden })
}
