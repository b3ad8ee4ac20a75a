import { noise, sep_conv, align, conv_bn, global_pool,
         linear } from "std/vision"

block edge(stride = 1)
    = noise(stride: stride)
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

/// RobustDARTS S4: noise or separable 3x3 convolutions, so that a good search never
/// chooses the former.
///
/// Zela, Elsken, Saikia, Marrakchi, Brox and Hutter, "Understanding and Robustifying
/// Differentiable Architecture Search", ICLR 2020. Each cell: 180 wirings times 2^8
/// operations.
space robustdarts_s4(image: [3, 32, 32], c = 16, n = 2, classes = 10) -> [classes]
    = image
    -> conv_bn(out: 3 * c)
    -> normal(c: c) * n
    -> reduce(c: 2 * c)
    -> normal(c: 2 * c) * n
    -> reduce(c: 4 * c)
    -> normal(c: 4 * c) * n
    -> global_pool -> linear(out: classes)
