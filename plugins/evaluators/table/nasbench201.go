package table

import (
	"github.com/nasc-project/nasc/compiler/graph"
	space "github.com/nasc-project/nasc/spaces/nasbench201"
	"github.com/nasc-project/nasc/spaces/natssize"
)

// NAS-Bench-201 and both spaces of NATS-Bench train on the same data sets.
//
//	data set         validation is of trainings on          test is of trainings on
//	cifar10          cifar10-valid: 25,000 images           cifar10: all 50,000
//	cifar100         cifar100                               cifar100
//	imagenet16-120   ImageNet16-120                         ImageNet16-120
//	cifar10-valid    cifar10-valid                          cifar10-valid
//
// Validation on CIFAR-10 is on the other 25,000 training images. The benchmark has no
// validation of trainings on all 50,000, so one cannot be taken for the other.
var natsDatasets = []dataset{
	{name: "cifar10", search: "cifar10-valid", report: "cifar10", main: accuracy, others: []measure{loss}},
	{name: "cifar100", search: "cifar100", report: "cifar100", main: accuracy, others: []measure{loss}},
	{name: "imagenet16-120", search: "ImageNet16-120", report: "ImageNet16-120", main: accuracy, others: []measure{loss}},
	{name: "cifar10-valid", search: "cifar10-valid", report: "cifar10-valid", main: accuracy, others: []measure{loss}, hidden: true},
}

var ofTopology = benchmark{
	id: "nasbench201", title: "NAS-Bench-201", space: "spaces/nasbench201",
	recognise: func(g *graph.Graph) (string, error) {
		a, err := space.Recognise(g)
		return a.String(), err
	},
	resolve:  resolveCell201,
	datasets: natsDatasets, fallback: "cifar10", epochs: 12,
}

var ofSizes = benchmark{
	id: "nats-sss", title: "NATS-Bench size", space: "spaces/natssize",
	recognise: func(g *graph.Graph) (string, error) {
		a, err := natssize.Recognise(g)
		return a.String(), err
	},
	resolve:  resolveSizes,
	datasets: natsDatasets, fallback: "cifar10", epochs: 12,
}
