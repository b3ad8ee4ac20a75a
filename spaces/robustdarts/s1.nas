import { skip, max_pool, avg_pool, sep_conv, dil_conv, align, conv_bn, global_pool,
         linear } from "std/vision"

/// The two candidates of each edge of the normal cell. Edges count from 0, node by
/// node, and there by the vertex they come from.
block normal_ops(e: int)
    = max_pool(kernel: 3) if e in [5, 10]
    | skip if e <= 11
    | sep_conv(kernel: 3) if e in [3, 6, 7, 9]
    | dil_conv(kernel: 3) if e in [0, 4, 8, 11, 12, 13]
    | dil_conv(kernel: 5) if e in [1, 2, 12, 13]

/// The two candidates of each edge of the reduction cell.
block reduce_ops(e: int, stride: int)
    = max_pool(kernel: 3, stride: stride) if e in [0, 1, 2, 3, 5, 6, 9, 10]
    | avg_pool(kernel: 3, stride: stride) if e in [0, 2, 3, 5, 9, 10]
    | skip(stride: stride) if e in [4, 7, 8, 11, 12, 13]
    | sep_conv(kernel: 3, stride: stride) if e == 6
    | dil_conv(kernel: 3, stride: stride) if e in [1, 7]
    | dil_conv(kernel: 5, stride: stride) if e in [4, 8, 11, 12, 13]

/// Applies the candidates of the edge from `x` to the node after `seen`.
block edge(x, seen: set, ops: op) {
    source = if x in [seen[0]] then 0
        else if x in [seen[1]] then 1
        else if x in [seen[2]] then 2
        else if x in [seen[3]] then 3
        else 4
    return x -> ops(e: len(seen) * (len(seen) - 1) / 2 - 1 + source)
}

cell normal(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(edge(p, prev, ops: normal_ops) for p in 2 of prev)
    return concat(n)
}

cell reduce(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(
        edge(p, prev, ops: reduce_ops(stride: if p in inputs then 2 else 1)) for p in 2 of prev,
    )
    return concat(n)
}

/// RobustDARTS S1: DARTS with two operations per edge, those that a search had
/// weighed most.
///
/// Zela, Elsken, Saikia, Marrakchi, Brox and Hutter, "Understanding and Robustifying
/// Differentiable Architecture Search", ICLR 2020. Each cell: 180 wirings times 2^8
/// operations.
space robustdarts_s1(image: [3, 32, 32], c = 16, n = 2, classes = 10) -> [classes]
    = image
    -> conv_bn(out: 3 * c)
    -> normal(c: c) * n
    -> reduce(c: 2 * c)
    -> normal(c: 2 * c) * n
    -> reduce(c: 4 * c)
    -> normal(c: 4 * c) * n
    -> global_pool -> linear(out: classes)
