import { zero, skip, relu_conv_bn, sep_conv, max_pool, conv_bn, batch_norm, relu, global_pool,
         linear } from "std/vision"
import plugin "nasc/evolution" version "~> 0.1" as evolution
import plugin "nasc/train" version "~> 0.1" as train

block edge = zero | skip | relu_conv_bn(kernel: 3) | sep_conv(kernel: 3) | max_pool(kernel: 3)

/// Two vertices, every earlier one joined.
cell normal(x) {
    node n[2] = sum(edge(prev))
    return n[1]
}

/// One to three cells at one resolution.
block stage = normal * (1..3)

/// Halves the resolution.
block reduce(out: int) = relu_conv_bn(kernel: 3, stride: 2, out: out)

/// A first space to search: small enough for two cores and two minutes, with
/// something to decide at every level. Two stages, each of one to three copies of a
/// cell; the cell is decided once, its operations are drawn from five; each stage
/// has a depth of its own, and one width scales the whole network.
space quickstart(image: [1, 16, 16], classes = 10) -> [classes] {
    width = 4 | 8 | 12
    return image
        -> conv_bn(out: width)
        -> stage
        -> reduce(out: 2 * width)
        -> stage
        -> batch_norm -> relu -> global_pool -> linear(out: classes)
}

/// Regularized evolution, every candidate trained on rendered digits.
search first over quickstart {
    optimizer = evolution(population: 8, sample: 4)
    evaluator = train(dataset: "glyphs", epochs: 2)
    budget    = evaluations(32)
    seed      = 1
    maximize accuracy
}
