"""Step times of nasc_torch's supernet of NAS-Bench-201 beside one written by hand.

    PYTHONPATH=src python3 bench/supernet.py NETWORK [--device cuda] [--threads 1] [--steps 10]

NETWORK is a file with the message Network of the space, which `go test ./plugins/python
-run TestNetwork -network FILE` writes for C=16, N=1. A step is one of DARTS' first order: the
gradient of the mixture on one batch and a weight step on another, 64 images of 32x32.
"""

import argparse
import pathlib
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from nasc_plugin import supernet_messages
from nasc_plugin._wire import oneshot_pb2 as pb
from nasc_torch.supernet import Supernet
from nasc_torch.weighing import Rule, Weighing

OPS = 5


class Edge(nn.Module):
    """zero, skip, 1x1, 3x3 and average pooling, weighed."""

    def __init__(self, c):
        super().__init__()
        self.convs = nn.ModuleList(nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, k, padding=k // 2, bias=False),
                                                 nn.BatchNorm2d(c, affine=False)) for k in (1, 3))

    def forward(self, x, w):
        return w[1] * x + w[2] * self.convs[0](x) + w[3] * self.convs[1](x) + w[4] * F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class Cell(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.edges = nn.ModuleList(Edge(c) for _ in range(6))

    def forward(self, x, w):
        nodes, at = [x], 0
        for _ in range(3):
            total = 0
            for n in nodes:
                total = total + self.edges[at](n, w[at])
                at += 1
            nodes.append(total)
        return nodes[-1]


class Residual(nn.Module):
    def __init__(self, c, out):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(c, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
                                  nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c, out, 1, bias=False))

    def forward(self, x, w):
        return self.body(x) + self.short(x)


class Hand(nn.Module):
    """The supernet as one would write it for this space alone."""

    def __init__(self, c=16):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))
        self.body = nn.ModuleList([Cell(c), Residual(c, 2 * c), Cell(2 * c), Residual(2 * c, 4 * c), Cell(4 * c)])
        self.head = nn.Sequential(nn.BatchNorm2d(4 * c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * c, 10))

    def forward(self, x, w):
        x = self.stem(x)
        for m in self.body:
            x = m(x, w)
        return self.head(x)


def by_hand(train, valid, device):
    net = Hand().to(device)
    sgd = torch.optim.SGD(net.parameters(), 0.025, 0.9, weight_decay=3e-4)
    w = torch.full((6, OPS), 1 / OPS, device=device)

    def step():
        v = w.clone().requires_grad_()
        torch.autograd.grad(F.cross_entropy(net(valid[0], v), valid[1]), v)[0].tolist()
        sgd.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(train[0], w), train[1])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        sgd.step()
        loss.item()

    return step


def of_nasc(path, train, valid, device):
    net = Supernet(supernet_messages.network(pb.Network.FromString(pathlib.Path(path).read_bytes()), 1, False), 1)
    work = Weighing(net, Rule(0.9, False, 3e-4, 5), 1, device=device)
    m = [[1 / n] * n for n in net.widths]

    def step():
        work.gradient(valid, m)
        work.move(train, m, 0.025)

    return step


def main():
    p = argparse.ArgumentParser()
    p.add_argument("network")
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--steps", type=int, default=10)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    device = torch.device(a.device)
    train, valid = ((torch.randn(64, 3, 32, 32, device=device), torch.randint(10, (64,), device=device)) for _ in range(2))
    rivals = {"by hand": by_hand(train, valid, device), "nasc_torch": of_nasc(a.network, train, valid, device)}
    times = {name: [] for name in rivals}
    for i in range(a.steps + 2):  # in turns; the first ones warm up
        for name, step in rivals.items():
            start = time.perf_counter()
            step()
            if i >= 2:
                times[name].append(time.perf_counter() - start)
    for name, t in times.items():
        print(f"{name:12} {1000 * statistics.median(t):8.1f} ms a step (fastest {1000 * min(t):.1f})")


main()
