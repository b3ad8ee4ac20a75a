import { linear_map, unfold, softmax, position, transpose, untranspose, group,
         attend } from "std/einspace"
import { skip, batch_norm, relu, conv_bn, max_pool, global_pool, linear } from "std/vision"

/// A module keeps the shape of its input: it is a leaf, or made of modules.
block module(fuel: int)
    = compute
    | sequence(fuel: fuel - 1) if fuel > 0
    | branches(fuel: fuel - 1) if fuel > 0
    | groups(fuel: fuel - 1) if fuel > 0
    | attention(fuel: fuel - 1) if fuel > 0
    | over_positions(fuel: fuel - 1) if fuel > 0

block compute = skip | linear_map | convolution | batch_norm | relu | softmax | position

block convolution(x: [c, h, w]) = x -> unfold(kernel: 3) -> linear_map(out: c)

block sequence(fuel: int) = module(fuel: fuel) -> module(fuel: fuel)

block branches(x, fuel: int) = sum([module(x, fuel: fuel), module(x, fuel: fuel)])

/// Half of the channels each.
block groups(x, fuel: int) {
    a = group(x, parts: 2, part: 0) -> module(fuel: fuel)
    b = group(x, parts: 2, part: 1) -> module(fuel: fuel)
    return concat([a, b])
}

block attention(x, fuel: int)
    = attend(module(x, fuel: fuel), module(x, fuel: fuel), module(x, fuel: fuel))

/// Positions take the place of channels.
block over_positions(x: [c, h, w], fuel: int)
    = x -> transpose -> module(fuel: fuel) -> untranspose(height: h, width: w)

/// A grammar in the spirit of einspace: modules made of modules, down to fundamental
/// operations, to the depth that `fuel` allows. Residual, convolutional, mixing and
/// attention blocks are all words of it.
///
/// After Ericsson, Espinosa, Yang, Antoniou, Storkey, Cohen, McDonagh and Crowley,
/// "einspace: Searching for Neural Architectures from Fundamental Operations",
/// NeurIPS 2024, which draws from an unbounded grammar and gives no number. With
/// seven leaves a module of fuel n has a(n) = 7 + a + 3 a^2 + a^3 words, a = a(n - 1)
/// and a(0) = 7.
space einspace(image: [3, 32, 32], c = 16, fuel = 2, classes = 10) -> [classes]
    = image
    -> conv_bn(out: c, stride: 2)
    -> module(fuel: fuel)
    -> max_pool(kernel: 2, stride: 2)
    -> module(fuel: fuel)
    -> global_pool -> linear(out: classes)
