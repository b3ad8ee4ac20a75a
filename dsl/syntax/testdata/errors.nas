block edge = zero | | skip //! E0101 "expected an expression, found `\\|`.*stands between"
block ok = zero
let t = a -> //! E0101 "end of the declaration"
let u = [a, b,] //! E0101 "remove the comma"
let v = f(x y z) //! E0109 "a named argument takes a colon; help: write `x: y`"
---
cell normal(x) {
    node n[3] = sum(edge(prev) //! E0103 "this `\\(` is never closed; opened here; note: `\\)` was expected before this \\(3:5\\)"
    return n[2]
}
cell other(x) {
    nod y = x //! E0108 "unknown statement `nod`; help: did you mean `node`\\?"
    node z = sum(edge(3 off prev)) //! E0108 "unknown word `off`.*did you mean `of`"
    retrun z //! E0108 "did you mean `return`"
    relu(x) //! E0111 "no statement"
    return y
}
---
space s(image: [3, 32, 32]) = image -> conv(out 16) -> relu //! E0109 "write `out: 16`"
space r(image: [3, 32, 32]) = image -> conv(out = 16) -> relu //! E0109 "with `:`, not with `=`; help: write `out: "
---
let a = "unterminated
//!^ E0102 "never ends"
let b = f("unterminated)
//!^ E0102 "never ends"
let c = "bad \q escape" //! E0116 "`\\\\q` is no escape"
let d = "bad \u{110000} escape" //! E0116 "u\\{110000\\}"
let e = 'single' //! E0110 "`'` does not.*double quotes"  E0110 "`'`"
---
let a = 12Q //! E0106 "unknown unit `Q`; help: units are K M G"
let b = 1__0 //! E0106 "between two digits"
let c = 1_ //! E0106 "between two digits"
let d = 9223372036854775808 //! E0106 "does not fit into 64 bits"
let e = 10000000000G //! E0106 "does not fit into 64 bits"
let f = 1e999 //! E0106 "beyond what a real"
let g = .5 //! E0106 "starts with a digit; help: write `0.5`"
let h = 3of //! E0106 "unknown unit `of`"
---
let all = 3 //! E0107 "`all` is a reserved word and cannot be a name"
block space = a //! E0107 "`space` is a reserved"
let x = conv(in: 3) //! E0107 "`in` is a reserved word and cannot be the name of an argument"
let y = a + cell //! E0107 "`cell`"
cell c(node) { //! E0107 "`node`"
    block = 3 //! E0101 "expected a name, found `=`"
    return x
}
block b(3) = a //! E0101 "expected a name, found `3`; help: names start with a letter"
---
let a = 3 <= b <= 9 //! E0114 "comparisons do not chain: `<=` follows `<=`.*a < b and b < c"
let b = 1..2..3 //! E0114 "cannot follow a range"
let c = not not a //! E0101 "expected an expression, found the reserved word `not`"
let d = - - a //! E0101 "expected an expression, found `-`"
let e = a == not b //! E0101 "put it into brackets"
---
let a = b && c //! E0110 "write `and`"
let b = c → d //! E0110 "write `->`"
let größe = 3 //! E0110 "`größe` is no name"
let c = d; //! E0110 "needs? no separator"
let d = e@f //! E0110 "`@`"
---
block a //! E0115 "block `a` has no body"
block b(x) //! E0115 "block `b` has no body"
op fine(x)
cell c(x) {
    block inner //! E0115 "block `inner`"
    return x
}
---
import { a from "x" //! E0103 "this `{` is never closed.*`}` was expected before this"
import "y" is z //! E0101 "found `is`"
let q = 1
import "late" //! E0113 "imports come before all declarations"
let let = 3 //! E0107 "`let`"
---
node x = 3 //! E0113 "`node` stands in the body"
x = 3 //! E0113 "starts with `let`"
blok edge = zero //! E0108 "unknown declaration `blok`; help: did you mean `block`"
cell c(x) {
    let y = 3 //! E0113 "leave out `let`"
    search z over y { } //! E0113 "`search` stands at the top level"
    return y
} extra //! E0101 "found `extra`"
let y = 3 4 //! E0101 "found `4`.*is an operator missing"
let budget = 100 evaluations //! E0101 "found `evaluations`.*write `evaluations\\(100\\)`"
let time = 12_000 seconds //! E0101 "found `seconds`.*write `12_000s`"
---
cell c(x) { //! E0103 "this `{` is never closed.*`}` was expected before this \\(4:1\\)"
    return x

cell d(x) {
    return | //! E0101 "expected an expression"
}
---
let x = ) //! E0103 "`\\)` closes nothing"
let y = f(a, [b) //! E0103 "this `\\[` is never closed"
cell e(x) { //! E0103 "the file ends without `}`"
    return x
---
let x = if a then b //! E0101 "expected `else`: an `if` has both branches, found the end"
let y = if a b //! E0101 "expected `then` after the condition, found `b`"
let z = any prev //! E0101 "expected `of` after `any`, found `prev`"
let w = f(x for y of z) //! E0101 "expected `in` after `for y`"
search s oover x { } //! E0101 "expected `over`"
