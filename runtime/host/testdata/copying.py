"""An operation that copies its operand, and one that ends its process."""

import os

import nasc_plugin as nasc


class Copy(nasc.Op):
    name = "copy"

    def forward(self, t):
        t.output.data[:] = t.inputs[0].data

    def backward(self, t):
        t.input_grads[0].data[:] = t.output_grad.data


class Fragile(Copy):
    name = "fragile"

    def forward(self, t):
        if t.inputs[0].data[0] == self.attributes["fatal"]:
            os._exit(3)
        super().forward(t)


nasc.serve(nasc.Plugin("test/copy", "0.1.0", "Copies.", ops=[Copy, Fragile], signatures="""
/// A copy.
op copy(x: [c, h, w]) -> [c, h, w]
/// A copy whose process ends when the first number of its operand is the fatal one.
op fragile(x: [c, h, w], fatal: real = 13.0) -> [c, h, w]
"""))
