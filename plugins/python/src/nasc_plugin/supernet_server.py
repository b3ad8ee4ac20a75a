"""The service Supernet: one stream of requests for each supernet."""

from __future__ import annotations

import threading
from typing import Any, Callable, Iterator, List, Optional

from . import supernet_messages as messages
from ._wire import oneshot_pb2 as pb
from .supernet import OpenSupernet, SupernetTrainer, TrainedSupernet


class SupernetServer:
    """Answers the requests for one supernet, one after another."""

    def __init__(self, evaluator: Callable[[int], Any], lock: threading.Lock, problem: Callable[[Exception], Any]):
        self.evaluator, self.lock, self.problem = evaluator, lock, problem
        self.net: Optional[TrainedSupernet] = None
        self.widths: List[int] = []
        self.metrics: Any = ()

    def work(self, requests: Iterator[Any]) -> Iterator[Any]:
        """The stream. It ends with the host's, or with an Open that has failed."""
        try:
            for request in requests:
                try:
                    with self.lock:
                        response = self._answer(request)
                except Exception as e:
                    response = self._failed(request, e)
                yield response
                if self.net is None:
                    return
        finally:
            if self.net is not None:
                with self.lock:
                    self.net.close()

    def _failed(self, request: Any, e: Exception) -> Any:
        if request.WhichOneof("request") == "call":
            return pb.SupernetResponse(reply=pb.Reply(error=self.problem(e)))
        return pb.SupernetResponse(error=self.problem(e))

    def _answer(self, m: Any) -> Any:
        kind = m.WhichOneof("request")
        if (kind == "open") != (self.net is None):
            raise ValueError("a supernet is opened once, and before all else")
        if kind == "open":
            return self._open(m.open)
        assert self.net is not None
        if kind == "call":
            return pb.SupernetResponse(reply=self._call(self.net, m.call))
        if kind == "relax":
            network = messages.network(m.relax.network, m.relax.channels, m.relax.edge_weights)
            self.net.relax(network)
            return self._opened(network)
        if kind == "save":
            self.net.save(m.save.path)
        elif kind == "load":
            self.net.load(m.load.path)
        else:
            raise ValueError("the message asks for nothing that is known")
        return pb.SupernetResponse(stored=pb.Stored())

    def _open(self, m: Any) -> Any:
        e = self.evaluator(m.session)
        if not isinstance(e, SupernetTrainer):
            raise ValueError("this evaluator trains no supernets")
        network = messages.network(m.network, m.channels, m.edge_weights)
        self.metrics = e.metrics  # type: ignore[attr-defined]
        self.net = e.open_supernet(OpenSupernet(network, m.epochs, m.seed))
        return self._opened(network)

    def _opened(self, network: Any) -> Any:
        assert self.net is not None
        self.widths = [len(d.options) for d in network.decisions]
        return pb.SupernetResponse(opened=messages.opened(self.net.size()))

    def _call(self, net: TrainedSupernet, m: Any) -> Any:
        kind = m.WhichOneof("call")
        if kind == "weight_step":
            loss = net.weight_step(messages.mixture(m.weight_step.mixture, self.widths), messages.weight_step(m.weight_step))
            return pb.Reply(weight_step=pb.WeightStepDone(loss=loss))
        if kind == "arch_gradient":
            loss, gradient = net.arch_gradient(messages.mixture(m.arch_gradient.mixture, self.widths),
                                               messages.arch_gradient(m.arch_gradient))
            return pb.Reply(arch_gradient=pb.ArchGradientDone(loss=loss, gradient=messages.flat(gradient, self.widths)))
        if kind == "score":
            all = [messages.mixture(x, self.widths) for x in m.score.mixtures]
            return pb.Reply(score=messages.scores(net.score(all, messages.score(m.score)), self.metrics))
        raise ValueError("the call asks for nothing that is known")
