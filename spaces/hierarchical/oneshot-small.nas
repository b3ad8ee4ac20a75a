import { hierarchical } from "./hierarchical.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/hierarchical/oneshot-small.nas --optimizer gdas
//
// On CIFAR-10: --set dataset=images --set data=DIR. As published the winner has 64 channels:
// --set retrain.c=64.

/// A one-shot search of minutes in the hierarchical space: four channels, on drawn digits
/// in three colours or, by two settings, on CIFAR-10. Motifs and the cell that is made of
/// them are searched at once.
search small over hierarchical(c: 4) {
    optimizer = darts
    evaluator = train(
        dataset:    "glyphs",
        size:       32,
        color:      true,
        train:      800,
        valid:      800,
        test:       1000,
        flip:       true,
        shift:      4,
        epochs:     2,
        batch_size: 64,
    )
    retrain   = hierarchical(c: 8)
    budget    = epochs(3)
    seed      = 1
    maximize accuracy
}
