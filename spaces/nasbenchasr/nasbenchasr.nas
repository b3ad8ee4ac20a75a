import { zero, skip } from "std/vision"
import { conv_relu, frame_linear, frame_norm, lstm } from "std/asr"

block main
    = frame_linear
    | conv_relu(kernel: 5, groups: 100)
    | conv_relu(kernel: 5, dilation: 2, groups: 100)
    | conv_relu(kernel: 7, groups: 100)
    | conv_relu(kernel: 7, dilation: 2, groups: 100)
    | zero

block branch = zero | skip

/// Three vertices: an operation on the vertex before, and a skip connection or none
/// from every earlier one.
cell micro(x) {
    node n[3] = sum([main(prev[len(prev) - 1]), sum(branch(prev))])
    return n[2] -> frame_norm
}

/// A convolution that may halve the frames, then cells.
block stage(out: int, stride: int, cells: int)
    = conv_relu(out: out, kernel: 8, stride: stride) -> frame_norm -> micro * cells

/// NAS-Bench-ASR: one cell for speech recognition on TIMIT, repeated 3, 4, 5 and 6
/// times, then a recurrent layer and a classifier of frames.
///
/// Mehrotra, Ramos, Bhattacharya, Dudziak, Vipperla, Chau, Abdelfattah, Ishtiaq and
/// Lane, "NAS-Bench-ASR: Reproducible Neural Architecture Search for Speech
/// Recognition", ICLR 2021. 6^3 operations times 2^6 skip connections are 13,824. The
/// paper's 8,242 counts graphs of operations up to isomorphism, in which the skip
/// connections of a vertex go when its operation is absent; a vertex still holds what
/// was skipped to it, so more networks than that differ.
space nasbenchasr(sound: [80, frames, 1], frames = 400, c = 200, classes = 48)
    -> [classes, frames / 4, 1]
    = sound
    -> stage(out: 3 * c, stride: 1, cells: 3)
    -> stage(out: 4 * c, stride: 1, cells: 4)
    -> stage(out: 5 * c, stride: 2, cells: 5)
    -> stage(out: 6 * c, stride: 2, cells: 6)
    -> lstm(units: 5 * c / 2) -> frame_linear(out: classes, clipped: false)
