import { conv_bn, linear } from "std/vision"

space s(image: [3, 32, 32]) -> [10] = image -> conv_bn(out: 16) -> linear(out: 10)
