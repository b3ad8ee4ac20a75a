// Transformers on sequences of tokens. A sequence is a map [c, n, 1]: c features
// of n tokens.
//
// `params` counts trainable numbers, biases included; `macs` counts products of
// matrices, those of attention included, without biases.

/// Cuts an image into squares of `size` and embeds each in `dim` features, puts a
/// class token in front and adds a learned position to every token.
op patch_embed(x: [c, h, w], dim: int, size: int = 16) -> [dim, h / size * w / size + 1, 1] {
    require h % size == 0 and w % size == 0
    params = dim * (c * size ^ 2 + 1) + dim + dim * (h / size * w / size + 1)
    macs   = dim * c * h * w
}

/// Normalizes the features of each token; scale and shift per feature.
op layer_norm(x: [c, n, k]) -> [c, n, k] { params = 2 * c }

/// Self-attention of `heads` heads of `width` features each, with projections in
/// and out. `reach` > 0 adds learned relative positions on a plane, clipped at that
/// distance, to keys and to values: two tables each, shared by the heads.
op attention(x: [c, n, k], heads: int, width: int = 64, reach: int = 0) -> [c, n, k] {
    inner  = heads * width
    params = 3 * inner * (c + 1) + c * (inner + 1)
        + (if reach > 0 then 4 * (2 * reach + 2) * width else 0)
    macs   = 4 * inner * c * n * k + 2 * inner * (n * k) ^ 2
}

/// Two linear layers with GELU between, `ratio` times the features inside.
op feed_forward(x: [c, n, k], ratio: real = 4) -> [c, n, k] {
    inner  = floor(c * ratio)
    params = inner * (c + 1) + c * (inner + 1)
    macs   = 2 * inner * c * n * k
}

/// The features of the first token.
op class_token(x: [c, n, k]) -> [c]
