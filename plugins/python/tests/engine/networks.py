"""Builds the graphs of files in a folder in PyTorch and prints, for each, the logits with the
engine's weights: with batch norm by the batch, and in evaluation after one training pass."""

import base64
import json
import pathlib
import sys

import exchange
import torch

from nasc_plugin import messages
from nasc_torch import Network, load_weights
from nasc_torch.network import set_norm

answers = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    description, arrays = exchange.read(path)
    net = Network(messages.graph(base64.b64decode(description["graph"])))
    x = exchange.images(arrays.pop("images"))
    weights = {k: v for k, v in net.weights().items() if not k.endswith((".mean", ".var"))}
    assert set(weights) == set(arrays), (path, sorted(set(weights) ^ set(arrays))[:5])
    load_weights(weights, arrays)
    with torch.no_grad():
        net.eval()
        set_norm(net, "batch")
        batch = net(x)
        set_norm(net, "usual")
        net.train()
        net(x)
        net.eval()
        answers[path.name] = {"batch": batch.flatten().tolist(), "eval": net(x).flatten().tolist(),
                              "params": sum(p.numel() for p in net.parameters())}
json.dump(answers, sys.stdout)
