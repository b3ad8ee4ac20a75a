import { Conv_BN, ReLU } from "std/vision"

space s(image: [3, 32, 32]) = image -> Conv_BN(out: 16) -> ReLU
