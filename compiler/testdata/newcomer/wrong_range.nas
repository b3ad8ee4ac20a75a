import { conv_bn } from "std/vision"

space s(image: [3, 32, 32]) = image -> conv_bn(out: range(8, 64, 8)) -> conv_bn(kernel: {3, 5})
