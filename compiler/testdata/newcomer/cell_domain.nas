import { conv_bn } from "std/vision"

cell c(x, most: int) = conv_bn(x, out: 8..most by 8)
space s(image: [3, 32, 32]) = image -> c(most: 16) -> c(most: 32)
