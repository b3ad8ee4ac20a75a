// Every construct of the grammar at least once.

/// A module of shared cells.
import { zero, skip, conv,
         pool } from "std/vision"
import "./cells.nas" as cells
import plugin "nasc/evolution" version "~> 1.0" as evo
import plugin "nasc/table"

/// Costs of a convolution.
///
/// `c` is the number of channels.
op conv_bn(x: [c, h, w], out: int = c, kernel: int = 3, stride: int = 1)
    -> [out, ceil(h / stride), ceil(w / stride)] {
    params = out * (c * kernel ^ 2 + 2)
    macs   = out * c * kernel ^ 2 * ceil(h / stride) * ceil(w / stride)
}
op absent_edge(x: [c, h, w]) -> [c, h, w] { absent = true }
op concat(xs: set) -> [sum(xs.c), xs.h, xs.w]
op anything() {}

block edge(stride = 1)
    = zero(stride: stride) // no edge
    | skip(stride: stride)
    | conv(kernel: 3 | 5, stride: stride) | pool(kernel: 3)

block recursive(fuel = 6)
    = conv | pool
    | recursive(fuel: fuel - 1) -> recursive(fuel: fuel - 1) if fuel > 0

cell motif[6](x) {
    node n[3] = sum(edge(prev))
    return n[2]
}

cell reduce(a, b, module: op, c: int) {
    inputs = align([a, b], out: c)

    // A block of this cell only.
    block inner(y) = edge(y) -> module
    node first: [c, h, w] = inner(a)
    node n[4] = sum(edge(p, stride: if p in inputs then 2 else 1) for p in 2 of prev)
    require edges <= 9 and not (depth > 4 or params == 0)
    return concat(n) // all of them
    // Nothing follows.
}

let few = 1.. of motif
let some = any of all of motif
let numbers = [12M, 64Ki, 25ms, 24h, 10%, 1_000, 1e-4, 2.5e3, 0..2, 128..224 by 4, -x ^ -2, 7 % 3]
let text = "a \"quoted\" \\ \u{e9} é"

/// Searched and swept.
space tiny(image: [3, r, r], r: int = 128..224 by 4, plugin = 1, from = 2, version = true, as = false, over = "x") -> [10] {
    w = round_to([16, 24] * plugin, 8)
    return image -> conv(out: w[0]) -> motif * (1..3) -> cells.top[0](out: w[1]).all_ -> (conv | pool)
}

search grid over tiny(r: 128) {
    optimizer = evo.regularized(
        population: 100 | 200,
        sample:     25,
    )
    seed      = 0..4
    budget    = evaluations(20_000)
    maximize accuracy
    minimize macs
    require latency(device: "pixel1") <= 25ms
}
// The end.
