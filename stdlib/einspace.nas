// Fundamental operations in the manner of einspace (Ericsson et al., NeurIPS 2024),
// on feature maps [c, h, w].
//
// `params` counts trainable numbers, biases included; `macs` counts products of
// matrices without biases.

/// A linear map of the channels of each position, with bias.
op linear_map(x: [c, h, w], out: int = c) -> [out, h, w] {
    params = out * (c + 1)
    macs   = out * c * h * w
}

/// Puts the neighbours of each position into its channels; zeros beyond the border.
op unfold(x: [c, h, w], kernel: int = 3) -> [c * kernel ^ 2, h, w]

/// Softmax over the channels of each position.
op softmax(x: [c, h, w]) -> [c, h, w]

/// Adds a learned number at each place.
op position(x: [c, h, w]) -> [c, h, w] { params = c * h * w }

/// Makes positions channels and channels positions.
op transpose(x: [c, h, w]) -> [h * w, c, 1]

/// Undoes `transpose` of a map of the given size.
op untranspose(x: [p, c, k], height: int, width: int) -> [c, height, width] {
    require p == height * width and k == 1
}

/// One of `parts` groups of channels, counted from 0.
op group(x: [c, h, w], parts: int, part: int) -> [c / parts, h, w] {
    require c % parts == 0 and part < parts
}

/// Scaled dot products: each position of `q` weighs those of `k` by softmax and takes
/// the weighted mean of `v`.
op attend(q: [c, h, w], k: [c, h, w], v: [c, h, w]) -> [c, h, w] { macs = 2 * c * (h * w) ^ 2 }
