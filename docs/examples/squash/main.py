"""The operation squash, softsign with a learned gain for each channel (Turian, Bergstra and
Bengio 2009 use softsign). It needs no NumPy; with it, t.inputs[0].array is an array."""

import pathlib
from array import array

import nasc_plugin as nasc


class Squash(nasc.Op):
    """The operation at one place of a network."""

    name = "squash"

    def start(self):
        self.examples, self.channels, height, width = self.inputs[0]
        self.pixels = height * width

    def weights(self):
        return [nasc.Weight("gain", [self.channels], mean=1)]

    def forward(self, t):
        x, y = t.inputs[0].data, t.output.data
        for channel, plane in self.planes():
            gain = t.weights[0].data[channel]
            y[plane] = array("f", [gain * v / (1 + abs(v)) for v in x[plane]])

    def backward(self, t):
        x, dy, dx, dgain = t.inputs[0].data, t.output_grad.data, t.input_grads[0].data, t.weight_grads[0].data
        for channel, plane in self.planes():
            gain = t.weights[0].data[channel]
            dx[plane] = array("f", [gain * d / (1 + abs(v)) ** 2 for v, d in zip(x[plane], dy[plane])])
            dgain[channel] += sum(d * v / (1 + abs(v)) for v, d in zip(x[plane], dy[plane]))

    def planes(self):
        """Every channel of every example, and where its numbers are."""
        for i in range(self.examples * self.channels):
            yield i % self.channels, slice(i * self.pixels, (i + 1) * self.pixels)


signatures = (pathlib.Path(__file__).parent / "ops.nas").read_text()
plugin = nasc.Plugin("me/squash", "0.1.0", "Squashes numbers to between -1 and 1, and scales them.", ops=[Squash], signatures=signatures)

if __name__ == "__main__":
    nasc.serve(plugin)
