import { relu, conv_bn } from "std/vision"
import { project, add, merge } from "std/nasbench101"
/// Widths go through ops that keep them, choices, and blocks.
block vertex = relu | conv_bn(kernel: 1 | 3)
cell module(x) {
    node a = vertex(add(project(x)))
    node b = vertex(add(if p in [x] then project(p) else p for p in 1..2 of prev))
    return merge([a, b], out: 8)
}
space s(image: [3, 8, 8]) = image -> module * 2 -> relu
---
import { project } from "std/nasbench101"
import { relu } from "std/vision"
cell module(x) = project(x) -> relu //! E0320 "`project` leaves `out` open, and nothing in `module` settles it; help: give `out` a value"
space s(image: [3, 8, 8]) = image -> module
---
import { project } from "std/nasbench101"
space s(image: [3, 8, 8]) = image -> project //! E0320 "nothing in `s` settles it"
---
import { project, merge } from "std/nasbench101"
/// What a block leaves open is settled in the block.
block inner(p) = project(p) //! E0320 "nothing in `inner` settles it"
cell module(x) = merge(inner(x), out: 8)
space s(image: [3, 8, 8]) = image -> module
---
import { project } from "std/nasbench101"
space s(image: [3, 8, 8]) = image -> project(out: 4)
---
op meet(xs: set, out: int) -> [out, xs.h, xs.w] { settles = "nasbench110" } //! E0321 "there is no rule \"nasbench110\".*did you mean \"nasbench101\"\\?"
space s(image: [3, 8, 8]) = meet(image, out: 4)
---
op meet(xs: set, out: int) -> [out, xs.h, xs.w] { settles = true } //! E0321 "`settles` is the name of a rule, a text"
space s(image: [3, 8, 8]) = meet(image, out: 4)
---
import { project, merge } from "std/nasbench101"
space s(image: [3, 8, 8]) {
    a = merge(project(image), out: 8)
    return merge(project(a), out: 8) //! E0322 "a second operation would settle `s`.*the first is this `merge`"
}
---
op guess(x: [c, h, w], out = open) -> [out, h, w] //! E0323 "`out` cannot be left open: only whole numbers are settled; help: write `out: int = open`"
space s(image: [3, 8, 8]) = image -> guess
---
op guess(x: [c, h, w], out: int = open, wide: int = open) -> [out, h, wide] //! E0323 "op `guess` leaves `out` and `wide` open"
space s(image: [3, 8, 8]) = image -> guess
---
import { project, add, merge } from "std/nasbench101"
op even(x: [c, h, w]) -> [c, h, w] { require c % 2 == 0 } //! E0323 "a requirement cannot depend on what an op leaves open"
space s(image: [3, 8, 8]) = merge(project(image) -> even, out: 8)
---
import { project, merge } from "std/nasbench101"
import { relu } from "std/vision"
space s(image: [3, 8, 8]) {
    p = project(image)
    return merge(p -> relu * p.c, out: 8) //! E0323 "a repetition cannot depend"
}
---
import { project, merge } from "std/nasbench101"
import { relu, skip } from "std/vision"
space s(image: [3, 8, 8]) {
    p = project(image)
    return merge(p -> (relu | skip if p.c > 4), out: 8) //! E0323 "what is built cannot depend"
}
---
import { project, merge } from "std/nasbench101"
op narrow(xs: set) -> [xs.c, xs.h, xs.w] { settles = "nasbench101" }
space s(image: [3, 8, 8]) = narrow(project(image)) //! E0323 "the width from which `narrow` settles cannot depend"
---
import { project, merge } from "std/nasbench101"
/// Two unknown widths are not known to be the same.
space s(image: [3, 8, 8]) = merge(sum([project(image), project(image)]), out: 8) //! E0308 "cannot prove that all tensors of the set have the same shape"
---
block b(x, n: int = open) = x //! E0201 "`open` is not declared"
space s(image: [3, 8, 8]) = image -> b
---
import { project, merge } from "std/nasbench101"
space s(image: [3, 8, 8]) {
    p = project(image)
    require p.c < 4 //! E0323 "a requirement cannot depend"
    return merge(p, out: 8)
}
