import { nasbench201 } from "./nasbench201.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/nasbench201/oneshot-small.nas
// nasc run spaces/nasbench201/oneshot-small.nas --optimizer gdas --seed 2
//
// On photographs: --set dataset=images --set data=DIR, where DIR holds CIFAR-10 as
// docs/training.md says.
//
// What is found is tested in the network of the benchmark, of 16 channels and five cells
// a stage: trained for two short epochs here, or looked up in the table of the full
// trainings, after every epoch of the search too, with --report table --set
// report.data=X.nasb.

/// A one-shot search of minutes on two cores: NAS-Bench-201 with eight channels and one
/// cell a stage, on drawn digits in three colours or, by two settings, on CIFAR-10. Half
/// of the examples are for weights and half for mixtures, as in the published searches;
/// epochs are short ones.
search small over nasbench201(c: 8, n: 1) {
    optimizer = darts
    evaluator = train(
        dataset:    "glyphs",
        size:       32,
        color:      true,
        train:      3200,
        valid:      3200,
        test:       1000,
        flip:       true,
        shift:      4,
        epochs:     2,
        batch_size: 64,
    )
    retrain   = nasbench201
    budget    = epochs(15)
    seed      = 1
    maximize accuracy
}
