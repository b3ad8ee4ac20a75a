import { relu, skip } from "std/vision"

block tree = relu | tree -> skip
space s(image: [3, 32, 32]) = image -> tree
