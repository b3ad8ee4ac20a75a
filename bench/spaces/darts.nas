import { zero, skip, max_pool, avg_pool, plain_batch_norm, sep_conv, dil_conv, align, conv_bn,
         global_pool, linear } from "std/vision"

block edge(stride = 1)
    = zero(stride: stride)
    | (max_pool(kernel: 3, stride: stride) -> plain_batch_norm)
    | (avg_pool(kernel: 3, stride: stride) -> plain_batch_norm)
    | skip(stride: stride)
    | sep_conv(kernel: 3, stride: stride)
    | sep_conv(kernel: 5, stride: stride)
    | dil_conv(kernel: 3, stride: stride)
    | dil_conv(kernel: 5, stride: stride)

cell normal(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(edge(prev))
    return concat(n)
}

cell reduce(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(edge(p, stride: if p in inputs then 2 else 1) for p in prev)
    return concat(n)
}

/// DARTS' supernet with four cells, the second and the third of them reductions, and
/// batch norm after pooling, as its authors search.
space darts(image: [3, 32, 32], c = 8, classes = 10) -> [classes]
    = image
    -> conv_bn(out: 3 * c)
    -> normal(c: c)
    -> reduce(c: 2 * c)
    -> reduce(c: 4 * c)
    -> normal(c: 4 * c)
    -> global_pool -> linear(out: classes)
