import { conv_bn_act, grouped_mbconv, bypass } from "std/mobile"
import { global_pool, linear } from "std/vision"

/// Nine candidates per layer.
block layer(out: int, stride = 1)
    = grouped_mbconv(kernel: 3, expand: 1, out: out, stride: stride)
    | grouped_mbconv(kernel: 3, expand: 1, groups: 2, out: out, stride: stride)
    | grouped_mbconv(kernel: 3, expand: 3, out: out, stride: stride)
    | grouped_mbconv(kernel: 3, expand: 6, out: out, stride: stride)
    | grouped_mbconv(kernel: 5, expand: 1, out: out, stride: stride)
    | grouped_mbconv(kernel: 5, expand: 1, groups: 2, out: out, stride: stride)
    | grouped_mbconv(kernel: 5, expand: 3, out: out, stride: stride)
    | grouped_mbconv(kernel: 5, expand: 6, out: out, stride: stride)
    | bypass(out: out, stride: stride)

/// Four layers; the first carries the stride.
block stage(out: int, stride: int) = layer(out: out, stride: stride) -> layer(out: out) * 3

/// FBNet: 22 layers, each of nine inverted residuals or nothing.
///
/// Wu, Dai, Zhang, Wang, Sun, Wu, Tian, Vajda, Jia and Keutzer, "FBNet:
/// Hardware-Aware Efficient ConvNet Design via Differentiable Neural Architecture
/// Search", CVPR 2019. Its number is 9^22, about 10^21.
space fbnet(image: [3, 224, 224], classes = 1000) -> [classes]
    = image
    -> conv_bn_act(out: 16, stride: 2)
    -> layer(out: 16)
    -> stage(out: 24, stride: 2)
    -> stage(out: 32, stride: 2)
    -> stage(out: 64, stride: 2)
    -> stage(out: 112, stride: 1)
    -> stage(out: 184, stride: 2)
    -> layer(out: 352)
    -> conv_bn_act(out: 1984, kernel: 1)
    -> global_pool -> linear(out: classes)
