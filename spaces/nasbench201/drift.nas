import { nasbench201 } from "./nasbench201.nas"
import { darts, darts_es, darts_pt, darts_pt_fixed, gdas, sdarts_adv, sdarts_rs } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

/// How DARTS drifts to skips, and what keeps other methods from it, at a size at which it
/// shows in minutes: NAS-Bench-201 with four channels and one cell a stage, on drawn
/// digits of 8 by 8 pixels. What the papers tell of takes days on CIFAR-10.
/// docs/one-shot.md says what comes of it. With the table of the benchmark:
///
///     nasc run spaces/nasbench201/drift.nas --report table --set report.data=nasbench201.nasb
search drift over nasbench201(image: [1, 8, 8], c: 4, n: 1) {
    optimizer = darts | sdarts_rs | sdarts_adv | darts_pt | darts_pt_fixed | darts_es | gdas
    evaluator = train(
        dataset:        "glyphs",
        size:           8,
        train:          640,
        valid:          640,
        test:           640,
        supernet_batch: 64,
        epochs:         1,
    )
    budget = epochs(160)
    seed   = 0..2
    maximize accuracy
}
