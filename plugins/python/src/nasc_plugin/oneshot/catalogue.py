"""Components by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Generic, List, Mapping, Tuple, Type, TypeVar

from ..plugin import Configurable, Parameter, Value, boolean, check_parameters, integer, real, required, text
from .adam import Adam
from .argmax import Argmax
from .channels import Channels, PartialChannels
from .driver import Shot
from .gumbel import Concrete, Gumbel
from .order import FirstOrder, OneLevel, Order, SecondOrder
from .parts import Part, Relaxation, Selection, Update
from .softmax import Softmax

P = TypeVar("P", bound=Part)


class Slot(Generic[P]):
    """The components that may take one place of a method. The first is the default."""

    def __init__(self, name: str, doc: str):
        self.name, self.doc = name, doc
        self.offers: List[Type[P]] = []

    def add(self, part: Type[P]) -> Type[P]:
        """Offers a component under its name."""
        self.offers.append(part)
        return part

    def take(self, settings: Mapping[str, Value]) -> P:
        """The component that settings name, with its parameters."""
        part = next(c for c in self.offers if c.name == settings[self.name])()
        part.configure(settings)
        part.start()
        return part

    def parameter(self) -> Parameter:
        """The parameter that names one of them."""
        if not self.offers:
            raise ValueError(f"nothing is offered for {self.name}")
        names = [c.name for c in self.offers]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name}: two components have one name among {', '.join(names)}")
        p: Parameter = text(names[0], doc="; ".join([self.doc] + [f"{c.name}: {c.about()}" for c in self.offers]), choices=names)
        p.name = self.name
        return p


class Steps(Configurable):
    """The parameters of a method that are of no component."""

    name = "steps"

    warmup = real(0.0, min=0, doc="epochs without arch steps, in the beginning; below 1: a share of them all")
    weights_first = boolean(False, doc="the weight step before the arch step, not after it")
    period = integer(1, min=1, doc="weight steps for one arch step")
    edge_norm = boolean(False, doc="edges have learned weights too (PC-DARTS)")
    score_batches = integer(4, min=0, doc="batches of the validation part, the first ones, on which the supernet measures the derived "
                                          "architecture after each epoch; 0: it does not")


@dataclass
class Parts:
    """The components of a method, and how its steps follow one another."""

    relaxation: Relaxation
    channels: Channels
    order: Order
    update: Update
    selection: Selection
    steps: Steps

    def all(self) -> List[Tuple[str, Part]]:
        """The components with their slots."""
        return [("relax", self.relaxation), ("partial", self.channels), ("order", self.order), ("update", self.update),
                ("select", self.selection)]


class Catalogue:
    """Offers components by name, and makes an optimizer of a plugin of them."""

    def __init__(self) -> None:
        self.relaxations: Slot[Relaxation] = Slot("relax", "how arch parameters become a mixture")
        self.channels: Slot[Channels] = Slot("partial", "how many channels go through mixed operations")
        self.orders: Slot[Order] = Slot("order", "of the gradient of an arch step")
        self.updates: Slot[Update] = Slot("update", "how arch parameters move")
        self.selections: Slot[Selection] = Slot("select", "how the architecture is derived")

    def slots(self) -> "List[Slot[Part]]":
        """All of them."""
        return [self.relaxations, self.channels, self.orders, self.updates, self.selections]  # type: ignore[list-item]

    def optimizer(self, name: str, doc: str) -> Type[Shot]:
        """A one-shot optimizer whose parameters are the slots, those of Steps and those of all
        components. A mistake in the catalogue is an error of the plugin, told when it is
        served."""
        return type("Shot", (Shot,), {"name": name, "__doc__": doc, "catalogue": self})

    def parameters(self) -> List[Parameter]:
        """Those of everything."""
        found: Dict[str, Parameter] = {s.name: s.parameter() for s in self.slots()}
        for c in [Steps] + [c for s in self.slots() for c in s.offers]:  # type: ignore[operator]
            check_parameters(c)
            for p in c.parameters():
                if required(p):
                    raise ValueError(f"the parameter {p.name} of {c.name} has no default")
                if replace(found.setdefault(p.name, p), attribute="") != replace(p, attribute=""):
                    raise ValueError(f"two components declare the parameter {p.name} in different ways")
        return list(found.values())

    def parts(self, settings: Mapping[str, Value]) -> Parts:
        """The components that settings name."""
        steps = Steps()
        steps.configure(settings)
        return Parts(self.relaxations.take(settings), self.channels.take(settings), self.orders.take(settings), self.updates.take(settings),
                     self.selections.take(settings), steps)


def standard() -> Catalogue:
    """The catalogue of all components of this package, with DARTS for a default."""
    c = Catalogue()
    for relaxation in (Softmax, Gumbel, Concrete):
        c.relaxations.add(relaxation)
    for channels in (Channels, PartialChannels):
        c.channels.add(channels)
    for order in (FirstOrder, SecondOrder, OneLevel):
        c.orders.add(order)
    c.updates.add(Adam)
    c.selections.add(Argmax)
    return c
