import { global_pool, linear } from "std/vision"

space s(image: [1, 3, 32, 32]) = image -> global_pool -> linear(out: 10)
