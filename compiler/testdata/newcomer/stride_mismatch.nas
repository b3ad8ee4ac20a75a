import { conv_bn, skip } from "std/vision"

cell reduce(x) {
    node a = conv_bn(x, stride: 2)
    node b = skip(x)
    return sum([a, b])
}
space s(image: [16, 32, 32]) = image -> reduce
