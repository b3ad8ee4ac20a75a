/// x / (1 + |x|), which lies between -1 and 1, times a learned gain for each channel.
op squash(x: [c, h, w]) -> [c, h, w] {
    params = c
    macs   = c * h * w
}
