import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = sum([conv_bn(image, out: 8), conv_bn(image, out: 16)]) //! E0301 "shapes differ: \\[8, 8, 8\\] and \\[16, 8, 8\\]; note: .*\\[8, 8, 8\\] comes from here \\(2:34\\); note: .*\\[16, 8, 8\\] comes from here \\(2:58\\)"
---
import { conv_bn, skip } from "std/vision"
cell c(x) {
    node n[2] = sum(edge(prev)) //! E0301 "shapes differ: \\[8, 4, 4\\] and \\[8, 2, 2\\]; at n\\[1\\]; note: edge\\(x\\) \\[8, 4, 4\\] comes from here"
    return n[1]
}
block edge = skip(stride: 2) | conv_bn(stride: 2)
space s(image: [8, 8, 8]) = image -> c
---
import { linear } from "std/vision"
space s(image: [3, 8, 8]) = image -> linear(out: 10) //! E0301 "`linear` needs a tensor of 1 dimension, not one of shape \\[3, 8, 8\\]"
---
import { conv_bn, global_pool, linear } from "std/vision"
space s(image: [3, 8, 8], classes = 10) -> [classes] //! E0301 "space `s` returns shape \\[12\\]"
    = image -> global_pool -> linear(out: 12)
---
import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = image -> conv_bn(out: "wide") //! E0303 "`out` of `conv_bn` is int, not string"
---
import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = image -> conv_bn(out: 8 | 1.5) //! E0303 "`out` of `conv_bn` is int, not real"
---
import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = image -> conv_bn(out: 8, stride: 0) //! E0310 "division by zero"
---
import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = image -> conv_bn(out: 0) //! E0309 "dimension 1 of the result of `conv_bn` would be 0"
---
import { fit } from "std/vision"
space s(image: [3, 8, 8]) = image -> fit(out: 8, height: 5, width: 5) //! E0314 "`fit` does not accept its operands; note: it requires"
---
import { linear, fit } from "std/vision"
space s(image: [3, 8, 8]) = image -> fit(height: 8, width: 8) //! E0306 "`fit` needs a value for `out`"
---
import { relu } from "std/vision"
space s(image: [3, 8, 8]) = relu(image, image) //! E0305 "`relu` takes 1 tensor, 2 given"
---
import { conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = conv_bn(image, 8) //! E0304 "arguments by position are tensors; this is a number; help: give attributes by name, as in `out: …`"
---
import { relu } from "std/vision"
space s(image: [3, 8, 8]) = image -> 3 -> relu //! E0304 "`->` needs an operation on its right, not a number"
---
import { relu } from "std/vision"
space s(image: [3, 8, 8]) = relu
---
cell c(x) {
    node n = prev //! E0304 "node `n` must be one tensor, not a set of tensors; help: fold the set"
    return n
}
space s(image: [3, 8, 8]) = image -> c
---
space s(image: [3, 8, 8]) = [image, image][2] //! E0312 "index 2 is outside the 2 elements"
---
space s(image) = image //! E0306 "the shape of `image` is not known"
---
op free(x: [c, h, w]) //! E0307 "does not say the shape of its result"
space s(image: [3, 8, 8]) = image -> free
---
import { relu } from "std/vision"
cell c(x) { //! E0304 "cell `c` returns nothing"
    y = relu(x)
}
space s(image: [3, 8, 8]) = image -> c
---
import { relu } from "std/vision"
space s(image: [3, 8, 8]) = image -> (relu | 3) //! E0304 "the alternatives are not of one type; note: `relu` is an operation; note: `3` is a number"
---
import { relu } from "std/vision"
space s(image: [3, 8, 8]) = image -> relu * 2.5 //! E0303 "repeated a whole number of times, not 2.5"
---
op bad(x: [c, h, w]) -> [c, h, w] { sparse = true } //! E0303 "`sparse` is about a set of operands, and `bad` takes none"
space s(image: [3, 8, 8]) = image -> bad
---
op bad(x: [c, h, w], n: float = 1) -> [c, h, w] //! E0303 "`float` is not a type"
space s(image: [3, 8, 8]) = image -> bad
---
import { conv_bn, global_pool, linear } from "std/vision"
block wide(w: int) = conv_bn(out: w)
/// Widths that a sum cannot reconcile are found by trying every combination.
space s(image: [3, 8, 8]) {
    a = 8 | 16
    b = 8 | 16
    return sum([conv_bn(image, out: a), conv_bn(image, out: b)]) //! E0301 "shapes differ: \\[8\\|16, 8, 8\\] and \\[8\\|16, 8, 8\\]"
}
---
import { conv_bn, global_pool, linear } from "std/vision"
space s(image: [3, 8, 8]) {
    a = 8 | 16
    return sum([conv_bn(image, out: 2 * a), conv_bn(image, out: a + a)]) -> global_pool -> linear(out: 10)
}
---
import { relu } from "std/vision"
block b(x) -> [3, 4, 5] = relu(x) //! E0301 "block `b` returns shape \\[3, 8, 8\\]"
space s(image: [3, 8, 8]) = image -> b
---
import { conv_bn } from "std/vision"
let widths = [8, 16]
space s(image: [3, 8, 8]) = image -> conv_bn(out: sum(widths)) -> conv_bn(out: sum([4, widths[0]]))
---
import { global_pool, linear, relu } from "std/vision"
/// Vectors add as maps do, and a list of tensors and sets is their union.
cell c(a, b) {
    node n = sum([global_pool(relu(a)), global_pool(b)])
    node m = sum([n, global_pool(sum([a, [b]]))])
    return m
}
space s(image: [3, 8, 8]) = image -> c -> linear(out: 10)
---
import { global_pool } from "std/vision"
space s(image: [3, 8, 8]) = sum([image, global_pool(image)]) //! E0301 "shapes differ: \\[3, 8, 8\\] and \\[3\\]"
---
op same(x) -> y //! E0307 "does not say the shape of its result"
space s(image: [3, 8, 8]) = image -> same
---
import { relu } from "std/vision"
op wide(x: [c, h, w], extra: int) -> [c, h, w]
space s(image: [3, 8, 8]) = image -> wide(extra: image.d) //! E0313 "a tensor has no `d`"
---
cell c {
    node n = sum(prev) //! E0302 "the set is empty, so it has no shape"
    return n
}
space s(image: [3, 8, 8]) = image -> c
