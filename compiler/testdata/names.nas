import { relu_conv_bn, relu } from "std/vision"
space s(image: [3, 8, 8]) = image -> relu_conv_bm -> relu //! E0201 "`relu_conv_bm` is not declared; help: did you mean `relu_conv_bn`"
---
import { relu, rellu } from "std/vision" //! E0206 "\"std/vision\" has no `rellu`; help: did you mean `relu`"
space s(image: [3, 8, 8]) = image -> relu
---
import { relu } from "std/visoin" //! E0204 "no standard module `std/visoin`; help: did you mean `std/vision`"
---
import { relu } from "vision" //! E0204 "cannot tell what module"
---
import { relu } from "./missing.nas" //! E0207 "cannot read missing.nas"
---
import "std/vision" //! E0209 "binds no name"
---
import { relu } from "std/vision" //! E0203 "`relu` is declared twice; note: also declared here \\(2:7\\)"
block relu = relu
---
block edge(x) = x
block edge(y) = y //! E0203 "`edge` is declared twice; note: first declared here \\(1:7\\)"
---
cell normal(x) {
    y = sum([x, z]) //! E0208 "`z` is used before it is declared; note: declared here; bodies are read from top to bottom \\(3:5\\)"
    z = x
    y = z //! E0203 "`y` is declared twice"
    return y
}
---
block ceil(x) = x //! E0203 "`ceil` is a function of the language"
---
import { relu_conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = image -> relu_conv_bn(kernal: 3) //! E0202 "`relu_conv_bn` has no attribute `kernal`; note: .*; help: did you mean `kernel`"
---
import { relu_conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = relu_conv_bn(image, kernel: 3, kernel: 5) //! E0203 "`kernel` is given twice"
---
import { relu_conv_bn } from "std/vision"
space s(image: [3, 8, 8]) = relu_conv_bn(x: image) //! E0202 "`x` is a tensor of `relu_conv_bn` and is given by position"
---
import "std/vision" as v
space s(image: [3, 8, 8]) = image -> v.rellu -> v.relu //! E0206 "has no `rellu`; help: did you mean `relu`"
---
import { avg_pool } from "std/vision"
space s(image: [3, 8, 8]) = image -> conv_bn(out: 8) -> avg_pool //! E0201 "help: import { conv_bn } from \"std/vision\""
---
import { relu, rellu } from "std/vision" //! E0206 "no `rellu`"
import { other } from "./missing.nas" //! E0207 "cannot read"
block a = rellu | other
block b = sikp //! E0201 "`sikp` is not declared"
cell c(x) {
    y = z //! E0201 "`z` is not declared"
    return y
}
---
block unused = relu_conv_bn(kernal: 3) //! E0201 "`relu_conv_bn` is not declared; help: import { relu_conv_bn } from \"std/vision\""
---
import { relu_conv_bn } from "std/vision"
block unused = relu_conv_bn(kernal: 3) //! E0202 "no attribute `kernal`"
---
import { relu, conv_bn } from "std/vision"
block a = sikp //! E0201 "`sikp` is not declared"
space s(image: [3, 8, 8]) = image -> conv_bn(out: "wide") -> relu //! E0303 "int, not string"
space t(image: [3, 8, 8]) = image -> a -> relu(image, image) //! E0305 "2 given"
space u(image: [3, 8, 8]) = relu(image, image) //! E0305 "2 given"
---
let width = 2 * depth //! E0211 "`width` needs its own value: width -> depth -> width; note: `width` is needed here"
let depth = width / 2
