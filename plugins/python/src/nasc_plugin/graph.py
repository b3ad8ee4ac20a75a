"""Graphs: an architecture with every decision taken, as evaluators get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Tuple


@dataclass
class Node:
    """An operation, or the use of a cell (body is then its inside)."""

    name: str
    op: str  # "conv_bn"; of a cell its name
    module: str  # where the op is declared, "std/vision"
    attributes: Dict[str, Any]
    inputs: List[int]  # -1-i is input i of the graph, i is node i
    shape: List[int]  # of the result, without the batch
    params: int
    macs: int
    body: "Optional[Graph]" = None


@dataclass
class Graph:
    """A directed graph without cycles; a node reads only inputs and earlier nodes."""

    name: str
    inputs: List[Tuple[str, List[int]]]  # name and shape
    nodes: List[Node] = field(default_factory=list)
    output: int = 0  # a reference, as in Node.inputs

    def walk(self, path: str = "") -> Iterator[Tuple[str, Node]]:
        """Every operation with its path, those of a cell once for each use."""
        for n in self.nodes:
            if n.body is None:
                yield path + n.name, n
            else:
                yield from n.body.walk(path + n.name + "/")

    def params(self) -> int:
        """Trainable numbers."""
        return sum(n.params for _, n in self.walk())

    def macs(self) -> int:
        """Multiplications with an addition, for one example."""
        return sum(n.macs for _, n in self.walk())
