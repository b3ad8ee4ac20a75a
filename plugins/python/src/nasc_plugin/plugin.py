"""What an author writes: optimizers and evaluators as classes.

    import nasc_plugin as nasc

    class Annealing(nasc.Optimizer):
        '''Walks to a neighbour, uphill always and downhill now and then.'''
        name = "annealing"
        temperature = nasc.real(1.0, min=0, doc="at the start, in units of the objective")

        def start(self): ...
        def ask(self, n): ...
        def tell(self, trials): ...

    nasc.serve(nasc.Plugin("me/annealing", "0.1.0", "Simulated annealing.", [Annealing]))
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from .graph import Graph
from .ops import Op
from .ops import check as check_ops
from .rng import Stream
from .space import Genotype, Space

C = TypeVar("C", bound="Component")

Value = Union[int, float, bool, str]

_REQUIRED: Any = object()


class Refused(Exception):
    """An error about the value of a parameter, shown where the user wrote it."""

    def __init__(self, parameter: str, why: str):
        super().__init__(f"{parameter} {why}")
        self.path = "parameters." + parameter


class Done(Exception):
    """What ask raises when there is nothing more to propose."""


@dataclass
class Parameter:
    """A typed setting. On the instance of a component it is the value."""

    type: str
    default: Any
    doc: str
    min: Optional[float] = None
    max: Optional[float] = None
    choices: Sequence[str] = ()
    name: str = ""  # as users write it
    attribute: str = ""  # of the component

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = self.name or name


def integer(default: int = _REQUIRED, *, doc: str, min: Optional[int] = None, max: Optional[int] = None, name: str = "") -> Any:
    """A whole number. Without a default it must be given. It is called like the attribute, or
    by a name that the class needs for something else."""
    return Parameter("int", default, doc, min, max, name=name)


def real(default: float = _REQUIRED, *, doc: str, min: Optional[float] = None, max: Optional[float] = None) -> Any:
    """A real number. Without a default it must be given."""
    return Parameter("real", default if default is _REQUIRED else float(default), doc, min, max)


def boolean(default: bool = _REQUIRED, *, doc: str) -> Any:
    """True or false. Without a default it must be given."""
    return Parameter("bool", default, doc)


def text(default: str = _REQUIRED, *, doc: str, choices: Sequence[str] = ()) -> Any:
    """A text, perhaps one of some choices. Without a default it must be given."""
    return Parameter("string", default, doc, choices=choices)


@dataclass
class Metric:
    """A number that an evaluator reports."""

    name: str
    doc: str = ""
    unit: str = ""
    higher_is_better: bool = False


@dataclass
class Objective:
    """A metric to make large or small."""

    metric: str
    maximize: bool


@dataclass
class Trial:
    """A finished proposal, as an optimizer learns of it."""

    trial: int  # proposals are numbered from 0
    genotype: Genotype
    metrics: Dict[str, float]  # empty when it failed or was rejected
    failure: str = ""  # why there is no result that counts
    infeasible: bool = False  # it was evaluated and violates a requirement of the search
    rejected: bool = False  # it violates a constraint of the space and was not evaluated


@dataclass
class Candidate:
    """An architecture to judge."""

    number: int  # of the trial, in the log of its search
    graph: Graph
    seed: int  # of everything random in this evaluation
    epochs: int  # training effort; 0: as configured

    def rand(self, name: str, counter: int = 0) -> Stream:
        """The random stream of this candidate's seed, a name and a counter."""
        return Stream(self.seed, name, counter)


@dataclass
class Result:
    """What Evaluator.evaluate may return instead of a dictionary of metrics."""

    metrics: Mapping[str, float]
    simulated_seconds: float = 0.0  # on the simulated clock of a tabular benchmark
    epochs: float = 0.0  # of training that it stands for


Progress = Callable[..., None]
"""progress(fraction, text="", **values) tells how far an evaluation has come. It raises
Cancelled when the host does not wait for the evaluation any more."""


class Cancelled(Exception):
    """The host does not wait for the evaluation any more."""


