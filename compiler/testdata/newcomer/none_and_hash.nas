from std.vision import relu

# the stem
space s(image: [3, 32, 32]) = image -> relu;
