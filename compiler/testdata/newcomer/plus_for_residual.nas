import { conv_bn } from "std/vision"

block res(x) = x + conv_bn(x)
space s(image: [16, 32, 32]) = image -> res
