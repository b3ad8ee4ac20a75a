import { relu_conv_bn, conv_bn, shortcut, global_pool, linear } from "std/vision"
import { none } from "std/transnasbench101"

block edge(out: int, stride: int)
    = none(out: out, stride: stride)
    | shortcut(out: out, stride: stride)
    | relu_conv_bn(kernel: 1, out: out, stride: stride)
    | relu_conv_bn(kernel: 3, out: out, stride: stride)

/// Four vertices, every earlier one joined; edges from the input carry the stride.
cell micro(x, out: int, stride = 1) {
    node n[3] = sum(edge(p, out: out, stride: if p in [x] then stride else 1) for p in prev)
    return n[2]
}

/// Two cells, the first of which may change the shape.
block stage(out: int, stride = 1) = micro(out: out, stride: stride) -> micro(out: out)

/// TransNAS-Bench-101, cell-level search space: a cell of four vertices, four
/// operations, in the skeleton 64-41414.
///
/// Duan, Chen, Xu, Chen, Liang, Zhang and Li, "TransNAS-Bench-101: Improving
/// Transferability and Generalizability of Cross-Task Neural Architecture Search",
/// CVPR 2021. Its number is 4^6 = 4,096. The head here is that of object classes.
space transnasbench101_micro(image: [3, 256, 256], c = 64, classes = 75) -> [classes]
    = image
    -> conv_bn(out: c / 2, stride: 2) -> relu_conv_bn(out: c, stride: 2)
    -> stage(out: 2 * c, stride: 2)
    -> stage(out: 2 * c)
    -> stage(out: 4 * c, stride: 2)
    -> stage(out: 4 * c)
    -> stage(out: 8 * c, stride: 2)
    -> global_pool -> linear(out: classes)
