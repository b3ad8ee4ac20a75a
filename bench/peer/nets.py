"""The networks of the comparison in PyTorch, written from the papers.

NAS-Bench-201: Dong and Yang, ICLR 2020. DARTS: Liu, Simonyan and Yang, ICLR 2019.
A supernet of either has a mixed operation on every edge: the sum of all candidate
operations, each times its mixture weight.
"""

import torch
from torch import nn
from torch.nn import functional as F


class BatchNorm(nn.BatchNorm2d):
    """In a supernet without scale, shift and running statistics, as both papers do."""

    def __init__(self, channels, searched):
        super().__init__(channels, affine=not searched, track_running_stats=not searched)


def relu_conv_bn(cin, cout, kernel, stride, searched):
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
        BatchNorm(cout, searched),
    )


class Zero(nn.Module):
    def __init__(self, stride=1):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class FactorizedReduce(nn.Module):
    """Half the size: two 1x1 convolutions, the second one pixel further."""

    def __init__(self, cin, cout, searched):
        super().__init__()
        self.even = nn.Conv2d(cin, cout // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(cin, cout - cout // 2, 1, 2, bias=False)
        self.bn = BatchNorm(cout, searched)

    def forward(self, x):
        x = F.relu(x)
        return self.bn(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


class Mixed(nn.Module):
    """A mixed operation. Skip drops the candidates that are always zero."""

    def __init__(self, candidates, skip):
        super().__init__()
        self.kept = [i for i, op in enumerate(candidates) if not (skip and isinstance(op, Zero))]
        self.ops = nn.ModuleList(candidates[i] for i in self.kept)

    def forward(self, x, weights):
        return sum(weights[i] * op(x) for i, op in zip(self.kept, self.ops))


# NAS-Bench-201


def nasbench201_candidates(c):
    return [
        Zero(),
        nn.Identity(),
        relu_conv_bn(c, c, 1, 1, True),
        relu_conv_bn(c, c, 3, 1, True),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    ]


class NASBench201SearchCell(nn.Module):
    """Four vertices, a mixed operation between each and every earlier one."""

    def __init__(self, c, skip):
        super().__init__()
        self.edges = nn.ModuleList(Mixed(nasbench201_candidates(c), skip) for _ in range(6))

    def forward(self, x, weights):
        nodes, e = [x], 0
        for n in range(3):
            total = 0
            for prev in nodes:
                total = total + self.edges[e](prev, weights[e])
                e += 1
            nodes.append(total)
        return nodes[-1]


def nasbench201_op(op, c):
    """The operation of an edge of a single architecture, by its name in the benchmark."""
    return {
        "none": lambda: None,
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: relu_conv_bn(c, c, 1, 1, False),
        "nor_conv_3x3": lambda: relu_conv_bn(c, c, 3, 1, False),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    }[op]()


class NASBench201Cell(nn.Module):
    """A cell of one architecture: six operations, edges in the order 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""

    def __init__(self, c, ops):
        super().__init__()
        self.edges = nn.ModuleList(nasbench201_op(op, c) for op in ops)

    def forward(self, x):
        nodes, e = [x], 0
        for n in range(3):
            total = None
            for prev in nodes:
                op = self.edges[e]
                e += 1
                if op is not None:
                    y = op(prev)
                    total = y if total is None else total + y
            nodes.append(torch.zeros_like(x) if total is None else total)
        return nodes[-1]


class Residual(nn.Module):
    """Between the stages: two 3x3 convolutions beside average pooling and a 1x1 convolution."""

    def __init__(self, cin, cout, searched):
        super().__init__()
        self.a = relu_conv_bn(cin, cout, 3, 2, searched)
        self.b = relu_conv_bn(cout, cout, 3, 1, searched)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(cin, cout, 1, bias=False))

    def forward(self, x):
        return self.shortcut(x) + self.b(self.a(x))


class NASBench201(nn.Module):
    """The skeleton. Ops None makes the supernet, else a list of six names."""

    def __init__(self, image, c, n, classes=10, ops=None, skip=False):
        super().__init__()
        self.searched = ops is None
        self.stem = nn.Sequential(nn.Conv2d(image, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))
        cells = []
        for stage in range(3):
            w = c << stage
            if stage > 0:
                cells.append(Residual(w // 2, w, self.searched))
            for _ in range(n):
                cells.append(NASBench201SearchCell(w, skip) if self.searched else NASBench201Cell(w, ops))
        self.cells = nn.ModuleList(cells)
        self.bn = nn.BatchNorm2d(4 * c)
        self.classifier = nn.Linear(4 * c, classes)

    def arch_parameters(self):
        return [torch.zeros(6, 5)]

    def forward(self, x, weights=None):
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x, weights[0]) if isinstance(cell, NASBench201SearchCell) else cell(x)
        return self.classifier(F.relu(self.bn(x)).mean((2, 3)))


# DARTS


def sep_conv(c, kernel, stride):
    def half(s):
        return [
            nn.ReLU(),
            nn.Conv2d(c, c, kernel, s, kernel // 2, groups=c, bias=False),
            nn.Conv2d(c, c, 1, bias=False),
            BatchNorm(c, True),
        ]

    return nn.Sequential(*half(stride), *half(1))


def dil_conv(c, kernel, stride):
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c, c, kernel, stride, kernel - 1, dilation=2, groups=c, bias=False),
        nn.Conv2d(c, c, 1, bias=False),
        BatchNorm(c, True),
    )


def darts_candidates(c, stride):
    return [
        Zero(stride),
        nn.Sequential(nn.MaxPool2d(3, stride, 1), BatchNorm(c, True)),
        nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), BatchNorm(c, True)),
        nn.Identity() if stride == 1 else FactorizedReduce(c, c, True),
        sep_conv(c, 3, stride),
        sep_conv(c, 5, stride),
        dil_conv(c, 3, stride),
        dil_conv(c, 5, stride),
    ]


class DARTSCell(nn.Module):
    """Two inputs and four nodes, each the sum of mixed operations on all before it."""

    def __init__(self, before, last, c, reduction, reduced, skip):
        super().__init__()
        self.reduction = reduction
        self.first = FactorizedReduce(before, c, True) if reduced else relu_conv_bn(before, c, 1, 1, True)
        self.second = relu_conv_bn(last, c, 1, 1, True)
        self.edges = nn.ModuleList()
        for n in range(4):
            for prev in range(2 + n):
                stride = 2 if reduction and prev < 2 else 1
                self.edges.append(Mixed(darts_candidates(c, stride), skip))

    def forward(self, a, b, weights):
        nodes, e = [self.first(a), self.second(b)], 0
        for n in range(4):
            total = 0
            for prev in nodes:
                total = total + self.edges[e](prev, weights[e])
                e += 1
            nodes.append(total)
        return torch.cat(nodes[2:], 1)


class DARTS(nn.Module):
    """Cells in a row, those after a third and two thirds of them reductions."""

    def __init__(self, image, c, cells, classes=10, skip=False):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(image, 3 * c, 3, 1, 1, bias=False), nn.BatchNorm2d(3 * c))
        before, last, reduced = 3 * c, 3 * c, False
        self.cells = nn.ModuleList()
        for i in range(cells):
            reduction = i in (cells // 3, 2 * cells // 3)
            if reduction:
                c *= 2
            self.cells.append(DARTSCell(before, last, c, reduction, reduced, skip))
            before, last, reduced = last, 4 * c, reduction
        self.classifier = nn.Linear(last, classes)

    def arch_parameters(self):
        return [torch.zeros(14, 8), torch.zeros(14, 8)]  # of normal cells, of reductions

    def forward(self, x, weights):
        a = b = self.stem(x)
        for cell in self.cells:
            a, b = b, cell(a, b, weights[int(cell.reduction)])
        return self.classifier(b.mean((2, 3)))
