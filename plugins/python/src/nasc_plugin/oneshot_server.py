"""The service OneShot: one stream for each search.

The optimizer's code is straight code that calls a supernet. It runs in a thread of its own:
what it calls is sent to the host, and it waits for the reply.
"""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from . import messages
from . import supernet_messages as relaxed
from ._wire import oneshot_pb2 as pb
from .plugin import Cancelled
from .searched import OneShot, SearchedSupernet
from .space import Genotype
from .supernet import ArchGradient, Mixture, Relaxation, Score, SupernetSize, WeightStep


class Failed(Exception):
    """A call that the host could not answer: its words, and what they are about."""

    def __init__(self, m: Any):
        super().__init__(m.message)
        self.path = m.path


class OneShotServer:
    """Does the stages of one search."""

    def __init__(self, optimizer: Callable[[int], Any], lock: threading.Lock, problem: Callable[[Exception], Any]):
        self.optimizer, self.lock, self.problem = optimizer, lock, problem

    def search(self, requests: Iterator[Any]) -> Iterator[Any]:
        """The stream. It ends with the host's."""
        out: "queue.Queue[Any]" = queue.Queue()

        def work() -> None:
            try:
                self._stages(_Host(requests, out))
            except Cancelled:
                pass
            except Exception as e:  # a message that makes no sense here
                out.put(pb.OneShotResponse(error=self.problem(e)))
            finally:
                out.put(None)

        threading.Thread(target=work, daemon=True).start()
        yield from iter(out.get, None)

    def _stages(self, host: "_Host") -> None:
        begin = host.next("begin")
        o = self.optimizer(begin.session)
        if not isinstance(o, OneShot):
            raise ValueError("this optimizer is not one-shot")
        net = _Searched(host, begin, len(o.space.decisions), list(begin.metrics))
        failed: Optional[Exception] = None
        try:
            with self.lock:
                o.begin(net)
                if begin.HasField("state"):
                    o.load(begin.state)
        except Exception as e:  # told when the first stage is asked for
            failed = e
        while True:
            host.next("stage")
            done: Any = None
            if failed is None:
                try:
                    with self.lock:
                        done = net.stage(o)
                except Cancelled:
                    raise
                except Exception as e:
                    failed = e
            host.send(pb.OneShotResponse(error=self.problem(failed)) if failed else pb.OneShotResponse(stage=done))


class _Host:
    """The other end of the stream."""

    def __init__(self, requests: Iterator[Any], out: "queue.Queue[Any]"):
        self.requests, self.out = requests, out

    def next(self, kind: str) -> Any:
        """The next message, which must be of a kind."""
        try:
            m = next(self.requests)
        except Exception:  # the stream is over
            raise Cancelled() from None
        if m.WhichOneof("request") != kind:
            raise ValueError(f"the host says {m.WhichOneof('request')} where {kind} is due")
        return getattr(m, kind)

    def send(self, m: Any) -> None:
        self.out.put(m)


class _Searched(SearchedSupernet):
    """The supernet as a one-shot optimizer sees it: its calls go to the host."""

    def __init__(self, host: _Host, m: Any, decisions: int, metrics: List[str]):
        self.host, self.of, self.metrics = host, decisions, metrics
        self.epochs = m.epochs
        self._size = SupernetSize(m.steps, m.valid)
        self.allowed = False  # a stage is under way
        self._relaxed(m.relaxed)

    def _relaxed(self, m: Any) -> None:
        self.decisions = relaxed.decisions(m)
        self.widths = [len(d.options) for d in self.decisions]

    def stage(self, o: OneShot) -> Any:
        """Has an optimizer do a stage, and makes a message of it."""
        self.allowed = True
        try:
            s = o.stage()
        finally:
            self.allowed = False
        o.space.check(s.genotype)
        metrics = messages.row(s.metrics, self.metrics) if s.metrics else []
        return pb.Stage(genotype=s.genotype, metrics=metrics, mixture=relaxed.flat(s.mixture, self.widths), values=s.values,
                        state=o.save(), done=s.done, text=s.text)

    def _call(self, kind: str, m: Any) -> Any:
        if not self.allowed:
            raise ValueError("a supernet can only be called during a stage")
        call: Dict[str, Any] = {kind: m}
        self.host.send(pb.OneShotResponse(call=pb.Call(**call)))
        reply = self.host.next("reply")
        if reply.HasField("error"):
            raise Failed(reply.error)
        if not reply.HasField(kind):
            raise ValueError("the host has replied to something else")
        return getattr(reply, kind)

    def size(self) -> SupernetSize:
        return self._size

    def weight_step(self, m: Mixture, o: Optional[WeightStep] = None) -> float:
        o = o or WeightStep()
        what = pb.WeightStep(mixture=relaxed.flat(m, self.widths), rate=o.rate, weight_decay=o.weight_decay)
        return float(self._call("weight_step", what).loss)

    def arch_gradient(self, m: Mixture, o: Optional[ArchGradient] = None) -> Tuple[float, Mixture]:
        o = o or ArchGradient()
        what = pb.ArchGradient(mixture=relaxed.flat(m, self.widths), batch=o.batch.value, unrolled=o.unrolled, radius=o.radius)
        done = self._call("arch_gradient", what)
        return done.loss, relaxed.mixture(done.gradient, self.widths)

    def score(self, ms: Sequence[Mixture], o: Optional[Score] = None) -> List[Dict[str, float]]:
        o = o or Score()
        if not ms:
            return []
        what = pb.Score(mixtures=[relaxed.flat(m, self.widths) for m in ms], first=o.first, batches=o.batches, recalibrate=o.recalibrate)
        values, n = self._call("score", what).values, len(self.metrics)
        if len(values) != n * len(ms):
            raise ValueError(f"{len(values)} metrics of {len(ms)} mixtures, not {n} of each")
        return [dict(zip(self.metrics, values[i * n:(i + 1) * n])) for i in range(len(ms))]

    def relax(self, r: Relaxation) -> None:
        self._relaxed(self._call("relax", relaxed.relaxation(r)))

    def check(self, gs: Sequence[Genotype]) -> List[bool]:
        for g in gs:
            if len(g) != self.of:
                raise ValueError(f"an architecture of {len(g)} decisions, the space has {self.of}")
        if not gs:
            return []
        answer = list(self._call("check", pb.Check(count=len(gs), genotypes=messages.genotypes(list(gs)))).admissible)
        if len(answer) != len(gs):
            raise ValueError("the host has replied to something else")
        return answer
