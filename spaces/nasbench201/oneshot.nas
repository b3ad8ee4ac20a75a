import { nasbench201 } from "./nasbench201.nas"
import { darts } from "std/oneshot"
import plugin "nasc/train" version "~> 0.1" as train

// nasc run spaces/nasbench201/oneshot.nas --set data=DIR --report table --set report.data=X.nasb
//
// DIR holds the binary files of CIFAR-10, X.nasb the table (`nasc bench`).

/// The published search on NAS-Bench-201: 16 channels, five cells a stage, the training
/// images of CIFAR-10 in two halves, batches of 64, SGD with Nesterov momentum along a
/// cosine from 0.025 to 0.001.
///
/// Dong and Yang, "NAS-Bench-201", ICLR 2020. Epochs are 50 for DARTS and 250 for
/// GDAS, RSPS and ENAS there, 100 in the papers of SDARTS and DrNAS.
search published over nasbench201 {
    optimizer = darts
    evaluator = train(
        dataset:    "cifar10",
        data:       "cifar10",
        train:      25000,
        valid:      25000,
        flip:       true,
        shift:      4,
        epochs:     200,
        batch_size: 256,
    )
    budget    = epochs(50)
    seed      = 777
    maximize accuracy
}
