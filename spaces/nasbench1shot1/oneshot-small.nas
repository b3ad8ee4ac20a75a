import { nasbench1shot1_3 } from "./space3.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/nasbench1shot1/oneshot-small.nas --report table --set report.data=X.nasb
//
// X.nasb is the table of NAS-Bench-101 (`nasc bench`), which knows networks of 128 channels.
// Without a table the winner is trained; --set retrain.c=16 makes that a matter of minutes.

/// A one-shot search of minutes in the third space of NAS-Bench-1Shot1: eight channels,
/// on drawn digits in three colours or, by two settings, on CIFAR-10.
search small over nasbench1shot1_3(c: 8) {
    optimizer = darts
    evaluator = train(
        dataset:    "glyphs",
        size:       32,
        color:      true,
        train:      1600,
        valid:      1600,
        test:       1000,
        flip:       true,
        shift:      4,
        epochs:     2,
        batch_size: 64,
    )
    retrain   = nasbench1shot1_3(c: 128)
    budget    = epochs(5)
    seed      = 1
    maximize accuracy
}
