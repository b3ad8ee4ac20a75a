import { nasbench201 } from "./nasbench201.nas"
import { darts_pt, darts_pt_fixed, gdas, sdarts_adv, sdarts_rs } from "std/oneshot"
import plugin "nasc/oneshot" version "~> 0.1" as one
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/nasbench201/oneshot-drift.nas --set arch_lr=0.01 --report table --set report.data=nasbench201.nasb
//
// What comes of it is in docs/one-shot.md.

/// DARTS that measures the eigenvalue of every epoch and goes on whatever it is.
let watched = one.shot(guard: one.eigenvalue(eigen_after: 1_000_000))

/// DARTS-ES that lets alpha learn for 20 epochs before it may end the search.
let darts_es_late = one.shot(guard: one.eigenvalue(eigen_after: 20))

/// How DARTS drifts to skips, and what becomes of methods that mean to prevent it, at a
/// size at which it shows in seconds: NAS-Bench-201 with four channels and one cell a
/// stage, on drawn digits of 8 by 8 pixels. With a rate of 0.01 alpha moves as far in 60
/// short epochs as in days of a published search. The benchmark says what each
/// architecture is worth in its own network.
search drift over nasbench201(image: [1, 8, 8], c: 4, n: 1) {
    optimizer = watched | darts_es_late | sdarts_rs | sdarts_adv | darts_pt | darts_pt_fixed | gdas
    evaluator = train(
        dataset:        "glyphs",
        size:           8,
        train:          640,
        valid:          640,
        test:           640,
        supernet_batch: 64,
        epochs:         1,
    )
    retrain   = nasbench201
    budget    = epochs(60)
    seed      = 0..4
    maximize accuracy
}
