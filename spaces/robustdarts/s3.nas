import { zero, skip, sep_conv, align, conv_bn, global_pool,
         linear } from "std/vision"

block edge(stride = 1)
    = zero(stride: stride)
    | skip(stride: stride)
    | sep_conv(kernel: 3, stride: stride)

cell normal(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(edge(2 of prev))
    return concat(n)
}

cell reduce(a, b, c: int) {
    inputs = align([a, b], out: c)
    node n[4] = sum(edge(p, stride: if p in inputs then 2 else 1) for p in 2 of prev)
    return concat(n)
}

/// RobustDARTS S3: S2 and the absent edge.
///
/// Zela, Elsken, Saikia, Marrakchi, Brox and Hutter, "Understanding and Robustifying
/// Differentiable Architecture Search", ICLR 2020. A relaxation weighs the absent
/// edge; an architecture never keeps it, so S3 has the architectures of S2.
space robustdarts_s3(image: [3, 32, 32], c = 16, n = 2, classes = 10) -> [classes]
    = image
    -> conv_bn(out: 3 * c)
    -> normal(c: c) * n
    -> reduce(c: 2 * c)
    -> normal(c: 2 * c) * n
    -> reduce(c: 4 * c)
    -> normal(c: 4 * c) * n
    -> global_pool -> linear(out: classes)
