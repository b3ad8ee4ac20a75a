import { zero, skip, conv_bn_relu, merge, conv_bn, global_pool, linear } from "std/vision"
import plugin "me/turn" version "~> 0.1" as turning
import plugin "me/squash" version "~> 0.1" as squashing
import plugin "nasc/random" as random
import plugin "nasc/train" as train

// Two operations of plugins, one in Go and one in Python, among those of nasc, in a
// hierarchy of two levels. turn_conv is made of operations of nasc and of turn.
block primitive
    = skip | conv_bn_relu(kernel: 3) | turning.turn | turning.turn_conv | squashing.squash

/// Level 2: two motifs of three vertices, edges labelled by primitives.
cell motif[2](x) {
    node n[2] = merge(primitive(prev))
    return n[1]
}

/// Level 3: three vertices, edges labelled by motifs.
cell top(x) {
    block edge = zero | 1 of motif
    node n[2] = merge(edge(prev))
    return n[1]
}

space hierarchy(image: [1, 16, 16], c = 4, classes = 10) -> [classes]
    = image -> conv_bn(out: c, stride: 2) -> top -> global_pool -> linear(out: classes)

search few over hierarchy {
    optimizer = random
    evaluator = train(epochs: 1, train: 64, valid: 32, test: 32)
    budget    = evaluations(3)
    maximize accuracy
}
