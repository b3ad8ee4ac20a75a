import { relu } from "std/vision"

space s(image: [3, 32, 32]) {
    x = image -> relu
}
