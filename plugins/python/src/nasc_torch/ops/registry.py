"""The table of operations: one name, one function that makes the module.

    @op("relu_conv_bn")
    def relu_conv_bn(s: Site) -> nn.Module:
        return ReLUConvBN(s.norm, s.channels, s.int("out", s.channels), s.int("kernel", 3), ...)

A module takes the inputs of its node, maps (B,C,H,W) or vectors (B,F), and gives one such.
To add an operation of your own, register it before the plugin is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar

from torch import nn

from ..layers import BatchNorm

Builder = Callable[["Site"], nn.Module]
Int = int  # within Site, int is a method

TABLE: Dict[str, Builder] = {}
ABSENT = {"zero", "none"}
"""Operations that stand for no edge: they give zeros, which sums leave out."""


class UnknownOperation(ValueError):
    """There is no module for an operation."""


@dataclass
class Site:
    """An operation at a place of a network."""

    address: str
    attributes: Dict[str, Any]
    inputs: List[Tuple[Int, ...]]  # shapes without the batch
    plain: bool = False  # batch norms have no scale and no shift

    @property
    def channels(self) -> Int:
        """Of the first input."""
        return self.inputs[0][0]

    def norm(self, channels: Int) -> nn.Module:
        """Batch norm."""
        return BatchNorm(channels, affine=not self.plain)

    def int(self, name: str, default: Optional[Int] = None) -> Int:
        """A whole number; without a default it must be there."""
        v = self.attributes.get(name, default)
        if not isinstance(v, int) or isinstance(v, bool):
            raise ValueError(f"attribute {name} is {v!r}, not a whole number")
        return v

    def real(self, name: str, default: float) -> float:
        """A number."""
        v = self.attributes.get(name, default)
        if isinstance(v, bool) or not isinstance(v, (int, float)):
            raise ValueError(f"attribute {name} is {v!r}, not a number")
        return float(v)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        v = self.attributes.get(name, default)
        if not isinstance(v, bool):
            raise ValueError(f"attribute {name} is {v!r}, not true or false")
        return v

    def text(self, name: str, default: str) -> str:
        """A text."""
        v = self.attributes.get(name, default)
        if not isinstance(v, str):
            raise ValueError(f"attribute {name} is {v!r}, not a text")
        return v


B = TypeVar("B", bound=Builder)


def op(name: str) -> Callable[[B], B]:
    """Registers the builder of an operation."""

    def register(build: B) -> B:
        TABLE[name] = build
        return build

    return register


def key(module: str, name: str) -> str:
    """The name in the table of an operation that a module as "std/vision" declares: its own,
    but for a few that share it with one of another module, as "nasbench101.merge"."""
    full = module.rsplit("/", 1)[-1] + "." + name
    return full if full in TABLE else name


def build(module: str, name: str, site: Site) -> nn.Module:
    """The module of an operation."""
    make = TABLE.get(key(module, name))
    if make is None:
        raise UnknownOperation(f"{site.address}: there is no PyTorch module for the op {name!r} of {module or 'this file'}; "
                               f"register one with nasc_torch.op({name!r})")
    try:
        return make(site)
    except ValueError as e:
        raise ValueError(f"{site.address}: {name}: {e}") from e
