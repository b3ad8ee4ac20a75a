import { skip, relu_conv_bn } from "std/vision"
block edge = skip | relu_conv_bn
cell normal(a, b) {
    node n[2] = sum(edge(3 of prev)) //! E0311 "cannot choose 3 of 2 tensors; at n\\[0\\], prev = {a, b}; help: write `1..2 of prev`"
    return n[1]
}
space s(image: [8, 8, 8]) = image -> normal
---
import { zero } from "std/vision"
block edge = zero | zero(stride: 1) //! E0403 "no alternative is left to choose; note: `k of` never keeps"
cell c(a, b) {
    node n = sum(edge(1 of prev))
    return n
}
space s(image: [8, 8, 8]) = image -> c
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) = image -> relu * (3..1) //! E0404 "the range 3..1 by 1 holds no value"
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) = image -> relu * 1_000_000_000_000 //! E0411 "1000000000000 repetitions are more than nasc allows"
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) = image -> relu * (1..1_000_000_000_000) //! E0411 "a range of more than 100000 values"
---
import { relu } from "std/vision"
block deep(fuel = 4) = relu | deep(fuel: fuel - 1) -> relu //! E0410 "too large to be compiled: templates nested more than 1000 deep; help: does the recursion have a guard"
space s(image: [8, 8, 8]) = image -> deep
---
import { relu, conv_bn } from "std/vision"
cell c(x, n: int) = conv_bn(out: 8) * (1..n) //! E0406 "the choices of cell `c` depend on its parameters; help: a cell is decided once; use a `block`"
space s(image: [8, 8, 8]) = image -> c(n: 2) -> c(n: 3)
---
import { relu } from "std/vision"
cell c(x) {
    node n[2] = sum(prev)
    require edges <= 3
    return n[1]
}
space s(image: [8, 8, 8]) = image -> c
---
import { relu } from "std/vision"
cell c(x, edges: int) {
    require parms < 3M //! E0201 "`parms` is not declared; help: did you mean `params`"
    require latency < 3ms //! E0201 "`latency` is not declared; help: a requirement here is about `depth`, `edges`, `macs`, `params`"
    require edges == 3 and depth == 1
    return relu(x)
}
space s(image: [8, 8, 8]) = image -> c(edges: 3)
---
import { relu, skip } from "std/vision"
block b(xs: set) {
    require edges < 3 //! E0432 "`b` takes a set of tensors and becomes part of the body around it, so it has no `edges` of its own"
    return sum(xs)
}
space s(image: [8, 8, 8]) {
    w = 1 | 2
    require params //! E0303 "a requirement must be true or false, not a number; help: compare it"
    require params <= 1 | 2 //! E0432 "a requirement decides nothing, so a choice has no place in it; help: name the decision before"
    require depth in 1..3 //! E0432 "a requirement decides nothing, so a range has no place in it"
    require [1, 2][depth] < 2 //! E0432 "`depth` is known only when everything is decided"
    require params < "big" //! E0310 "`<` takes numbers"
    require 3 > 4 //! E0433 "nothing meets this requirement"
    require (if depth > 3 then edges else macs) < w * 10M and not params == 1
    return b([image, relu(image)])
}
---
import { relu, skip } from "std/vision"
space s(image: [8, 8, 8]) {
    k = 1 | 2
    return image -> (relu if k > 1 | skip)
}
---
import { relu } from "std/vision"
import plugin "lab/op" as lab
space s(image: [8, 8, 8]) = image -> lab -> relu //! E0304 "`->` needs an operation on its right, not a plugin"
space t(image: [8, 8, 8]) = image -> lab.conv(out: 3) //! E0512 "the plugin `lab/op` is not installed, so its operation `conv` is not known; note: imported here"
let never = lab.conv(out: 3)
let used = lab.conv //! E0512 "not installed"
let turns = turns + 1 //! E0211 "`turns` needs its own value"
block b(x) = used(x)
space u(image: [8, 8, 8]) = image -> b
space v(image: [8, 8, 8]) = image -> relu * turns
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) = image -> (relu * 10000) * 10000 //! E0410 "too large to be compiled: more than"
---
import { relu } from "std/vision"
block wide(fuel = 40) = relu | wide(fuel: fuel - 1) -> wide(fuel: fuel - 1) if fuel > 0 //! E0410 "too large to be compiled: more than"
space s(image: [8, 8, 8]) = image -> wide
---
import { relu } from "std/vision"
block pair(a, b) = sum([a, b])
space s(image: [8, 8, 8]) = image -> relu * (1..2) -> pair
---
import { relu, batch_norm } from "std/vision"
block pair(a, b) = sum([a, b])
space s(image: [8, 8, 8]) = image -> relu * (0..1) -> batch_norm -> pair
---
import { relu, batch_norm } from "std/vision"
block pair(a, b) = sum([a, b])
space s(image: [8, 8, 8]) = image -> relu * (1..2) -> batch_norm -> pair
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) {
    node a = relu(image)
    node b[2] = relu(a)
    return sum(b)
}
---
import { relu, zero, skip } from "std/vision"
cell c(a, b) {
    edge = zero | relu
    node n = sum(edge(1 of prev)) //! E0405 "this choice may be `zero`, but what was picked is there; note: it was made here.*; help: declare the choice as a block"
    return n
}
space s(image: [8, 8, 8]) = image -> c
---
import { relu, skip } from "std/vision"
/// A cell without tensors is the operation that its body says, decided once.
cell layer = relu | skip
space s(image: [8, 8, 8]) = image -> layer -> layer
---
import { relu } from "std/vision"
cell c(x) {
    node n[64] = relu(x)
    return sum(2 of n) //! E0412 "choosing from 64 tensors is more than nasc allows"
}
space s(image: [8, 8, 8]) = image -> c
---
import { relu, batch_norm } from "std/vision"
block pair(a, b) = sum([a, b])
space s(image: [8, 8, 8]) = 1.. of [image, relu(image)] -> pair //! E0304 "cannot tell which of a picked set it takes; help: fold the set"
---
import { relu } from "std/vision"
op twice(x: [c, h, w], f: op) -> x
space s(image: [8, 8, 8]) = image -> twice(f: relu) //! E0315 "`f` of op `twice` is an operation; help: an op takes numbers, texts and truth values"
---
import { relu } from "std/vision"
op wide(x: [c, h, w], n: int) -> x
space s(image: [8, 8, 8]) {
    v = any of [1, 2]
    return image -> wide(n: min(v)) //! E0302 "there may be nothing of which to take the `min`; help: pick at least one with `1..`"
}
---
import { relu, skip } from "std/vision"
op wide(x: [c, h, w], n: int) -> x
space s(image: [8, 8, 8]) {
    s = 1.. of [image, relu(image)]
    return s[1] //! E0312 "index 1 is outside the 1 elements"
}
---
import { relu, skip } from "std/vision"
space s(image: [8, 8, 8]) {
    s = 1.. of [image, relu(image)]
    return sum(2 of s) //! E0311 "cannot choose 2 of 1 tensor"
}
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) = sum((3 of [relu, relu])(image)) //! E0311 "cannot choose 3 of 2 elements; help: write `1..2 of"
---
import { relu, skip } from "std/vision"
space s(image: [8, 8, 8]) {
    s = any of [image, image, image, image, image, image, image, image, image, image, image, image, image] //! E0412 "depends on all that is picked here, in more than 4096 ways"
    return if len(s) > 6 then image -> (relu | skip) else image
}
---
import { relu, skip } from "std/vision"
cell c(x, k: int) = if k > 1 then x -> (relu | skip) else x //! E0406 "the choices of cell `c` depend on its parameters"
space s(image: [8, 8, 8]) {
    a = 1 | 2
    b = 1 | 2
    return image -> c(k: a) -> c(k: b)
}
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) {
    k = -1 | 1
    return image -> relu * k //! E0303 "an operation is repeated a whole number of times, not -1"
}
---
import { relu } from "std/vision"
space s(image: [8, 8, 8]) {
    k = 1 | 2
    return if k > 1 then (if k < 2 then sum(image.c) else relu(image)) else image
}
---
import { conv_bn, relu, global_pool, linear } from "std/vision"
space s(image: [8, 8, 8]) -> [10] {
    k = 1 | 3
    require params <= 100 //! E0433 "nothing in space `s` meets what is required; note: required together"
    require depth >= 2
    return image -> conv_bn(kernel: k) -> global_pool -> linear(out: 10)
}
