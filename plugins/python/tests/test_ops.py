"""Operations: gradients, and the connection over which they are computed."""

import array
import os
import socket
import struct
import tempfile

import pytest

from nasc_plugin import Op, Plugin, Weight, ops, testing
from nasc_plugin._wire import nasc_pb2 as pb

SIGNATURES = "/// x times w.\nop scale(x: [c, h, w], bad: bool = false) -> [c, h, w] { params = 1 }\n"


class Scale(Op):
    name = "scale"

    def weights(self):
        return [Weight("w", [1], mean=1.0)]

    def forward(self, t):
        w = t.weights[0].data[0]
        t.output.data[:] = array.array("f", [w * x for x in t.inputs[0].data])

    def backward(self, t):
        w = 2 * t.weights[0].data[0] if self.attributes["bad"] else t.weights[0].data[0]
        t.input_grads[0].data[:] = array.array("f", [w * d for d in t.output_grad.data])
        t.weight_grads[0].data[0] += sum(d * x for d, x in zip(t.output_grad.data, t.inputs[0].data))


PLUGIN = Plugin("me/scale", "0.1.0", "", ops=[Scale], signatures=SIGNATURES)


def test_gradients():
    testing.gradients(PLUGIN, "scale", [(2, 3)], (2, 3), bad=False)
    with pytest.raises(AssertionError, match="the gradient of number"):
        testing.gradients(PLUGIN, "scale", [(2, 3)], (2, 3), bad=True)


def test_declaration():
    PLUGIN.check()
    with pytest.raises(ValueError, match="its signatures declare none"):
        Plugin("me/scale", "0.1.0", "", ops=[Scale]).check()
    with pytest.raises(ValueError, match="computed for nothing"):
        Plugin("me/scale", "0.1.0", "", signatures=SIGNATURES).check()


class Host:
    """What an evaluator does at the other end."""

    def __init__(self, folder, secret=b"s" * 32):
        self.request = pb.OpsOpenRequest(socket=os.path.join(folder, "operations"), secret=b"s" * 32, folder=folder)
        ops.serve([Scale], self.request)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(self.request.socket)
        self.socket.sendall(secret)
        self.send(b"/nasc.v1.Ops/Work")

    def send(self, data):
        self.socket.sendall(struct.pack(">BI", 0, len(data)) + data)

    def ask(self, **request):
        self.send(pb.OpsWorkRequest(**request).SerializeToString())
        kind, length = struct.unpack(">BI", self.take(5))
        assert kind == 0
        return pb.OpsWorkResponse.FromString(self.take(length))

    def take(self, n):
        out = b""
        while len(out) < n:
            more = self.socket.recv(n - len(out))
            if not more:
                raise EOFError
            out += more
        return out


def shape(*dimensions):
    return pb.TensorShape(dimensions=dimensions)


def tensors(folder, shapes):
    """Writes a file of tensors, as package segment of nasc does."""
    header, at = b"NASCTNS1" + struct.pack("=I", len(shapes)), []
    total = len(header) + sum(4 + 4 * len(s) + 8 for s in shapes)
    for s in shapes:
        at.append(total)
        size = 4
        for d in s:
            size *= d
        total += size
    for s, a in zip(shapes, at):
        header += struct.pack(f"=I{len(s)}I", len(s), *s) + struct.pack("=Q", a)
    path = os.path.join(folder, "tensors-1")
    with open(path, "wb") as f:
        f.write(header.ljust(total, b"\0"))
    return path, at


def test_work():
    with tempfile.TemporaryDirectory() as folder:
        h = Host(folder)
        value = pb.Value(bool=False)
        place = pb.PlaceOp(id=1, op="scale", attributes=[pb.Attribute(name="bad", value=value)], inputs=[shape(2, 2)], output=shape(2, 2))
        placed = h.ask(place=place).placed
        assert [(w.name, list(w.shape.dimensions), w.mean) for w in placed.weights] == [("w", [1], 1.0)]
        assert "already" in h.ask(place=place).error.message
        assert "no tensors" in h.ask(forward=pb.ForwardOp(id=1)).error.message
        assert "not in the folder" in h.ask(attach=pb.AttachTensors(id=1, file="../x")).error.message
        once = [(2, 2), (1,), (2, 2)]
        path, at = tensors(folder, once + once)
        assert h.ask(attach=pb.AttachTensors(id=1, file="tensors-1")).HasField("done")
        with open(path, "r+b") as f:
            f.seek(at[0])
            f.write(struct.pack("=4f", 1, 2, 3, 4))
            f.seek(at[1])
            f.write(struct.pack("=f", 10))
            f.flush()
            assert "before there is a result" in h.ask(backward=pb.BackwardOp(id=1)).error.message
            assert h.ask(forward=pb.ForwardOp(id=1, training=True, seed=3)).HasField("done")
            f.seek(at[2])
            assert struct.unpack("=4f", f.read(16)) == (10, 20, 30, 40)
            f.seek(at[5])
            f.write(struct.pack("=4f", 1, 1, 1, 1))
            f.flush()
            for _ in range(2):  # gradients are zero before
                assert h.ask(backward=pb.BackwardOp(id=1)).HasField("done")
            f.seek(at[3])
            assert struct.unpack("=4f", f.read(16)) == (10, 10, 10, 10)
            f.seek(at[4])
            assert struct.unpack("=f", f.read(4)) == (10,)
        assert "no operation 'other'" in h.ask(place=pb.PlaceOp(id=2, op="other")).error.message


def test_secret():
    with tempfile.TemporaryDirectory() as folder:
        with pytest.raises((EOFError, OSError)):  # already when it sends more
            Host(folder, secret=b"x" * 32).ask(forward=pb.ForwardOp(id=1))


@pytest.mark.parametrize("data", [b"", b"something", b"NASCTNS1", b"NASCTNS1" + struct.pack("=IIIQ", 1, 1, 4, 1 << 20)])
def test_damaged(data):
    with tempfile.TemporaryDirectory() as folder:
        h = Host(folder)
        h.ask(place=pb.PlaceOp(id=1, op="scale", inputs=[shape(2, 2)], output=shape(2, 2)))
        with open(os.path.join(folder, "bad"), "wb") as f:
            f.write(data)
        assert h.ask(attach=pb.AttachTensors(id=1, file="bad")).error.message
        assert h.ask(attach=pb.AttachTensors(id=1, file="none")).error.message


def test_numpy():
    numpy = pytest.importorskip("numpy")
    t = ops.Tensor((2, 3), memoryview(array.array("f", range(6))))
    a = t.array
    assert a.shape == (2, 3) and a.dtype == numpy.float32
    a[1, 2] = 50
    assert t.data[5] == 50
