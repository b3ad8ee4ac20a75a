// Package table is the evaluator that looks architectures up in NAS-Bench-201
// (Dong and Yang, ICLR 2020; NATS-Bench's topology space): all 15,625 cells of
// the space were trained once, so a search costs nothing but its own thinking.
//
// An architecture is recognised from its graph alone: whatever made it, if it is
// a network of NAS-Bench-201 the table knows it, and if not, the error says
// which node does not fit.
//
// Which column answers which question is fixed here, since mixing up cifar10
// and cifar10-valid is the standard mistake with this benchmark:
//
//	data set         validation               seconds per epoch     test
//	cifar10          cifar10_valid_{12,200}   cifar10_valid_epoch_s cifar10_test_200
//	cifar100         cifar100_valid_{12,200}  cifar100_epoch_s      cifar100_test_200
//	imagenet16-120   imagenet16_valid_{12,200} imagenet16_epoch_s   imagenet16_test_200
//
// Validation on cifar10 is that of networks trained on half of its training
// images (25,000, the benchmark's cifar10-valid) and validated on the other
// half; test accuracy is that of networks trained on all 50,000. Searching on
// the 12-epoch validation and reporting the 200-epoch test is the published
// protocol and the default.
package table

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// Plugin is nasc/table.
var Plugin = sdk.Plugin{
	Name:    "nasc/table",
	Version: "0.1.0",
	Doc:     "Looks architectures up in the results of NAS-Bench-201.",
	Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(sdk.EvaluatorInfo{
		Name: "table",
		Doc:  "Validation and test accuracy of NAS-Bench-201 (15,625 cells, three data sets), read from a CSV file.",
		Metrics: []sdk.Metric{
			{Name: "accuracy", Doc: "validation accuracy on the data set, mean over the benchmark's seeds", Unit: "%", HigherIsBetter: true},
		},
		TestMetrics: []sdk.Metric{
			{Name: "accuracy", Doc: "test accuracy on the data set after 200 epochs", Unit: "%", HigherIsBetter: true},
			{Name: "cifar10", Doc: "test accuracy on CIFAR-10 after 200 epochs", Unit: "%", HigherIsBetter: true},
			{Name: "cifar100", Doc: "test accuracy on CIFAR-100 after 200 epochs", Unit: "%", HigherIsBetter: true},
			{Name: "imagenet16-120", Doc: "test accuracy on ImageNet16-120 after 200 epochs", Unit: "%", HigherIsBetter: true},
		},
		Deterministic: true,
		Shared:        true,
	}, start)},
}

// Settings are the parameters of the evaluator.
type Settings struct {
	Data    string `doc:"the CSV file with the results, plain or gzip"`
	Dataset string `default:"cifar10" choices:"cifar10,cifar100,imagenet16-120" doc:"the data set to search on"`
	Epochs  int    `default:"12" min:"12" max:"200" doc:"training that validation accuracy stands for: 12 or 200 epochs"`
}

// columns are the prefixes of the columns of a data set.
type columns struct{ valid, seconds, test string }

var datasets = map[string]columns{
	"cifar10":        {"cifar10_valid", "cifar10_valid_epoch_s", "cifar10_test_200"},
	"cifar100":       {"cifar100_valid", "cifar100_epoch_s", "cifar100_test_200"},
	"imagenet16-120": {"imagenet16_valid", "imagenet16_epoch_s", "imagenet16_test_200"},
}

// The places of the columns that are kept of every row.
const (
	validation12 = iota
	validation200
	epochSeconds
	testChosen
	testCIFAR10
	testCIFAR100
	testImageNet16
	kept
)

// Evaluator answers from one table.
type Evaluator struct {
	settings Settings
	table    *Table
}

func start(_ sdk.Env, s Settings) (sdk.Evaluator, error) {
	if s.Epochs != 12 && s.Epochs != 200 {
		return nil, sdk.Refuse("epochs", "must be 12 or 200, not %d", s.Epochs)
	}
	if s.Data == "" {
		return nil, sdk.Refuse("data", "must name the file with the results")
	}
	d := datasets[s.Dataset]
	t, err := Open(s.Data, []string{
		validation12:   d.valid + "_12",
		validation200:  d.valid + "_200",
		epochSeconds:   d.seconds,
		testChosen:     d.test,
		testCIFAR10:    datasets["cifar10"].test,
		testCIFAR100:   datasets["cifar100"].test,
		testImageNet16: datasets["imagenet16-120"].test,
	})
	if err != nil {
		return nil, sdk.Refuse("data", "cannot be used: %v", err)
	}
	return &Evaluator{settings: s, table: t}, nil
}

// Evaluate returns the validation accuracy and, as simulated seconds, the time
// that the training took when the benchmark was made.
func (e *Evaluator) Evaluate(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	epochs := c.Epochs
	if epochs == 0 {
		epochs = e.settings.Epochs
	}
	column := validation12
	switch epochs {
	case 12:
	case 200:
		column = validation200
	default:
		return sdk.ValidationMetrics{}, &sdk.Problem{Path: "epochs",
			Message: fmt.Sprintf("the table has results after 12 and 200 epochs, not after %d", epochs)}
	}
	row, err := e.row(c)
	if err != nil {
		return sdk.ValidationMetrics{}, err
	}
	return sdk.ValidationMetrics{
		Values:           map[string]float64{"accuracy": row[column]},
		SimulatedSeconds: float64(epochs) * row[epochSeconds],
		Epochs:           float64(epochs),
	}, nil
}

// Test returns the accuracies after 200 epochs on all three data sets.
func (e *Evaluator) Test(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.TestMetrics, error) {
	row, err := e.row(c)
	if err != nil {
		return sdk.TestMetrics{}, err
	}
	return sdk.TestMetrics{Values: map[string]float64{
		"accuracy":       row[testChosen],
		"cifar10":        row[testCIFAR10],
		"cifar100":       row[testCIFAR100],
		"imagenet16-120": row[testImageNet16],
	}}, nil
}

func (e *Evaluator) row(c sdk.Candidate) ([]float64, error) {
	a, err := nasbench201.Recognise(c.Graph)
	if err != nil {
		return nil, &sdk.Problem{Path: "architecture", Message: "this is no network of NAS-Bench-201: " + err.Error(),
			Help: "search the space spaces/nasbench201"}
	}
	return e.table.Row(a), nil
}

// Facts pin the table and the protocol for the run's manifest.
func (e *Evaluator) Facts() map[string]string {
	d := datasets[e.settings.Dataset]
	return map[string]string{
		"table.sha256":     e.table.SHA256,
		"table.rows":       strconv.Itoa(nasbench201.Architectures),
		"table.validation": fmt.Sprintf("%s_%d", d.valid, e.settings.Epochs),
		"table.test":       d.test,
	}
}
