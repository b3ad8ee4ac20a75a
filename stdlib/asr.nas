// Speech recognition on sequences. A sequence is a map [c, t, 1]: c features of t
// frames.
//
// `params` counts trainable numbers, biases included; `macs` counts convolutions
// and matrices without biases.

/// Convolution over time with bias, then ReLU clipped at 20.
op conv_relu(
    x: [c, t, k],
    out: int = c,
    kernel: int = 5,
    dilation: int = 1,
    stride: int = 1,
    groups: int = 1,
) -> [out, ceil(t / stride), k] {
    require c % groups == 0 and out % groups == 0
    params = out * (c / groups * kernel + 1)
    macs   = out * c / groups * kernel * ceil(t / stride)
}

/// A linear layer on every frame; with `clipped`, followed by ReLU clipped at 20.
op frame_linear(x: [c, t, k], out: int = c, clipped: bool = true) -> [out, t, k] {
    params = out * (c + 1)
    macs   = out * c * t
}

/// Normalizes the features of each frame; scale and shift per feature.
op frame_norm(x: [c, t, k]) -> [c, t, k] { params = 2 * c }

/// A recurrent layer with long short-term memory, one bias per gate.
op lstm(x: [c, t, k], units: int) -> [units, t, k] {
    params = 4 * units * (c + units + 1)
    macs   = 4 * units * (c + units) * t
}