class Configurable:
    """A class whose parameters are class attributes made by integer, real, boolean and text.
    On an instance they are values."""

    name: str = ""

    @classmethod
    def parameters(cls) -> List[Parameter]:
        """The parameters, in the order of the source."""
        found: Dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Parameter):
                    found[name] = value
        return list(found.values())

    @classmethod
    def about(cls) -> str:
        """The documentation: the docstring of the class."""
        return inspect.cleandoc(cls.__doc__ or "")

    def configure(self, settings: Mapping[str, Value]) -> None:
        """Sets the parameters, of which settings has all by name, perhaps with others."""
        for p in self.parameters():
            setattr(self, p.attribute, settings[p.name])


class Component(Configurable):
    """What optimizers and evaluators have in common.

    start is called when the parameters, seed, work_dir and threads are set.
    """

    seed: int = 0
    work_dir: str = ""  # an evaluator's folder for files, which it makes itself; may be empty
    threads: int = 0  # to keep busy; 0: as it likes

    def rand(self, name: str, counter: int = 0) -> Stream:
        """The random stream of a name and a counter; draw from nothing else."""
        return Stream(self.seed, name, counter)

    def start(self) -> None:
        """Begins. Refused is an error about a parameter."""


class Searcher(Component):
    """What optimizers have in common: a space, and what makes an architecture good."""

    decision_kinds: Sequence[str] = ()  # that it can handle; none: all

    space: Space
    objectives: List[Objective]


class Optimizer(Searcher):
    """Proposes architectures of self.space and learns from their results."""

    ends: bool = False  # it goes through what it has to propose once, and raises Done

    def ask(self, n: int) -> List[Genotype]:
        """Up to n architectures. Fewer: results must be told first."""
        raise NotImplementedError

    def tell(self, trials: List[Trial]) -> None:
        """Learns of finished trials, in the order of their numbers."""
        raise NotImplementedError

    def score(self, trial: Trial) -> Optional[float]:
        """The first objective, turned so that more is better; None: it does not count."""
        o = self.objectives[0]
        v = trial.metrics.get(o.metric)
        if trial.failure or v is None:
            return None
        return v if o.maximize else -v


class Evaluator(Component):
    """Judges architectures. One that tests has a method test like evaluate."""

    metrics: Sequence[Metric] = ()
    test_metrics: Sequence[Metric] = ()
    deterministic: bool = False  # equal candidates, seeds apart, give equal results

    def evaluate(self, candidate: Candidate, progress: Progress) -> Union[Result, Mapping[str, float]]:
        """All of metrics. An exception fails this candidate alone."""
        raise NotImplementedError

    def facts(self) -> Dict[str, str]:
        """For the manifest of a run: hashes of data, versions."""
        return {}


@dataclass
class Plugin:
    """One process with its components."""

    name: str  # "me/annealing"
    version: str  # "0.1.0"
    doc: str
    components: Sequence[Type[Component]] = field(default_factory=list)
    ops: Sequence[Type[Op]] = field(default_factory=list)
    signatures: str = ""  # `.nas` text: an `op` for each of ops, and a `block` for each that is made of others

    def check(self) -> None:
        """Raises a ValueError about what is declared wrongly."""
        check_ops(self.ops, self.signatures)
        for c in self.components:
            if issubclass(c, Evaluator) and not c.metrics:
                raise ValueError(f"{c.name} declares no metrics")
            check_parameters(c)

    def component(self, name: str, kind: Type[C]) -> Type[C]:
        """The component of a name."""
        for c in self.components:
            if c.name == name and issubclass(c, kind):
                return c
        raise KeyError(f"there is no {kind.__name__.lower()} {name!r}")


def check_parameters(c: Type[Configurable]) -> None:
    """Raises a ValueError about a class without a name, or about a parameter without an
    explanation or with a default that it does not allow."""
    if not c.name:
        raise ValueError(f"{c.__name__} has no name")
    for p in c.parameters():
        if not p.doc:
            raise ValueError(f"{c.name}: nothing explains the parameter {p.name}")
        if required(p):
            continue
        v = p.default
        if type(v) is not {"int": int, "real": float, "bool": bool, "string": str}[p.type]:
            raise ValueError(f"{c.name}: the default of {p.name} is {v!r}, which is no {p.type}")
        if p.min is not None and v < p.min or p.max is not None and v > p.max or p.choices and v not in p.choices:
            raise ValueError(f"{c.name}: the default of {p.name} is {v!r}, which it does not allow")


def required(p: Parameter) -> bool:
    """Whether a parameter has no default."""
    return p.default is _REQUIRED
