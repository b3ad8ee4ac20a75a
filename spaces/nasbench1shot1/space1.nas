import { vertex, skeleton } from "../nasbench101/nasbench101.nas"
import { project, add, merge } from "std/nasbench101"

cell module(x, out: int) {
    node v1 = vertex(add(if p in [x] then project(p) else p for p in 1 of prev))
    node v2 = vertex(add(if p in [x] then project(p) else p for p in 2 of prev))
    node v3 = vertex(add(if p in [x] then project(p) else p for p in 2 of prev))
    node v4 = vertex(add(if p in [x] then project(p) else p for p in 2 of prev))
    return merge(if p in [x] then project(p) else p for p in 2 of prev, out: out)
}

/// NAS-Bench-1Shot1, search space 1: the part of NAS-Bench-101 in which four vertices have
/// 1, 2, 2 and 2 parents, the output two.
///
/// Zela, Siems and Hutter, "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot
/// Neural Architecture Search", ICLR 2020.
/// 180 wirings times 3^4 operations are 14,580. The paper's 6,240 is the sum over
/// wirings of 3 to the number of vertices that are read.
space nasbench1shot1_1(image: [3, 32, 32], c = 16, classes = 10) -> [classes]
    = skeleton(image, module: module, c: c, classes: classes)
