import { nasbench201 } from "./nasbench201.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

/// A one-shot search of seconds, to see how one works: NAS-Bench-201 with four channels
/// and one cell a stage, on drawn digits of 8 by 8 pixels. The cell that is found is
/// tested in the network of the benchmark.
search tiny over nasbench201(image: [1, 8, 8], c: 4, n: 1) {
    optimizer = darts
    evaluator = train(
        dataset:        "glyphs",
        size:           8,
        train:          128,
        valid:          128,
        test:           128,
        supernet_batch: 16,
        epochs:         1,
    )
    retrain   = nasbench201(image: [1, 8, 8])
    budget    = epochs(3)
    seed      = 1
    maximize accuracy
}
