// The rules of NAS-Bench-101 (Ying et al., ICML 2019) that other spaces do not share.

/// The output vertex of a module: the inner vertices are joined along their
/// channels, and the module's input, where it is among them, is projected by a 1x1
/// convolution with batch norm and ReLU and added.
///
/// The benchmark hands widths down from the output: `out` is divided evenly among
/// the vertices that the output reads, earlier ones taking what is left over, and
/// every other vertex is as wide as the widest that reads it. A signature computes
/// forwards and cannot say that, so vertices keep the width of the module's input
/// here. Wiring, shapes of modules and the size of the space are the benchmark's;
/// params and MACs of the vertices are not.
op merge(xs: set, out: int) -> [out, xs.h, xs.w] { commutative = true }
