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

/// max(x, 0).
op relu(x: [c, h, w]) -> [c, h, w]

/// Mean over all positions of a map.
op global_pool(x: [c, h, w]) -> [c]

/// A fully connected layer with bias.
op linear(x: [c], out: int) -> [out] {
    params = out * (c + 1)
    macs   = out * (c + 1)
}
