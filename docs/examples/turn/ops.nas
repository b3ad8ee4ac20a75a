import { conv_bn, relu } from "std/vision"

/// Turns every pair of channels, as the two coordinates of a point, by a learned angle.
op turn(x: [c, h, w], spread: real = 0.1) -> [c, h, w] {
    require c % 2 == 0
    params = c / 2
    macs   = 2 * c * h * w
}

/// The same behind a convolution: made of other operations, at their speed.
block turn_conv(x: [c, h, w], out: int = c, stride: int = 1)
    = x -> conv_bn(out: out, kernel: 1, stride: stride) -> turn -> relu
