import { patch_embed, attention, feed_forward, layer_norm, class_token } from "std/transformer"
import { linear } from "std/vision"

/// One layer: attention, then two linear layers, each with its input added.
block layer(x) {
    y = sum([x, x -> layer_norm -> attention(heads: 3 | 4, reach: 14)])
    return sum([y, y -> layer_norm -> feed_forward(ratio: 3.5 | 4.0)])
}

/// AutoFormer, tiny: a vision transformer whose width and depth are decided once, and
/// whose heads and hidden ratio are decided in every layer.
///
/// Chen, Peng, Fu and Ling, "AutoFormer: Searching Transformers for Visual
/// Recognition", ICCV 2021. Three widths times 4^12 + 4^13 + 4^14; queries, keys and
/// values have 64 features per head, as in the authors' code.
space autoformer(image: [3, 224, 224], classes = 1000) -> [classes]
    = image
    -> patch_embed(dim: 192..240 by 24, size: 16)
    -> layer * (12..14)
    -> layer_norm -> class_token -> linear(out: classes)
