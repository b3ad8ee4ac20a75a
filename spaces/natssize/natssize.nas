import { relu_conv_bn, conv_bn, shortcut, residual, batch_norm, relu, global_pool,
         linear } from "std/vision"

/// The best cell of NAS-Bench-201 on CIFAR-100.
cell best(x, out: int) {
    node n1 = relu_conv_bn(x, kernel: 3, out: out)
    node n2 = sum([relu_conv_bn(x, kernel: 3, out: out), relu_conv_bn(n1, kernel: 3)])
    node n3 = sum([shortcut(x, out: out), relu_conv_bn(n1, kernel: 3), relu_conv_bn(n2, kernel: 3)])
    return n3
}

/// NATS-Bench, size search space: five widths of a network whose cell is fixed.
///
/// Dong, Liu, Musial and Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for
/// Architecture Topology and Size", IEEE TPAMI 2021. Its number is 8^5 = 32,768.
space natssize(image: [3, 32, 32], classes = 10) -> [classes] {
    c1 = 8..64 by 8
    c2 = 8..64 by 8
    c3 = 8..64 by 8
    c4 = 8..64 by 8
    c5 = 8..64 by 8
    return image
        -> conv_bn(out: c1)
        -> best(out: c1)
        -> residual(out: c2, stride: 2)
        -> best(out: c3)
        -> residual(out: c4, stride: 2)
        -> best(out: c5)
        -> batch_norm -> relu -> global_pool -> linear(out: classes)
}
