"""Reads what nasc's engine writes for comparisons: files of Go's package checkpoint whose
description lists the arrays, all float32, under "arrays"."""

import json
import pathlib
import struct
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src"))
torch.set_num_threads(1)


def read(path):
    """The description, and the arrays by name."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"nasc.chk", path
    _, _, length = struct.unpack("<IQQ", data[8:28])
    description, at, arrays = json.loads(data[28:28 + length]), 28 + length, {}
    for a in description["arrays"]:
        n = int(np.prod(a["shape"], dtype=np.int64))
        arrays[a["name"]] = torch.from_numpy(np.frombuffer(data, "<f4", n, at).reshape(a["shape"]).copy())
        at += 4 * n
    return description, arrays


def images(x):
    """Maps (B,C,H,W), which the engine keeps with the channels last in memory."""
    b, c, h, w = x.shape
    return x.reshape(b, h, w, c).permute(0, 3, 1, 2).contiguous()
