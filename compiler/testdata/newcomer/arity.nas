import { conv_bn, relu } from "std/vision"

space s(image: [3, 32, 32]) = relu(image, conv_bn(image))
