import { conv_bn_act, shuffle, shuffle_xception, linear_act } from "std/mobile"
import { global_pool } from "std/vision"

block choice(out: int, stride = 1)
    = shuffle(kernel: 3, out: out, stride: stride)
    | shuffle(kernel: 5, out: out, stride: stride)
    | shuffle(kernel: 7, out: out, stride: stride)
    | shuffle_xception(out: out, stride: stride)

/// `n` choice blocks; the first halves the resolution.
block stage(out: int, n: int) = choice(out: out, stride: 2) -> choice(out: out) * (n - 1)

/// Single Path One-Shot, building blocks: 20 choice blocks, each one of four units
/// of ShuffleNet V2.
///
/// Guo, Zhang, Mu, Heng, Liu, Wei and Sun, "Single Path One-Shot Neural Architecture
/// Search with Uniform Sampling", ECCV 2020. Its number is 4^20.
space spos(image: [3, 224, 224], classes = 1000) -> [classes]
    = image
    -> conv_bn_act(out: 16, stride: 2)
    -> stage(out: 64, n: 4)
    -> stage(out: 160, n: 4)
    -> stage(out: 320, n: 8)
    -> stage(out: 640, n: 4)
    -> conv_bn_act(out: 1024, kernel: 1)
    -> global_pool -> linear_act(out: classes, bias: false)
