import { conv_bn, relu, linaer } from "std/vision"

cell c(x) {
    node a = conv_bn(x, kernal: 3)
    node b = rellu(a)
    return sum([a, c])
}

space s(image: [3, 32, 32]) -> [10] = image -> c -> linear(out: "ten")
