import { conv_bn_relu, max_pool, global_pool, linear } from "std/vision"
import { project, add, merge } from "std/nasbench101"

block vertex = conv_bn_relu(kernel: 1) | conv_bn_relu(kernel: 3) | max_pool(kernel: 3)

/// Input, output and up to `vertices` - 2 vertices between them, any wiring. The
/// order of the vertices counts: it says who takes the channels that are left over.
cell module(x, out: int, vertices: int) {
    node v[vertices - 2] = vertex(add(if p in [x] then project(p) else p for p in any of prev))
    require edges >= 1 and edges <= 9
    return merge(if p in [x] then project(p) else p for p in any of prev, out: out)
}

/// Stem, three stacks of three modules, classifier.
block skeleton(image, module: op, c: int, classes: int)
    = image
    -> conv_bn_relu(out: c)
    -> module(out: c) * 3
    -> max_pool(kernel: 2, stride: 2) -> module(out: 2 * c) * 3
    -> max_pool(kernel: 2, stride: 2) -> module(out: 4 * c) * 3
    -> global_pool -> linear(out: classes)

/// NAS-Bench-101: one module of up to seven vertices and any wiring, each inner
/// vertex one of three operations.
///
/// Ying, Klein, Christiansen, Real, Murphy and Hutter, "NAS-Bench-101: Towards
/// Reproducible Neural Architecture Search", ICML 2019. The paper's 423,624 counts
/// graphs of at most nine edges up to isomorphism, after removing vertices that are
/// on no path from input to output; here are 1,538,083 of the 2^21 wirings, those
/// that keep an edge and at most nine after the removal, times 3^5 operations. `nasc
/// count --unique` finds the paper's number among them.
///
/// One-shot: relax a part of it, nasbench1shot1/space1.nas, space2.nas or space3.nas
space nasbench101(image: [3, 32, 32], c = 128, classes = 10, vertices = 7) -> [classes]
    = skeleton(image, module: module(vertices: vertices), c: c, classes: classes)
