import { hierarchical } from "./hierarchical.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/hierarchical/oneshot-small.nas --optimizer gdas
//
// As published the winner has 64 channels: --set retrain.c=64.

/// A one-shot search of minutes in the hierarchical space: four channels, on drawn digits
/// in three colours of 16 by 16 pixels. Motifs and the cell that is made of them are
/// searched at once; its supernet has 1,110 mixtures, every motif being there on every
/// edge of the cell.
search small over hierarchical(image: [3, 16, 16], c: 4) {
    optimizer = darts
    evaluator = train(
        dataset:        "glyphs",
        size:           16,
        color:          true,
        train:          320,
        valid:          320,
        test:           1000,
        supernet_batch: 32,
        flip:           true,
        shift:          2,
        epochs:         2,
        batch_size:     64,
    )
    retrain   = hierarchical(image: [3, 16, 16], c: 8)
    budget    = epochs(3)
    seed      = 1
    maximize accuracy
}
