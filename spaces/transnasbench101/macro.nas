import { relu_conv_bn, conv_bn, global_pool, linear } from "std/vision"
import { basic } from "std/transnasbench101"

/// Two residual blocks, the first of which may halve the resolution or multiply
/// the channels.
block module(x: [c, h, w], stride = 1, grow = 1)
    = x -> basic(out: grow * c, stride: stride) -> basic

/// `n` modules, after `halved` that halved the resolution and `widened` that doubled
/// the channels.
block modules(x, n: int, halved = 0, widened = 0)
    = if n == 0 then x else x -> next(n: n - 1, h: halved, w: widened)

/// One module and the `n` after it: the digits 1 to 4 of the benchmark.
block next(n: int, h: int, w: int)
    = module -> modules(n: n, halved: h, widened: w) if n > 0 or h > 0 and w > 0
    | module(grow: 2) -> modules(n: n, halved: h, widened: w + 1) if w < 3 and (n > 0 or h > 0)
    | module(stride: 2) -> modules(n: n, halved: h + 1, widened: w) if h < 4 and (n > 0 or w > 0)
    | module(stride: 2, grow: 2) -> modules(n: n, halved: h + 1, widened: w + 1) if h < 4 and w < 3

/// TransNAS-Bench-101, macro-level search space: four to six modules of two residual
/// blocks; one to four of them halve the resolution, one to three double the channels.
///
/// Duan, Chen, Xu, Chen, Liang, Zhang and Li, "TransNAS-Bench-101: Improving
/// Transferability and Generalizability of Cross-Task Neural Architecture Search",
/// CVPR 2021. Its number, 3,256, is 15 * 14 + 30 * 25 + 56 * 41: for each depth the
/// ways to place the halvings times those to place the doublings.
space transnasbench101_macro(image: [3, 256, 256], c = 64, classes = 75) -> [classes]
    = image
    -> conv_bn(out: c / 2, stride: 2) -> relu_conv_bn(out: c, stride: 2)
    -> (modules(n: 4) | modules(n: 5) | modules(n: 6))
    -> global_pool -> linear(out: classes)
