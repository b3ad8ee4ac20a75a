"""Builds the supernets of files in a folder in PyTorch and prints, for each, loss and gradients
of its mixture with the engine's weights: of first order, of second order, and the losses of
weight steps. Where a file says so it computes in float64, and only the gradient."""

import base64
import json
import pathlib
import sys

import exchange
import torch

from nasc_plugin import supernet_messages as messages
from nasc_plugin._wire import oneshot_pb2 as pb
from nasc_torch.network import load_weights
from nasc_torch.supernet import Supernet
from nasc_torch.weighing import Rule, Weighing

answers = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    d, arrays = exchange.read(path)
    double = d.get("double", False)
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    m = pb.Network.FromString(base64.b64decode(d["network"]))
    net = Supernet(messages.network(m, 1, False), plain=d["plain"], shared=d["shared"])
    train, valid = ((exchange.images(arrays.pop(part)).to(torch.get_default_dtype()), torch.tensor(d["labels"])) for part in ("train", "valid"))
    weights = {k: v for k, v in net.weights().items() if not k.endswith((".mean", ".var"))}
    assert set(weights) == set(arrays), (path, sorted(set(weights) ^ set(arrays))[:5])
    load_weights(weights, arrays)
    work, mixture = Weighing(net, Rule(0.9, True, d["decay"], 5), 1), d["mixture"]
    loss, gradient = work.gradient(valid, mixture)
    answers[path.name] = {"losses": [loss], "first": sum(gradient, [])}
    if double:
        continue
    with work.scoring(running=False):
        score = work.score(valid, mixture)[0]
    second = work.unrolled(train, valid, mixture, d["rate"], 0.01)[1]
    steps = [work.move(train, mixture, d["rate"]) for _ in range(2)]
    answers[path.name] = {"losses": [loss, score, *steps], "first": sum(gradient, []), "second": sum(second, [])}
json.dump(answers, sys.stdout)
