// The rules of NAS-Bench-101 (Ying et al., ICML 2019) that other spaces do not share.
//
// The benchmark hands widths down from the output of a module. `merge` divides its
// channels evenly among the vertices that it reads, earlier ones taking what is left
// over; every other vertex is as wide as the widest that reads it. So the ops here
// leave `out` open until an architecture is known, and then `merge` settles it.

/// The input of a module on its way to a vertex or to the output: a 1x1 convolution
/// to the width of what reads it, batch norm, ReLU.
op project(x: [c, h, w], out: int = open) -> [out, h, w] {
    params = out * (c + 2)
    macs   = out * c * h * w
}

/// What a vertex reads: the first `out` channels of each tensor, added up.
op add(xs: set, out: int = open) -> [out, xs.h, xs.w] {
    commutative = true
    sparse      = true
}

/// The output of a module: the vertices joined along their channels and, where the
/// input of the module is among them, its projection added.
op merge(xs: set, out: int) -> [out, xs.h, xs.w] {
    commutative = true
    sparse      = true
    settles     = "nasbench101"
}
