/// What is written seldom.
/// The grammar has it all the same.
import { relu, skip, } from "std/vision"

op nothing(x: []) -> [] { macs = 0 }

op flat(x: [c, n]) -> [c] {
    /// A condition of three parts.
    require c != 3 and n != 3 and not (c == n)
    /// One of three parts, over
    /// two lines of words.
    require c == 1 or n == 1 or c == 2
    params = count([], f())
}

search later over s {}
