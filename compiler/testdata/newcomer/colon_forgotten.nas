import { conv_bn } from "std/vision"

space s(image: [3, 32, 32]) = image -> conv_bn(out 16)
