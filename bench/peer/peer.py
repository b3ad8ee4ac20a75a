"""Runs one work of the comparison in PyTorch and says how long it takes.

One process is one work in one variant:

    peer.py '{"work": "nasbench201", "channels": 16, "cells": 1, "batch": 32, "image": [3, 32, 32],
              "variant": "eager", "threads": 1}'

It says that it is ready with a line of JSON, then for every line "N" on its standard
input runs the work N times and answers a line of JSON: the seconds of each run, those
of all processors together, and the peak of the resident memory so far, in bytes. It
ends with its input.

Variants: "eager" is what published code does: contiguous tensors, gradients of
everything. "channels_last" is the same in the channels-last memory format. "tuned" is
channels-last, with no gradients of weights in the step of the arch parameters, none of arch
parameters in the step of the weights, and zero operations left out. "compiled" is
tuned under torch.compile.
"""

import json
import resource
import sys
import time

import torch
from torch.nn import functional as F

import nets


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Data:
    """Random images and labels, in the memory format of the variant."""

    def __init__(self, config):
        self.format = torch.contiguous_format if config["variant"] == "eager" else torch.channels_last
        self.batch, self.image = config["batch"], config["image"]
        self.generator = torch.Generator().manual_seed(1)

    def draw(self):
        x = torch.randn(self.batch, *self.image, generator=self.generator)
        return x.contiguous(memory_format=self.format), torch.randint(10, (self.batch,), generator=self.generator)


def compiled(net, config):
    return torch.compile(net) if config["variant"] == "compiled" else net


def supernet(config):
    """A first-order DARTS step: arch parameters on one batch, then weights on another."""
    data = Data(config)
    tuned = config["variant"] in ("tuned", "compiled")
    if config["work"] == "darts":
        net = nets.DARTS(data.image[0], config["channels"], config["cells"], skip=tuned)
    else:
        net = nets.NASBench201(data.image[0], config["channels"], config["cells"], skip=tuned)
    arch = [a.requires_grad_() for a in net.arch_parameters()]
    net = net.to(memory_format=data.format)
    weights = list(net.parameters())
    run = compiled(net, config)
    options = {"foreach": True} if tuned else {}
    descent = torch.optim.SGD(weights, 0.025, momentum=0.9, weight_decay=3e-4, **options)
    adam = torch.optim.Adam(arch, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3, **options)
    train, valid = data.draw(), data.draw()

    def loss(batch):
        images, labels = batch
        return F.cross_entropy(run(images, [F.softmax(a, -1) for a in arch]), labels)

    def learnable(parameters, which):
        if tuned:
            for p in parameters:
                p.requires_grad_(which)

    def step():
        learnable(weights, False)
        adam.zero_grad()
        loss(valid).backward()
        adam.step()
        learnable(weights, True)
        learnable(arch, False)
        descent.zero_grad()
        loss(train).backward()
        torch.nn.utils.clip_grad_norm_(weights, 5.0)
        descent.step()
        learnable(arch, True)

    return step


def training(config):
    """A training step of one architecture."""
    data = Data(config)
    net = nets.NASBench201(data.image[0], config["channels"], config["cells"], ops=config["ops"])
    net = net.to(memory_format=data.format)
    run = compiled(net, config)
    options = {"foreach": True} if config["variant"] in ("tuned", "compiled") else {}
    descent = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, **options)
    images, labels = data.draw()

    def step():
        descent.zero_grad()
        F.cross_entropy(run(images), labels).backward()
        descent.step()

    return step


def convolution(config):
    """One convolution alone: forward, or the gradients of its input and its filters."""
    data = Data(config)
    c, k = data.image[0], config["kernel"]
    groups = c if config["depthwise"] else 1
    x = data.draw()[0]
    w = torch.randn(c, c // groups, k, k).contiguous(memory_format=data.format)

    if config["direction"] == "forward":

        def step():
            with torch.no_grad():
                F.conv2d(x, w, padding=k // 2, groups=groups)

        return step

    dy = torch.randn_like(x)

    def step():
        torch.ops.aten.convolution_backward(
            dy, x, w, None, [1, 1], [k // 2, k // 2], [1, 1], False, [0, 0], groups, [True, True, False]
        )

    return step


WORKS = {"nasbench201": supernet, "darts": supernet, "training": training, "convolution": convolution}


def main():
    config = json.loads(sys.argv[1])
    torch.set_num_threads(config["threads"])
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    if config["variant"] == "compiled" and not hasattr(torch, "compile"):
        print(json.dumps({"missing": "torch.compile"}), flush=True)
        return
    step = WORKS[config["work"]](config)
    step()  # warm-up
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for line in sys.stdin:
        seconds, cpu = [], []
        for _ in range(int(line)):
            start, busy = time.perf_counter(), time.process_time()
            step()
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy)
        print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak()}), flush=True)


main()
