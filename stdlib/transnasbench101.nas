// The operations of TransNAS-Bench-101 (Duan et al., CVPR 2021) that change the
// width of a map.

/// The absent edge.
op none(x: [c, h, w], out: int = c, stride: int = 1) -> [out, ceil(h / stride), ceil(w / stride)] {
    absent = true
}

/// A basic residual block: two times ReLU, 3x3 convolution, batch norm; where the
/// shape changes, the shortcut is a 1x1 convolution with batch norm.
op basic(x: [c, h, w], out: int = c, stride: int = 1) -> [out, ceil(h / stride), ceil(w / stride)] {
    same   = stride == 1 and out == c
    params = out * (9 * c + 9 * out + 4) + (if same then 0 else out * (c + 2))
    macs   = out * (9 * c + 9 * out + (if same then 0 else c)) * ceil(h / stride) * ceil(w / stride)
}
