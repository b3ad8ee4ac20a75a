import { darts } from "./darts.nas"
import plugin "nasc/oneshot" version "~> 0.1" as one
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/darts/oneshot-small.nas --optimizer pc_darts --set dataset=images --set data=DIR
//
// The published set-up: --set c=16 --set n=2 --set train=25000 --set valid=25000 --set
// supernet_decay=0.0003 --set supernet_nesterov=false --budget 50epochs, and for the winner
// --set retrain.c=36 --set retrain.n=6 --set epochs=600 --set batch_size=96 --set lr=0.025
// --set cutout=16 --set auxiliary=0.4.

/// A one-shot search of minutes in the space of DARTS: four channels and five cells, on
/// drawn digits in three colours or, by two settings, on CIFAR-10.
search small over darts(c: 4, n: 1) {
    optimizer = one.shot
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
    retrain   = darts(c: 8, n: 1)
    budget    = epochs(5)
    seed      = 1
    maximize accuracy
}
