"""Computes ops and their gradients in PyTorch, from a list of jobs on standard input.

A job is an expression of the inputs x (x0, x1 ...) and of the parameters w by name; r
is what the result is multiplied with before it is summed up. The answer to each
job is the result and the gradients of inputs and parameters, in float64.
"""

import json
import sys

import torch
from torch.nn import functional as F


def tensor(t):
    return torch.tensor(t["data"], dtype=torch.float64).reshape(t["shape"]).requires_grad_()


def conv(x, w, stride=1, dilation=1, groups=1, bias=None):
    return F.conv2d(x, w, bias, stride, dilation * (w.shape[-1] - 1) // 2, dilation, groups)


def depthwise(x, w, stride=1, dilation=1):
    return conv(x, w, stride, dilation, x.shape[1])


def bn(x, w, name):
    return F.batch_norm(x, None, None, w[name + ".scale"], w[name + ".shift"], training=True)


def separable(x, w, name, stride=1, dilation=1):
    y = depthwise(F.relu(x), w[name + ".depthwise.weight"], stride, dilation)
    return bn(conv(y, w[name + ".pointwise.weight"]), w, name + ".pointwise.bn")


def conv_bn(x, w, name, stride=1, dilation=1):
    return bn(conv(x, w[name + ".weight"], stride, dilation), w, name + ".bn")


def reduce(x, w):
    x = F.relu(x)
    first, second = F.conv2d(x, w["first.weight"], stride=2), F.conv2d(x[:, :, 1:, 1:], w["second.weight"], stride=2)
    return bn(torch.cat([first, second], 1), w, "bn")


def hard_sigmoid(x):
    """F.hardsigmoid, whose gradient has 1/6 in float32 whatever the type."""
    return torch.clamp(x + 3, 0, 6) / 6


def squeeze_excite(x, w, gate):
    y = F.relu(F.linear(x.mean((2, 3)), w["squeeze.weight"], w["squeeze.bias"]))
    return x * gate(F.linear(y, w["excite.weight"], w["excite.bias"]))[:, :, None, None]


def shuffle(x, groups):
    b, c, h, w = x.shape
    return x.reshape(b, groups, c // groups, h, w).transpose(1, 2).reshape(b, c, h, w)


answers = []
for job in json.load(sys.stdin):
    x, w = [tensor(t) for t in job["inputs"]], {k: tensor(t) for k, t in job["params"].items()}
    y = eval(job["expression"], globals(), {"w": w, "x": x[0], "xs": x})
    (y * tensor(job["r"]).detach()).sum().backward()
    answers.append(
        {
            "result": y.flatten().tolist(),
            "inputs": [t.grad.flatten().tolist() for t in x],
            "params": {k: t.grad.flatten().tolist() for k, t in w.items()},
        }
    )
json.dump(answers, sys.stdout)
