import { conv_bn, relu } from "std/vision"

def block(x):
    return conv_bn(x) -> relu
