import "std/vision" as vision

// Blocks of networks for phones, on feature maps [c, h, w].
//
// Costs follow the reference implementations: convolutions before batch norm have
// no bias, squeeze-and-excitation has biases, padding is "same". `params` counts
// trainable numbers; `macs` counts convolutions and linear layers without bias.
// `act` is the activation: "relu", "h_swish" or "none".

/// Convolution, batch norm, activation.
op conv_bn_act(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1, act: string = "relu")
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = out * (c * kernel ^ 2 + 2)
    macs   = out * c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}

/// The inverted residual of MobileNetV2 and V3: a 1x1 convolution to `expand` times
/// the channels (none when `expand` is 1), a depthwise convolution, with `se`
/// squeeze-and-excitation over a quarter of the expanded channels, a linear 1x1
/// convolution, batch norm after each; the input is added where shapes agree.
op mbconv(
    x: [c, h, w],
    kernel: int = 3,
    expand: real = 6,
    out: int = c,
    stride: int = 1,
    se: bool = false,
    act: string = "relu",
) -> [out, ceil(h / stride), ceil(w / stride)] {
    mid     = round(c * expand)
    squeeze = round_to(mid / 4, 8)
    pixels  = ceil(h / stride) * ceil(w / stride)
    params  = (if expand == 1 then 0 else mid * (c + 2)) + mid * (kernel ^ 2 + 2) + out * (mid + 2)
        + (if se then 2 * mid * squeeze + mid + squeeze else 0)
    macs    = (if expand == 1 then 0 else mid * c * h * w) + mid * (kernel ^ 2 + out) * pixels
        + (if se then 2 * mid * squeeze else 0)
}

/// FBNet's inverted residual: as `mbconv`, but the first 1x1 convolution is always
/// there, and both have `groups` groups with a channel shuffle between them.
op grouped_mbconv(
    x: [c, h, w],
    kernel: int = 3,
    expand: int = 6,
    groups: int = 1,
    out: int = c,
    stride: int = 1,
) -> [out, ceil(h / stride), ceil(w / stride)] {
    mid    = c * expand
    params = mid * (c / groups + 2) + mid * (kernel ^ 2 + 2) + out * (mid / groups + 2)
    macs   = mid * c / groups * h * w
        + mid * (kernel ^ 2 + out / groups) * ceil(h / stride) * ceil(w / stride)
}

/// The unit of ShuffleNet V2 with a kernel to choose: half of the channels (all of
/// them with stride 2) pass through 1x1, depthwise and 1x1 convolutions; the other
/// half is handed on (with stride 2: through a depthwise and a 1x1 convolution).
op shuffle(x: [c, h, w], kernel: int = 3, out: int = c, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    require stride == 2 or out == c
    part   = if stride == 2 then c else c / 2
    mid    = floor(out / 2)
    rest   = out - part
    pixels = ceil(h / stride) * ceil(w / stride)
    params = mid * (part + 2) + mid * (kernel ^ 2 + 2) + rest * (mid + 2)
        + (if stride == 2 then part * (kernel ^ 2 + 2) + part * (part + 2) else 0)
    macs   = mid * part * h * w + (mid * kernel ^ 2 + rest * mid) * pixels
        + (if stride == 2 then part * (kernel ^ 2 + part) * pixels else 0)
}

/// As `shuffle`, with three separable 3x3 convolutions in the manner of Xception.
op shuffle_xception(x: [c, h, w], out: int = c, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    require stride == 2 or out == c
    part   = if stride == 2 then c else c / 2
    mid    = floor(out / 2)
    rest   = out - part
    pixels = ceil(h / stride) * ceil(w / stride)
    params = part * 11 + mid * (part + 2) + mid * 11 + mid * (mid + 2) + mid * 11 + rest * (mid + 2)
        + (if stride == 2 then part * 11 + part * (part + 2) else 0)
    macs   = (part * 9 + mid * part + mid * 9 + mid * mid + mid * 9 + rest * mid) * pixels
        + (if stride == 2 then part * (9 + part) * pixels else 0)
}

/// Nothing where the shape stays; else a 1x1 convolution with batch norm and ReLU
/// that makes it.
op bypass(x: [c, h, w], out: int = c, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    identity = stride == 1 and out == c
    params   = if stride == 1 and out == c then 0 else out * (c + 2)
    macs     = if stride == 1 and out == c then 0 else out * c * ceil(h / stride) * ceil(w / stride)
}

/// A fully connected layer and an activation.
op linear_act(x: [c], out: int, bias: bool = true, act: string = "none") -> [out] {
    params = out * (if bias then c + 1 else c)
    macs   = out * c
}

/// A fully connected layer, perhaps with an activation.
block linear(x, out: int, bias: bool = true, act: string = "none")
    = linear_act(x, out: out, bias: bias, act: act)

/// Mean over all positions of a map.
let global_pool = vision.global_pool
