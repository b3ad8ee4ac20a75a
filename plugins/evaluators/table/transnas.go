package table

import (
	"github.com/nasc-project/nasc/spaces/transnasbench101"
)

// TransNAS-Bench-101 has seven tasks and judges them by different measures, all of
// which are better when higher: room_layout has its loss negated. No task is the usual
// one, so one must be chosen.
var ofTasks = benchmark{
	id: "transnasbench101", title: "TransNAS-Bench-101", space: "spaces/transnasbench101 (micro or macro)",
	recognise: transnasbench101.Recognise,
	resolve:   resolveTransNAS,
	datasets: []dataset{
		task("class_scene", accuracy, loss),
		task("class_object", accuracy, loss),
		task("jigsaw", accuracy, loss),
		task("room_layout", measure{name: "neg_loss", metric: "neg_loss", doc: "negated loss", higher: true}),
		task("segmentsemantic", measure{name: "accuracy", metric: "acc", doc: "accuracy of pixels", unit: "%", higher: true},
			measure{name: "miou", metric: "mIoU", doc: "mean intersection over union", unit: "%", higher: true}, loss),
		task("normal", ssim), task("autoencoder", ssim),
	},
}

var ssim = measure{name: "ssim", metric: "ssim", doc: "structural similarity", higher: true}

func task(name string, main measure, others ...measure) dataset {
	return dataset{name: name, search: name, report: name, main: main, others: others}
}
