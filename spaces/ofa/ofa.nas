import { conv_bn_act, mbconv, linear_act } from "std/mobile"
import { global_pool, linear } from "std/vision"

/// Nine variants per layer.
block layer(out: int, stride = 1, se: bool, act: string)
    = mbconv(kernel: 3 | 5 | 7, expand: 3 | 4 | 6, out: out, stride: stride, se: se, act: act)

/// Two to four layers; the first carries the stride.
block stage(out: int, stride: int, se: bool, act: string)
    = layer(out: out, stride: stride, se: se, act: act)
    -> layer(out: out, se: se, act: act) * (1..3)

/// Once-for-all, MobileNetV3 space: depth of five stages, kernel and expansion of
/// every layer, resolution of the image.
///
/// Cai, Gan, Wang, Zhang and Han, "Once-for-All: Train One Network and Specialize it
/// for Efficient Deployment", ICLR 2020. A stage has 9^2 + 9^3 + 9^4 = 7,371 forms;
/// the paper's 2 * 10^19 is 7371^5, without the 25 resolutions counted here.
space ofa(image: [3, r, r], r: int = 128..224 by 4, width = 1.0, classes = 1000) -> [classes] {
    w = round_to([16, 24, 40, 80, 112, 160, 960, 1280] * width, 8)
    return image
        -> conv_bn_act(out: w[0], stride: 2, act: "h_swish")
        -> mbconv(kernel: 3, expand: 1, out: w[0])
        -> stage(out: w[1], stride: 2, se: false, act: "relu")
        -> stage(out: w[2], stride: 2, se: true, act: "relu")
        -> stage(out: w[3], stride: 2, se: false, act: "h_swish")
        -> stage(out: w[4], stride: 1, se: true, act: "h_swish")
        -> stage(out: w[5], stride: 2, se: true, act: "h_swish")
        -> conv_bn_act(out: w[6], kernel: 1, act: "h_swish")
        -> global_pool
        -> linear_act(out: w[7], bias: false, act: "h_swish") -> linear(out: classes)
}
