"""Operations: what an author writes, and how their process computes them.

    class Turn(nasc.Op):
        name = "turn"

        def weights(self):
            return [nasc.Weight("angle", [self.inputs[0][1] // 2])]

        def forward(self, t): ...
        def backward(self, t): ...

    nasc.serve(nasc.Plugin("me/turn", "0.1.0", "Turns.", ops=[Turn], signatures=open("ops.nas").read()))

An evaluator's process connects to a Unix socket that the host names, says a secret that
the host has told both, and asks for one thing after the other. Tensors are in files that
both processes have mapped. Ops in plugins/proto of nasc is the contract.
"""

from __future__ import annotations

import hmac
import logging
import mmap
import os
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ._wire import nasc_pb2 as pb
from .rng import Stream

_MAGIC = b"NASCTNS1"
_METHOD = b"/nasc.v1.Ops/Work"
_MESSAGE, _END = 0, 1
_MAX_MESSAGE = 64 << 20
_UNKNOWN, _UNIMPLEMENTED, _INTERNAL = 2, 12, 13  # codes of gRPC


@dataclass
class Weight:
    """A trainable tensor. Its numbers start from a normal distribution of this mean and
    deviation; who trains the network keeps them and moves them."""

    name: str
    shape: Sequence[int]
    mean: float = 0.0
    deviation: float = 0.0


class Tensor:
    """An array of float32 numbers, those of the last dimension side by side. Of a map the
    dimensions are examples, channels, height and width."""

    def __init__(self, shape: Sequence[int], data: memoryview):
        self.shape = tuple(shape)
        self.data = data
        """The numbers, as a flat memoryview of floats."""

    @property
    def array(self) -> Any:
        """The same numbers as a NumPy array of the shape, for who has NumPy."""
        import numpy

        return numpy.frombuffer(self.data, dtype=numpy.float32).reshape(self.shape)


@dataclass
class Tensors:
    """What an operation computes with. The tensors are valid during the call."""

    inputs: List[Tensor]
    weights: List[Tensor]
    output: Tensor
    input_grads: List[Tensor] = field(default_factory=list)  # of backward only, zero before
    weight_grads: List[Tensor] = field(default_factory=list)
    output_grad: Optional[Tensor] = None
    training: bool = True  # and not a measurement
    seed: int = 0

    def rand(self, name: str) -> Stream:
        """The random stream of a name, the same in forward and in backward. It is another
        one in each step."""
        return Stream(self.seed, name, 0)


class Op:
    """An operation at one place of a network. Its name is that of an `op` of the plugin's
    signatures.

    It keeps nothing from one step of a training to the next: the process may die and be
    started anew in between. What forward computes and backward needs again it may keep.
    """

    name: str = ""
    inputs: List[Tuple[int, ...]]  # shapes of the operands, examples first
    output: Tuple[int, ...]  # that of the result, as the signature says
    attributes: Mapping[str, Any]
    threads: int = 0  # to keep busy; 0: as it likes

    def start(self) -> None:
        """Begins, when shapes and attributes are set. An exception refuses the place."""

    def weights(self) -> List[Weight]:
        """Its trainable tensors. Together they have as many numbers as `params` of the
        signature says."""
        return []

    def forward(self, t: Tensors) -> None:
        """Computes every number of t.output from t.inputs and t.weights."""
        raise NotImplementedError

    def backward(self, t: Tensors) -> None:
        """After forward, with the same tensors and the gradient of the output, computes
        those of the inputs and the weights."""
        raise NotImplementedError


def declared(signatures: str) -> List[str]:
    """The names of the operations that signatures want computed."""
    return re.findall(r"(?m)^\s*op\s+([A-Za-z][A-Za-z0-9_]*)", signatures)


def check(ops: Sequence[type], signatures: str) -> None:
    """Raises a ValueError where operations and signatures do not fit."""
    names = [o.name for o in ops]  # type: ignore[attr-defined]
    if sorted(names) != sorted(declared(signatures)):
        raise ValueError(f"operations are computed for {', '.join(names) or 'nothing'}, and its signatures declare "
                         f"{', '.join(declared(signatures)) or 'none'} with `op`")


def serve(ops: Sequence[type], request: Any) -> None:
    """Listens at the socket of a request to open, from a thread of its own."""
    if os.path.exists(request.socket):
        os.remove(request.socket)  # of a process that has died
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(request.socket)
    listener.listen()

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_Workshop(ops, request, connection).run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


class _Gone(Exception):
    """The other side has closed the connection."""


class _Placed:
    """An operation with its tensors."""

    def __init__(self, op: Op, shapes: List[Tuple[int, ...]], weights: int):
        self.op = op
        self.shapes = shapes
        self.weight_count = weights
        self.tensors: Optional[Tensors] = None
        self.done = False

    def attach(self, path: str) -> None:
        with open(path, "r+b") as f:
            memory = mmap.mmap(f.fileno(), 0)
        all = list(_tensors(memory))
        if [t.shape for t in all] != self.shapes:
            raise ValueError("the file holds other tensors than those of the operation")
        n, w = len(self.op.inputs), self.weight_count
        half = n + w + 1
        self.tensors = Tensors(all[:n], all[n:n + w], all[n + w], all[half:half + n], all[half + n:half + n + w], all[-1])


