// Operations on feature maps [c, h, w].
//
// Padding is "same": the output has ceil(h / stride) rows. Convolutions have no
// bias; batch norm has a scale and a shift per channel. `params` counts trainable
// numbers. `macs` counts the multiply-accumulates of convolutions and linear
// layers for one image, as NAS-Bench-201 counts its FLOPs: pooling, batch norm
// and activations count nothing and the bias of a linear layer counts one each.

/// The absent edge.
op zero(x: [c, h, w], stride: int = 1) -> [c, ceil(h / stride), ceil(w / stride)] { absent = true }

/// The identity; with a stride, DARTS' factorised reduction: ReLU, two 1x1
/// convolutions of half the channels, the second one pixel further, batch norm.
op skip(x: [c, h, w], stride: int = 1) -> [c, ceil(h / stride), ceil(w / stride)] {
    identity = stride == 1
    params   = if stride == 1 then 0 else c * (c + 2)
    macs     = if stride == 1 then 0 else c * c * ceil(h / stride) * ceil(w / stride)
}

/// The identity where the shape stays; else batch norm after one 1x1 convolution,
/// or after the two of a factorised reduction, which cost the same.
op shortcut(x: [c, h, w], out: int = c, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    identity = stride == 1 and out == c
    params   = if stride == 1 and out == c then 0 else out * (c + 2)
    macs     = if stride == 1 and out == c then 0 else out * c * ceil(h / stride) * ceil(w / stride)
}

/// Normal noise of the shape of the input: what a search should never choose.
op noise(x: [c, h, w], stride: int = 1) -> [c, ceil(h / stride), ceil(w / stride)]

