import { conv_bn, skip } from "std/vision"

block edge = skip, conv_bn
space s(image: [3, 32, 32]) = image -> choice(skip, conv_bn)
