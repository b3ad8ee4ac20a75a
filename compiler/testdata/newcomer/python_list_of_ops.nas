import { conv_bn, skip } from "std/vision"

let ops = [skip, conv_bn(kernel: 3), conv_bn(kernel: 5)]
space s(image: [3, 32, 32]) = image -> ops -> ops
