space s(image: [3, 32, 32]) = image -> conv_bn(out: 16) -> relu