/// A convolution alone. Its padding is "same" where nothing else is said, and it has
/// as many windows as fit.
op conv(
    x: [c, h, w],
    out: int = c,
    kernel: int = 3,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    padding: int = floor(dilation * (kernel - 1) / 2),
    bias: bool = false,
)
    -> [
        out,
        floor((h + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1,
        floor((w + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
    ] {
    require c % groups == 0 and out % groups == 0
    rows   = floor((h + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
    cols   = floor((w + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
    params = out * (c / groups * kernel ^ 2 + (if bias then 1 else 0))
    macs   = out * c / groups * kernel ^ 2 * rows * cols
}

/// ReLU, convolution, batch norm.
op relu_conv_bn(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1, dilation: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = out * (c * kernel ^ 2 + 2)
    macs   = out * c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}

/// Convolution, batch norm.
op conv_bn(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = out * (c * kernel ^ 2 + 2)
    macs   = out * c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}

/// Convolution, batch norm, ReLU.
op conv_bn_relu(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = out * (c * kernel ^ 2 + 2)
    macs   = out * c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}

/// DARTS' separable convolution: twice ReLU, depthwise, 1x1, batch norm; the
/// first of the two carries the stride.
op sep_conv(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = c * (2 * kernel ^ 2 + c + 2) + out * (c + 2)
    macs   = c * (2 * kernel ^ 2 + c + out) * ceil(h / stride) * ceil(w / stride)
}

/// DARTS' dilated separable convolution: ReLU, depthwise with dilation 2, 1x1,
/// batch norm.
op dil_conv(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = c * kernel ^ 2 + out * (c + 2)
    macs   = c * (kernel ^ 2 + out) * ceil(h / stride) * ceil(w / stride)
}

/// Depthwise convolution, batch norm, ReLU.
op dw_conv(x: [c, h, w], kernel: int = 3, stride: int = 1)
    -> [c, ceil(h / stride), ceil(w / stride)] {
    params = c * (kernel ^ 2 + 2)
    macs   = c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}

/// Depthwise convolution, 1x1 convolution, batch norm, ReLU.
op dw_pw_conv(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = c * kernel ^ 2 + out * (c + 2)
    macs   = c * (kernel ^ 2 + out) * ceil(h / stride) * ceil(w / stride)
}

/// Maximum over a window.
op max_pool(x: [c, h, w], kernel: int = 3, stride: int = 1)
    -> [c, ceil(h / stride), ceil(w / stride)]

/// Mean over a window; the padding is not counted.
op avg_pool(x: [c, h, w], kernel: int = 3, stride: int = 1)
    -> [c, ceil(h / stride), ceil(w / stride)]

/// Mean over a window; the padding counts as zeros.
op padded_avg_pool(x: [c, h, w], kernel: int = 3, stride: int = 1)
    -> [c, ceil(h / stride), ceil(w / stride)]

/// Means over a grid of windows that divide the map evenly.
op adaptive_pool(x: [c, h, w], height: int, width: int = height) -> [c, height, width]

/// Makes a map of `out` channels and the given size: ReLU, 1x1 convolution, batch
/// norm where the size is right, DARTS' factorised reduction where it is double.
op fit(x: [c, h, w], out: int, height: int, width: int) -> [out, height, width] {
    require height == h and width == w or height == ceil(h / 2) and width == ceil(w / 2)
    params = out * (c + 2)
    macs   = out * c * height * width
}

/// Brings every map of a set to `out` channels and the smallest size among them,
/// as a DARTS cell does with its two inputs.
block align(xs: set, out: int) = fit(xs, out: out, height: min(xs.h), width: min(xs.w))

/// Joins maps of one shape along their channels and brings them back to the
/// channels of one of them: 1x1 convolution, batch norm, ReLU.
op merge(xs: set) -> [xs.c, xs.h, xs.w] {
    commutative = true
    params      = xs.c * (sum(xs.c) + 2)
    macs        = xs.c * sum(xs.c) * xs.h * xs.w
}

/// The residual block between the stages of NAS-Bench-201: two 3x3 convolutions
/// with batch norm; with a stride, the shortcut is average pooling and a 1x1 convolution.
op residual(x: [c, h, w], out: int = c, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    require stride > 1 or out == c
    params = out * (9 * c + 9 * out + 4) + (if stride == 1 then 0 else c * out)
    macs   = (out * (9 * c + 9 * out) + (if stride == 1 then 0 else c * out)) * ceil(h / stride)
        * ceil(w / stride)
}

/// Batch norm with a scale and a shift per channel.
op batch_norm(x: [c, h, w]) -> [c, h, w] { params = 2 * c }

/// Batch norm without a scale and a shift.
op plain_batch_norm(x: [c, h, w]) -> [c, h, w]

/// max(x, 0).
op relu(x: [c, h, w]) -> [c, h, w]

/// 1 / (1 + e^-x).
op sigmoid(x: [c, h, w]) -> [c, h, w]

/// x times its sigmoid, also called SiLU.
op swish(x: [c, h, w]) -> [c, h, w]

/// x times its sigmoid made of straight lines, as in MobileNetV3.
op h_swish(x: [c, h, w]) -> [c, h, w]

/// x times the normal distribution function.
op gelu(x: [c, h, w]) -> [c, h, w]

/// Squeeze-and-excitation: weighs the channels by what two linear layers, ReLU
/// between them, make of their means. `gate` is "sigmoid" or "h_sigmoid".
op squeeze_excite(x: [c, h, w], squeeze: int = ceil(c / 4), gate: string = "h_sigmoid")
    -> [c, h, w] {
    params = 2 * c * squeeze + c + squeeze
    macs   = 2 * c * squeeze
}

/// Puts zeros in place of numbers at random in training, at the given rate, and
/// makes the others larger by so much that the mean stays.
op dropout(x: [c, h, w], rate: real = 0.5) -> [c, h, w] { require rate < 1 }

/// As `dropout`, for whole examples: what is left of a path is its shortcut. With
/// `grows`, the rate rises from 0 epoch by epoch, as in DARTS.
op drop_path(x: [c, h, w], rate: real = 0.2, grows: bool = false) -> [c, h, w] {
    require rate < 1
}

/// `out` channels from channel `first` on, counted from 0.
op channel_slice(x: [c, h, w], first: int = 0, out: int = c - first) -> [out, h, w] {
    require first + out <= c
}

/// Deals the channels of every group out to all groups, as in ShuffleNet.
op channel_shuffle(x: [c, h, w], groups: int = 2) -> [c, h, w] { require c % groups == 0 }

/// Mean over all positions of a map.
op global_pool(x: [c, h, w]) -> [c]

/// A fully connected layer with bias.
op linear(x: [c], out: int) -> [out] {
    params = out * (c + 1)
    macs   = out * (c + 1)
}

/// The auxiliary head of DARTS, for maps of at least 6 by 6: ReLU, mean over 5 by 5
/// windows to 2 by 2, convolutions to 128 and to 768 channels with batch norm and
/// ReLU, and a fully connected layer.
op auxiliary_head(x: [c, h, w], out: int) -> [out] {
    require h == w and h >= 6
    params = 128 * (c + 2) + 768 * (4 * 128 + 2) + out * 769
    macs   = 4 * 128 * c + 768 * 4 * 128 + out * 769
}
