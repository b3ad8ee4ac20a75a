import { relu_conv_bn, conv_bn, global_pool, linear } from "std/vision"
import { basic } from "std/transnasbench101"

/// Two residual blocks, the first of which may double the channels and halve the
/// resolution.
block module(x: [c, h, w]) = x -> basic(out: c | 2 * c, stride: 1 | 2) -> basic

/// TransNAS-Bench-101, macro-level search space: four to six modules of two residual
/// blocks; one to four of them halve the resolution, one to three double the channels.
///
/// Duan, Chen, Xu, Chen, Liang, Zhang and Li, "TransNAS-Bench-101: Improving
/// Transferability and Generalizability of Cross-Task Neural Architecture Search",
/// CVPR 2021. Its number, 3,256, is 15 * 14 + 30 * 25 + 56 * 41: for each depth the
/// ways to place the halvings times those to place the doublings.
space transnasbench101_macro(image: [3, 256, 256], c = 64, classes = 75) -> [classes] {
    stem = image -> conv_bn(out: c / 2, stride: 2) -> relu_conv_bn(out: c, stride: 2)
    body = stem -> module * (4..6)
    require body.h >= stem.h / 16 and body.h <= stem.h / 2
    require body.c >= 2 * c and body.c <= 8 * c
    return body -> global_pool -> linear(out: classes)
}
