"""The process: handshake, services, and its end.

nasc starts the process, reads one line from its standard output and connects to the Unix
socket that the line names. The host always calls. When it is gone, the process ends.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import traceback
from concurrent import futures
from typing import Any, Dict, Iterator, List, NoReturn, Optional, Set, Tuple, Type, TypeVar

import grpc

from . import messages, ops
from ._wire import nasc_pb2 as pb
from ._wire import oneshot_pb2
from .oneshot_server import Failed, OneShotServer
from .plugin import Cancelled, Candidate, Component, Done, Evaluator, Objective, Optimizer, Plugin, Refused, Result, Searcher, Trial
from .searched import OneShot, RefusedDecision
from .supernet_messages import relaxation
from .supernet_server import SupernetServer

C = TypeVar("C", bound=Component)

PROTOCOL = 1
_COOKIE = ("NASC_PLUGIN", "c52f8e6b1b6d4d0f9a3b7e0d5c1a4f28")
_MAX_MESSAGE = 64 << 20


def serve(plugin: Plugin) -> NoReturn:
    """Answers the host until it is gone; the last thing that a plugin does."""
    try:
        plugin.check()
    except ValueError as e:
        sys.exit(f"the plugin {plugin.name} is declared wrongly: {e}")
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        sys.stderr.write(f"this is the nasc plugin {plugin.name} {plugin.version}; nasc starts it when a search needs it\n")
        sys.exit(2)
    versions = os.environ.get("PLUGIN_PROTOCOL_VERSIONS", str(PROTOCOL)).split(",")
    if str(PROTOCOL) not in versions:
        sys.exit(f"this plugin speaks version {PROTOCOL} of the protocol, and the host {', '.join(versions)}")
    _end_with_host()
    folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR", ".")
    address = os.path.join(folder, "plugin.sock")
    size = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=size)
    server.add_generic_rpc_handlers(_Services(plugin, server).handlers())
    server.add_insecure_port("unix:" + address)
    server.start()
    sys.stdout.write(f"1|{PROTOCOL}|unix|{address}|grpc\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # nothing else belongs on standard output: it is printed to the log
    server.wait_for_termination()
    os._exit(0)


def _end_with_host() -> None:
    """Ends this process and those that it has started, when the host is gone."""
    for key in list(os.environ):
        if key.startswith("PLUGIN_") and key != "PLUGIN_UNIX_SOCKET_DIR" or key == _COOKIE[0]:
            del os.environ[key]
    host = int(os.environ.pop("NASC_HOST_PID", "0") or 0)
    home = os.environ.pop("NASC_SOCKET_HOME", "")
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end() -> None:
        if os.path.basename(home).startswith("nasc-"):
            import shutil

            shutil.rmtree(home, ignore_errors=True)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    def watch() -> None:
        wait = threading.Event()
        while not wait.wait(0.5):
            gone = os.getppid() != parent
            if host:
                try:
                    os.kill(host, 0)
                except ProcessLookupError:
                    gone = True
                except PermissionError:
                    pass
            if gone:
                end()

    threading.Thread(target=watch, daemon=True).start()


class _Services:
    """The services of nasc.v1. A process serves one session."""

    def __init__(self, plugin: Plugin, server: grpc.Server):
        self.plugin = plugin
        self.server = server
        self.session: Optional[Tuple[int, Component]] = None
        self.lock = threading.Lock()  # held while the author's code runs

    def handlers(self) -> Tuple[grpc.GenericRpcHandler, ...]:
        def unary(f: Any, request: Any) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(f, request.FromString, lambda m: m.SerializeToString())

        def stream(f: Any, request: Any) -> grpc.RpcMethodHandler:
            return grpc.stream_stream_rpc_method_handler(f, request.FromString, lambda m: m.SerializeToString())

        def answers(f: Any, request: Any) -> grpc.RpcMethodHandler:
            return grpc.unary_stream_rpc_method_handler(f, request.FromString, lambda m: m.SerializeToString())

        return (
            grpc.method_handlers_generic_handler("nasc.v1.Plugin", {
                "Describe": unary(lambda _, c: messages.description(self.plugin), pb.DescribeRequest),
                "Release": unary(self.release, pb.ReleaseRequest),
                "Shutdown": unary(self.shutdown, pb.ShutdownRequest),
            }),
            grpc.method_handlers_generic_handler("nasc.v1.Optimizer", {
                "Configure": unary(self.configure_optimizer, pb.OptimizerConfigureRequest),
                "Run": stream(self.run, pb.OptimizerRequest),
            }),
            grpc.method_handlers_generic_handler("nasc.v1.OneShot", {
                "Prepare": unary(self.prepare, pb.OptimizerConfigureRequest),
                "Search": stream(self.search, oneshot_pb2.OneShotRequest),
            }),
            grpc.method_handlers_generic_handler("nasc.v1.Evaluator", {
                "Configure": unary(self.configure_evaluator, pb.EvaluatorConfigureRequest),
                "Evaluate": stream(self.evaluate, pb.EvaluateRequest),
                "Test": answers(self.test, pb.TestRequest),
                "Resolve": unary(lambda _, c: pb.ResolveResponse(), pb.ResolveRequest),
            }),
            grpc.method_handlers_generic_handler("nasc.v1.Supernet", {
                "Work": stream(self.work, oneshot_pb2.SupernetRequest),
            }),
            grpc.method_handlers_generic_handler("nasc.v1.Ops", {
                "Open": unary(self.open_ops, pb.OpsOpenRequest),
            }),
        )

    # -- Ops

    def open_ops(self, request: Any, context: grpc.ServicerContext) -> Any:
        if not self.plugin.ops:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "this plugin computes no operations")
        ops.serve(self.plugin.ops, request)
        return pb.OpsOpenResponse()

    # -- Plugin

    def release(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self.lock:
            if self.session and self.session[0] == request.session:
                self.session = None
        return pb.ReleaseResponse()

    def shutdown(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.server.stop(0.1)
        return pb.ShutdownResponse()

    def _configure(self, m: Any, kind: Type[C], context: grpc.ServicerContext) -> C:
        try:
            cls = self.plugin.component(m.component, kind)
        except KeyError as e:
            context.abort(grpc.StatusCode.NOT_FOUND, str(e.args[0]))
        if self.session:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "this process is already configured")
        c = cls()
        c.seed, c.work_dir, c.threads = m.seed, m.work_dir, m.threads
        c.configure({p.name: messages.plain(m.parameters[p.name]) for p in c.parameters()})
        return c

    def _start(self, o: Searcher, request: Any) -> None:
        """Opens the session of an optimizer that is configured."""
        o.space = messages.space(request.space)
        o.objectives = [Objective(x.metric, x.maximize) for x in request.objectives]
        o.start()
        self.names = list(request.metrics)
        self.session = request.configuration.session, o

    def configure_optimizer(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self.lock:
            o = self._configure(request.configuration, Optimizer, context)
            self.asked: Dict[int, List[int]] = {}
            try:
                self._start(o, request)
            except Exception as e:
                return pb.OptimizerConfigureResponse(problems=[_problem(e)])
            return pb.OptimizerConfigureResponse()

    def prepare(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self.lock:
            o = self._configure(request.configuration, OneShot, context)
            try:
                self._start(o, request)
                return oneshot_pb2.OneShotPrepareResponse(relaxation=relaxation(o.relaxation()))
            except Exception as e:
                self.session = None
                return oneshot_pb2.OneShotPrepareResponse(problems=[_problem(e)])

    def configure_evaluator(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self.lock:
            m = request.configuration
            c = self._configure(m, Evaluator, context)
            try:
                c.start()
                facts = c.facts()
            except Exception as e:
                return pb.EvaluatorConfigureResponse(problems=[_problem(e)])
            self.session = m.session, c
            return pb.EvaluatorConfigureResponse(facts=facts)

    def _component(self, number: int) -> Any:
        if not self.session or self.session[0] != number:
            raise LookupError(f"there is no session {number}")
        return self.session[1]

    # -- Optimizer

    def run(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            out = pb.OptimizerResponse()
            for step in request.steps:
                answer = out.answers.add(session=step.session)
                try:
                    with self.lock:
                        self._step(self._component(step.session), step, answer)
                except Exception as e:
                    answer.error.CopyFrom(_problem(e))
            yield out

    def _step(self, o: Optimizer, step: Any, answer: Any) -> None:
        told = self._told(step.told)
        if told:
            o.tell(told)
        if step.ask == 0:
            return
        try:
            proposed = o.ask(step.ask)
        except Done:
            answer.done = True
            return
        for g in proposed:
            o.space.check(g)
        answer.count = len(proposed)
        answer.genotypes.extend(messages.genotypes(proposed))
        for i, g in enumerate(proposed):
            self.asked[step.first_trial + i] = list(g)

    def _told(self, m: Any) -> List[Trial]:
        width, values = len(self.names), m.metrics.values
        out = []
        for i, number in enumerate(m.trials):
            row = values[i * width:(i + 1) * width]
            out.append(Trial(number, self.asked.pop(number), dict(zip(self.names, row))))
        for u in m.unsuccessful:
            t = out[u.index]
            t.failure, t.infeasible, t.rejected = u.failure or "it does not count", u.infeasible, u.rejected
            if not u.infeasible:
                t.metrics = {}
        return out

    # -- OneShot

    def search(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        return OneShotServer(self._component, self.lock, _problem).search(requests)

    # -- Supernet

    def work(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        return SupernetServer(self._component, self.lock, _problem).work(requests)

    # -- Evaluator

    def evaluate(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        work: "queue.Queue[Any]" = queue.Queue()
        out: "queue.Queue[Any]" = queue.Queue()
        cancelled = _Cancelled()

        def read() -> None:
            try:
                for request in requests:
                    cancelled.ids.update(request.cancelled)
                    for trials in request.trials:
                        graphs = {g.index: g.graph for g in trials.graphs}
                        for i, id in enumerate(trials.ids):
                            work.put((trials.session, id, trials.numbers[i], trials.seeds[i],
                                      trials.epochs[i] if trials.epochs else 0, graphs.get(i)))
            except Exception:  # the stream is over
                pass
            cancelled.all = True
            work.put(None)

        def judge() -> None:
            while True:
                item = work.get()
                if item is None:
                    out.put(None)
                    return
                session, id, number, seed, epochs, data = item
                if data is None:
                    out.put(_event(id, unknown=pb.Unknown()))
                    continue
                out.put(self._judge(session, id, number, seed, epochs, data, out, cancelled))
                cancelled.ids.discard(id)

        threading.Thread(target=read, daemon=True).start()
        threading.Thread(target=judge, daemon=True).start()
        yield from iter(out.get, None)

    def _judge(self, session: int, id: int, number: int, seed: int, epochs: int, data: bytes,
               out: "queue.Queue[Any]", cancelled: "_Cancelled") -> Any:
        def progress(fraction: float, text: str = "", **values: float) -> None:
            if id in cancelled:
                raise Cancelled()
            out.put(_event(id, progress=pb.Progress(fraction=fraction, text=text, values=values)))

        try:
            with self.lock:
                e = self._component(session)
                if id in cancelled:
                    raise Cancelled()
                r = e.evaluate(Candidate(number, messages.graph(data), seed, epochs), progress)
        except Cancelled:
            return _event(id, failure=pb.Problem(message="it was cancelled"))
        except Exception as err:
            return _event(id, failure=_problem(err, "architecture"))
        if not isinstance(r, Result):
            r = Result(r)
        missing = [x.name for x in e.metrics if x.name not in r.metrics]
        if missing:
            return _event(id, error=pb.Problem(message=f"the evaluator does not report {', '.join(missing)}"))
        row = [float(r.metrics[x.name]) for x in e.metrics]
        return pb.EvaluateResponse(ids=[id], results=pb.ValidationMetrics(
            values=row, simulated_seconds=[r.simulated_seconds], epochs=[r.epochs]))

    def test(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        out: "queue.Queue[Any]" = queue.Queue()

        def progress(fraction: float, text: str = "", **values: float) -> None:
            if not context.is_active():
                raise Cancelled()
            out.put(pb.TestEvent(progress=pb.Progress(fraction=fraction, text=text, values=values)))

        def work() -> None:
            try:
                with self.lock:
                    e = self._component(request.session)
                    if not hasattr(e, "test"):
                        raise Refused("test", "is not possible: this evaluator has no test split")
                    r = e.test(Candidate(request.number, messages.graph(request.graph), request.seed, request.epochs), progress)
                    out.put(pb.TestEvent(result=pb.TestMetrics(values={k: float(v) for k, v in r.items()})))
            except Exception as err:
                out.put(pb.TestEvent(failure=_problem(err, "architecture")))
            out.put(None)

        threading.Thread(target=work, daemon=True).start()
        yield from iter(out.get, None)


class _Cancelled:
    """The trials for which nobody waits any more."""

    def __init__(self) -> None:
        self.ids: Set[int] = set()
        self.all = False  # the host has ended the stream

    def __contains__(self, id: int) -> bool:
        return self.all or id in self.ids


def _event(id: int, **what: Any) -> Any:
    return pb.EvaluateResponse(events=[pb.EvaluateEvent(id=id, **what)])


def _problem(e: Exception, path: str = "") -> Any:
    """An error in the words of the protocol. What is not foreseen goes to the log too."""
    if isinstance(e, (Refused, RefusedDecision, Failed)):
        return pb.Problem(path=e.path, message=str(e))
    if not isinstance(e, (ValueError, LookupError)):
        logging.getLogger("nasc").error("%s", "".join(traceback.format_exception(type(e), e, e.__traceback__)))
    return pb.Problem(path=path, message=f"{type(e).__name__}: {e}" if not isinstance(e, ValueError) else str(e))
