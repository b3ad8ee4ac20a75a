package reproduce

// nasBench201 is the comparison of methods that NAS-Bench-201 began with. Its two
// rows for random search and regularized evolution, and local search beside them,
// follow the published code; where that differs from the text of a paper, the
// optimizers say so and have a parameter for it.
var nasBench201 = Study{
	Name:  "nasbench201",
	Title: "Random search, regularized evolution and local search on NAS-Bench-201",
	Protocol: "Each run evaluates 100 architectures by their CIFAR-10 validation accuracy after 12 epochs. " +
		"Reported is the test accuracy, in per cent, of the best of them after 200 epochs on three data sets.",
	File:  "reproduce/nasbench201.nas",
	Seeds: 500,
	Data: Data{
		What:    "the results of NAS-Bench-201",
		Setting: "data",
		Table:   "nasbench201.nasb",
		Imports: []Import{
			{Name: "nasbench201.csv.gz", Kind: "csv"},
			{Name: "nasbench201.csv", Kind: "csv"},
			{Name: "NATS-tss-v1_0-3ffb9-simple", Kind: "nats-tss", Official: true, Size: "about 2 GB",
				From: "the links in the README of https://github.com/D-X-Y/NATS-Bench"},
			{Name: "NAS-Bench-201-v1_1-096897.pth", Kind: "nasbench201-pth", Official: true, Size: "4.7 GB",
				From: "the links in the README of https://github.com/D-X-Y/NAS-Bench-201"},
		},
	},
	Columns: []Column{{"cifar10", "CIFAR-10"}, {"cifar100", "CIFAR-100"}, {"imagenet16-120", "ImageNet16-120"}},
	Methods: []Method{
		{Point: "optimizer=random", Title: "random search", Reports: []Report{
			{0, []Value{{93.72, 0.38, 500}, {71.06, 1.07, 500}, {44.64, 1.21, 500}}},
			{1, []Value{{93.70, 0.36, 500}, {71.04, 1.07, 500}, {44.57, 1.25, 500}}},
		}},
		{Point: "optimizer=regularized_evolution", Title: "regularized evolution", Reports: []Report{
			{0, []Value{{93.91, 0.40, 500}, {71.82, 1.18, 500}, {45.35, 1.27, 500}}},
			{1, []Value{{93.92, 0.30, 500}, {71.84, 0.99, 500}, {45.54, 1.03, 500}}},
		}},
		{Point: "optimizer=local_search", Title: "local search", Reports: []Report{
			{0, []Value{{94.19, 0.27, 500}, {72.59, 0.90, 500}, {45.82, 0.89, 500}}},
		}},
	},
	Sources: []Source{
		{Same: true, Text: "the rules of the published code (github.com/D-X-Y/AutoDL-Projects, exps/NATS-algos; " +
			"github.com/naszilla/naszilla), repeated on the public table apart from nasc: 500 runs of 100 evaluations"},
		{Text: "Dong and Yang, NAS-Bench-201, ICLR 2020: 500 runs of 12,000 simulated seconds, which are 103 to " +
			"110 evaluations, on the first version of the table"},
	},
}
