import { zero, skip, conv_bn_relu, dw_conv, dw_pw_conv, max_pool, avg_pool, merge, conv_bn,
         global_pool, linear } from "std/vision"

block primitive
    = zero | skip
    | conv_bn_relu(kernel: 1) | dw_conv(kernel: 3) | dw_pw_conv(kernel: 3)
    | max_pool(kernel: 3) | avg_pool(kernel: 3)

/// Level 2: six motifs of four vertices, edges labelled by primitives.
cell motif[6](x) {
    node n[3] = merge(primitive(prev))
    return n[2]
}

/// Level 3: one motif of five vertices, edges labelled by level-2 motifs.
cell top(x) {
    block edge = zero | 1 of motif
    node n[4] = merge(edge(prev))
    return n[3]
}

block grow(out: int) = dw_pw_conv(kernel: 3, stride: 2, out: out)

/// Hierarchical representations with three levels: six motifs of four vertices over
/// six primitives and no edge, and a cell of five vertices over the six motifs and
/// no edge.
///
/// Liu, Simonyan, Vinyals, Fernando and Kavukcuoglu, "Hierarchical Representations
/// for Efficient Architecture Search", ICLR 2018. Six motifs of six edges and a cell
/// of ten, seven labels each: 7^46. The paper joins the tensors of a vertex along
/// their channels; here a 1x1 convolution brings them back to their width, so that
/// widths do not depend on the wiring. Evaluate with c = 64.
space hierarchical(image: [3, 32, 32], c = 16, classes = 10) -> [classes]
    = image
    -> conv_bn(out: c) -> top
    -> grow(out: 2 * c) -> top
    -> grow(out: 4 * c) -> top
    -> dw_pw_conv(kernel: 3)
    -> global_pool -> linear(out: classes)