def _tensors(memory: mmap.mmap) -> Any:
    """The tensors of a file."""
    if memory[:8] != _MAGIC:
        raise ValueError("the file holds no tensors")
    at = 8

    def take(form: str) -> int:
        nonlocal at
        (v,) = struct.unpack_from("=" + form, memory, at)
        at += struct.calcsize("=" + form)
        return int(v)

    view = memoryview(memory)
    for _ in range(take("I")):
        shape = tuple(take("I") for _ in range(take("I")))
        size = 4
        for d in shape:
            size *= d
        begin = take("Q")
        if begin % 4 or begin + size > len(memory):
            raise ValueError(f"a tensor of shape {shape} at byte {begin} of {len(memory)}")
        yield Tensor(shape, view[begin:begin + size].cast("f"))


class _Workshop:
    """Where the operations of one network are computed."""

    def __init__(self, ops: Sequence[type], opened: Any, connection: socket.socket):
        self.ops = ops
        self.opened = opened
        self.connection = connection
        self.placed: Dict[int, _Placed] = {}
        self.rest = b""

    def run(self) -> None:
        """Answers until the other side is gone."""
        try:
            self.connection.settimeout(10)
            if not hmac.compare_digest(self._take(len(self.opened.secret)), self.opened.secret):
                return
            self.connection.settimeout(None)
            if self._frame() != _METHOD:
                self._send(_END, pb.End(code=_UNIMPLEMENTED, message="there is no such stream"))
                return
            while True:
                m = pb.OpsWorkRequest()
                m.ParseFromString(self._frame())
                try:
                    response = self._answer(m)
                except Exception as e:
                    logging.getLogger("nasc").debug("an operation failed", exc_info=True)
                    response = pb.OpsWorkResponse(error=pb.Problem(message=str(e) or type(e).__name__))
                self._send(_MESSAGE, response)
        except (_Gone, OSError):
            pass
        except Exception as e:
            self._send(_END, pb.End(code=_INTERNAL, message=str(e)))
        finally:
            self.placed.clear()
            self.connection.close()

    def _take(self, n: int) -> bytes:
        while len(self.rest) < n:
            more = self.connection.recv(1 << 16)
            if not more:
                raise _Gone()
            self.rest += more
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def _frame(self) -> bytes:
        kind, length = struct.unpack(">BI", self._take(5))
        if kind != _MESSAGE or length > _MAX_MESSAGE:
            raise ValueError(f"a frame of kind {kind} with {length} bytes")
        return self._take(length)

    def _send(self, kind: int, m: Any) -> None:
        data = m.SerializeToString()
        self.connection.sendall(struct.pack(">BI", kind, len(data)) + data)

    def _answer(self, m: Any) -> Any:
        what = m.WhichOneof("request")
        if what == "place":
            return self._place(m.place)
        if what is None:
            raise ValueError("the message asks for nothing that is known")
        r = getattr(m, what)
        p = self.placed.get(r.id)
        if p is None or what != "attach" and p.tensors is None:
            raise ValueError(f"there is no operation {r.id}, or it has no tensors")
        if what == "attach":
            if os.path.basename(r.file) != r.file or p.tensors is not None:
                raise ValueError(f"the tensors of operation {r.id} are there already, or not in the folder for them")
            p.attach(os.path.join(self.opened.folder, r.file))
        elif what == "forward":
            t = p.tensors
            t.training, t.seed = r.training, r.seed
            p.op.forward(Tensors(t.inputs, t.weights, t.output, training=r.training, seed=r.seed))
            p.done = True
        else:
            if not p.done:
                raise ValueError("a gradient is asked for before there is a result")
            for g in p.tensors.input_grads + p.tensors.weight_grads:
                g.data.cast("B")[:] = bytes(g.data.nbytes)
            p.op.backward(p.tensors)
        return pb.OpsWorkResponse(done=pb.ComputedOp())

    def _place(self, m: Any) -> Any:
        if m.id in self.placed:
            raise ValueError(f"there is an operation {m.id} already")
        cls = next((o for o in self.ops if o.name == m.op), None)  # type: ignore[attr-defined]
        if cls is None:
            raise ValueError(f"there is no operation {m.op!r}")
        op = cls()
        op.inputs = [tuple(x.dimensions) for x in m.inputs]
        op.output = tuple(m.output.dimensions)
        op.attributes = {a.name: getattr(a.value, a.value.WhichOneof("kind")) for a in m.attributes}
        op.threads = self.opened.threads
        op.start()
        weights = list(op.weights())
        once = op.inputs + [tuple(w.shape) for w in weights] + [op.output]
        self.placed[m.id] = _Placed(op, once + once, len(weights))
        return pb.OpsWorkResponse(placed=pb.PlacedOp(weights=[
            pb.OpWeight(name=w.name, shape=pb.TensorShape(dimensions=list(w.shape)), mean=w.mean, deviation=w.deviation) for w in weights]))
