"""Trains cells of NAS-Bench-201 in PyTorch and says the loss of every step.

Standard input is a job in JSON; the file that it names holds, in float32, the
parameters one after the other and then for every step the images (B,C,H,W), channels
last in memory, and the labels.
"""

import array
import json
import sys

import torch
from torch.nn import functional as F

torch.set_num_threads(1)
job = json.load(sys.stdin)
numbers = array.array("f")
with open(job["file"], "rb") as f:
    numbers.frombytes(f.read())
at = 0


def take(*shape):
    global at
    n = 1
    for d in shape:
        n *= d
    at += n
    return torch.tensor(numbers[at - n : at]).reshape(shape)


w = {p["name"]: take(*p["shape"]).requires_grad_() for p in job["params"]}


def bn(x, name):
    return F.batch_norm(x, None, None, w[name + ".scale"], w[name + ".shift"], training=True)


def conv_bn(x, name, stride=1):
    k = w[name + ".weight"]
    return bn(F.conv2d(x, k, None, stride, k.shape[-1] // 2), name + ".bn")


def edge(x, op, name):
    if op == "zero":
        return torch.zeros_like(x)
    if op == "skip":
        return x
    if op == "avg_pool":
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return conv_bn(F.relu(x), name + "conv")


def cell(x, path):
    nodes, ops, position = [x], iter(job["ops"]), 0
    while len(nodes) < 4:
        total = 0
        for node in nodes:
            op = next(ops)
            total = total + edge(node, op, f"{path}{position}:{op}/")
            position += 1
        nodes.append(total)
        position += 1  # of the sum
    return nodes[3]


def residual(x, name):
    y = conv_bn(F.relu(conv_bn(F.relu(x), name + "first", 2)), name + "second")
    return F.conv2d(F.avg_pool2d(x, 2), w[name + "shortcut.weight"]) + y


def network(x):
    x = cell(conv_bn(x, "0:conv_bn/conv"), "1:normal[0]/")
    x = cell(residual(x, "2:residual/"), "3:normal[0]/")
    x = cell(residual(x, "4:residual/"), "5:normal[0]/")
    x = F.relu(bn(x, "6:batch_norm/bn")).mean((2, 3))
    return F.linear(x, w["9:linear/weight"], w["9:linear/bias"])


descent = torch.optim.SGD(w.values(), job["lr"], momentum=0.9, nesterov=True, weight_decay=5e-4)
losses = []
b, c, height, width = job["images"]
for _ in range(job["steps"]):
    images = take(b, height, width, c).permute(0, 3, 1, 2)
    labels = take(b).long()
    descent.zero_grad()
    loss = F.cross_entropy(network(images), labels)
    loss.backward()
    descent.step()
    losses.append(loss.item())
json.dump(losses, sys.stdout)
