"""Spaces: trees of decisions, and what an optimizer does with them.

A space comes from nasc once and is then worked with here, without asking back. Sampling,
mutation, neighbours, crossover, distance and ranks are those of nasc's Go code: the same
stream gives the same architectures.

A genotype is a list with a number for every decision of the space: the alternative taken,
a bit set of items for a subset, and INACTIVE where the decision does not exist under the
alternatives taken.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field
from functools import reduce
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from .rng import Stream

Genotype = List[int]

INACTIVE = -1

SUBSET = "subset"

# How many ways to take what a step opens are enumerated by Space.neighbors.
MAX_COMPLETIONS = 128

_WORD = (1 << 64) - 1


@dataclass
class Alternative:
    """One alternative of a decision, or an item of a subset."""

    label: str
    sub: "List[Decision]" = field(default_factory=list)
    size: int = 1  # ways to take all decisions of sub


@dataclass(eq=False)
class Decision:
    """One thing to decide."""

    id: int
    address: str  # "normal.n[1].edge[0]"
    kind: str  # one-of, range, depth or subset
    alternatives: List[Alternative]
    min: int  # subset: least and most items taken
    max: int
    size: int = 0
    twins: "List[Decision]" = field(default_factory=list)
    _flat: bool = False
    _sums: List[int] = field(default_factory=list)
    _ends: Optional[List[int]] = None
    _ways: "Optional[_Ways]" = None
    _lottery: "Optional[_Ways]" = None

    @property
    def mutable(self) -> bool:
        """Whether it can take more than one value."""
        n = len(self.alternatives)
        if self.kind != SUBSET:
            return n > 1
        return n > 0 and (self.min < self.max or 0 < self.min < n)

    def taken(self, value: int) -> Iterator[Alternative]:
        """The alternatives that a value takes."""
        if self.kind != SUBSET:
            yield self.alternatives[value]
            return
        for i, a in enumerate(self.alternatives):
            if value >> i & 1:
                yield a

    def label(self, value: int) -> str:
        """A value as text."""
        if self.kind != SUBSET:
            return self.alternatives[value].label
        return "{" + ", ".join(a.label for a in self.taken(value)) + "}"

    def _count(self) -> None:
        sizes = [a.size for a in self.alternatives]
        if self.kind == SUBSET:
            self._ways = self._lottery = _Ways(sizes, self.min, self.max)
            if self.min == self.max:
                self._lottery = _Ways(_reduced(sizes), self.min, self.max)
            self.size = self._ways.total
            return
        self._flat = all(not a.sub for a in self.alternatives)
        for n in sizes:
            self._sums.append(self.size)
            self.size += n
        if any(n != sizes[0] for n in sizes):
            self._ends, total = [], 0
            for n in _reduced(sizes):
                total += n
                self._ends.append(total)

    def _pick(self, rng: Stream) -> int:
        if self.kind == SUBSET:
            assert self._lottery is not None
            return self._lottery.pick(rng)
        if self._ends is None:
            return rng.below(len(self.alternatives))
        return bisect.bisect_right(self._ends, _draw(rng, self._ends[-1]))

    def _steps(self, v: int) -> List[int]:
        """The values one step from v: any other alternative; an item more, less or swapped."""
        n = len(self.alternatives)
        if self.kind != SUBSET:
            return [i for i in range(n) if i != v]
        out = []
        count = bin(v).count("1")
        for i in range(n):
            inside = v >> i & 1 == 1
            if inside and count > self.min or not inside and count < self.max:
                out.append(v ^ 1 << i)
            for k in range(i):
                if inside != (v >> k & 1 == 1):
                    out.append(v ^ 1 << i ^ 1 << k)
        return sorted(out)

    def _other(self, rng: Stream, v: int) -> int:
        if self.kind == SUBSET:
            return rng.choice(self._steps(v))
        w = rng.below(len(self.alternatives) - 1)
        return w + 1 if w >= v else w

    def _wrong(self, v: int) -> Optional[str]:
        """Why v is no value of the decision."""
        n = len(self.alternatives)
        if v == INACTIVE:
            return f"the genotype leaves out {self.address}"
        if self.kind != SUBSET:
            return None if 0 <= v < n else f"{self.address} has no alternative {v}: there are {n}, numbered from 0"
        if v < 0 or v >> n:
            return f"{self.address} takes an item beyond its {n}"
        count = bin(v).count("1")
        if not self.min <= count <= self.max:
            return f"{self.address} takes {count} items, it must take {self.min} to {self.max}"
        return None


class _Ways:
    """Counts the completions of a subset while its items are gone through one by one."""

    def __init__(self, items: List[int], least: int, most: int):
        n = len(items)
        self.items = items
        self.to: List[List[int]] = [[] for _ in range(n + 1)]
        self.to[n] = [1 if least <= j <= most else 0 for j in range(most + 2)]
        for i in range(n - 1, -1, -1):
            row = [0] * (most + 2)
            for j in range(min(i, most) + 1):
                row[j] = self.to[i + 1][j] + items[i] * self.to[i + 1][j + 1]
            self.to[i] = row
        self.total = self.to[0][0]

    def split(self, r: int, below: Optional[Callable[[int, int], None]] = None) -> int:
        taken, j = 0, 0
        for i, n in enumerate(self.items):
            rest = self.to[i + 1][j + 1]
            if r >= n * rest:
                r -= n * rest
                continue
            taken |= 1 << i
            if below is not None:
                below(i, r // rest)
            r %= rest
            j += 1
        return taken

    def join(self, value: int, below: Callable[[int], int]) -> int:
        r, j = 0, 0
        for i, n in enumerate(self.items):
            rest = self.to[i + 1][j + 1]
            if value >> i & 1 == 0:
                r += n * rest
                continue
            r += below(i) * rest
            j += 1
        return r

    def pick(self, rng: Stream) -> int:
        return self.split(_draw(rng, self.total))


def _draw(rng: Stream, n: int) -> int:
    return rng.below(n) if n <= _WORD else rng.below_any(n)


def _reduced(all: List[int]) -> List[int]:
    g = reduce(math.gcd, all, 0)
    return [n // g for n in all] if g > 1 else all


class Space:
    """A decision tree."""

    def __init__(self, name: str, decisions: List[Decision], root: List[Decision]):
        self.name = name
        self.decisions = decisions  # by id
        self.root = root
        by_address: Dict[str, List[Decision]] = {}
        for d in decisions:
            by_address.setdefault(d.address, []).append(d)
        for d in decisions:
            same = by_address[d.address]
            d.twins = same if len(same) > 1 else []
        for d in reversed(decisions):  # what is below a decision comes after it
            for a in d.alternatives:
                a.size = _product(a.sub)
            d._count()
        self.size = _product(root)
        """The exact number of architectures."""

    # -- architectures

    def sample(self, rng: Stream) -> Genotype:
        """An architecture, each of the space equally likely."""
        return self._build(lambda d: d._pick(rng))

    def mutate(self, rng: Stream, g: Genotype) -> Genotype:
        """One step at a uniformly drawn decision; what comes into existence is drawn."""
        movable = [d for d in self.active(g) if d.mutable]
        if not movable:
            return list(g)
        return self.mutate_at(rng, g, movable[rng.below(len(movable))])

    def mutate_at(self, rng: Stream, g: Genotype, d: Decision) -> Genotype:
        """One step at a decision; g itself where it has no choice."""
        if g[d.id] == INACTIVE or not d.mutable:
            return list(g)
        v = d._other(rng, g[d.id])
        if d._flat:
            h = list(g)
            h[d.id] = v
            return h

        def choose(e: Decision) -> int:
            if e is d:
                return v
            old = _held(g, e)
            return old if old != INACTIVE else e._pick(rng)

        return self._build(choose)

    def crossover(self, rng: Stream, g: Genotype, h: Genotype) -> Genotype:
        """Every decision from one of two parents, by a fair coin where they differ."""

        def choose(d: Decision) -> int:
            a, b = _held(g, d), _held(h, d)
            if a == INACTIVE and b == INACTIVE:
                return d._pick(rng)
            if a == INACTIVE or b != INACTIVE and a != b and rng.bits() & 1:
                return b
            return a

        return self._build(choose)

    def neighbors(self, g: Genotype) -> Iterator[Genotype]:
        """The architectures one step from g, by decision, value and rank of what is new."""
        for d in list(self.active(g)):
            for w in d._steps(g[d.id]):
                yield from self._step(g, d, w)

    def all(self) -> Iterator[Genotype]:
        """Every architecture, by rank."""
        for r in range(self.size):
            yield self.unrank(r)

    def distance(self, g: Genotype, h: Genotype) -> int:
        """The number of decisions that differ, one that only one of them has included."""
        n = 0
        for d in self.decisions:
            if not d.twins:
                n += g[d.id] != h[d.id]
            elif d is d.twins[0]:
                n += _held(g, d) != _held(h, d)
        return n

    def rank(self, g: Genotype) -> int:
        """The position of g in the order of all architectures, from 0."""
        self.check(g)
        return self._rank(g, self.root)

    def unrank(self, rank: int) -> Genotype:
        """The architecture of a rank."""
        if not 0 <= rank < self.size:
            raise ValueError(f"architecture {rank} does not exist: {self.name} has {self.size}, numbered from 0")
        g = [INACTIVE] * len(self.decisions)
        self._unrank(g, self.root, rank)
        return g

    def check(self, g: Genotype) -> None:
        """Raises a ValueError if g is no architecture of the space."""
        if len(g) != len(self.decisions):
            raise ValueError(f"the genotype has {len(g)} decisions, {self.name} has {len(self.decisions)}")
        exists = [False] * len(g)

        def visit(group: List[Decision]) -> None:
            for d in group:
                wrong = d._wrong(g[d.id])
                if wrong:
                    raise ValueError(wrong)
                exists[d.id] = True
                for a in d.taken(g[d.id]):
                    visit(a.sub)

        visit(self.root)
        for d in self.decisions:
            if g[d.id] != INACTIVE and not exists[d.id]:
                raise ValueError(f"{d.address} does not exist under the alternatives taken")

    def active(self, g: Genotype) -> Iterator[Decision]:
        """The decisions that exist in g, by id."""
        return (d for d in self.decisions if g[d.id] != INACTIVE)

    def labels(self, g: Genotype) -> Dict[str, str]:
        """What is taken of each decision that exists, in words."""
        return {d.address: d.label(g[d.id]) for d in self.active(g)}

    def one_hot(self, g: Genotype) -> List[float]:
        """A vector with a place for every alternative of every decision: 1 if it is taken."""
        out: List[float] = []
        for d in self.decisions:
            v = g[d.id]
            for i in range(len(d.alternatives)):
                taken = v != INACTIVE and (v >> i & 1 == 1 if d.kind == SUBSET else v == i)
                out.append(1.0 if taken else 0.0)
        return out

    # -- the tree

    def _build(self, choose: Callable[[Decision], int]) -> Genotype:
        g = [INACTIVE] * len(self.decisions)

        def fill(group: List[Decision]) -> None:
            for d in group:
                v = choose(d)
                g[d.id] = v
                if v != INACTIVE and not d._flat:
                    for a in d.taken(v):
                        fill(a.sub)

        fill(self.root)
        return g

    def _rank(self, g: Genotype, group: List[Decision]) -> int:
        r = 0
        for d in group:
            r = r * d.size + self._rank_at(g, d)
        return r

    def _rank_at(self, g: Genotype, d: Decision) -> int:
        v = g[d.id]
        if d.kind == SUBSET:
            assert d._ways is not None
            return d._ways.join(v, lambda i: self._rank(g, d.alternatives[i].sub))
        return d._sums[v] + self._rank(g, d.alternatives[v].sub)

    def _unrank(self, g: Genotype, group: List[Decision], r: int) -> None:
        for d in reversed(group):
            r, digit = divmod(r, d.size)
            self._unrank_at(g, d, digit)

    def _unrank_at(self, g: Genotype, d: Decision, r: int) -> None:
        if d.kind == SUBSET:
            assert d._ways is not None
            g[d.id] = d._ways.split(r, lambda i, rank: self._unrank(g, d.alternatives[i].sub, rank))
            return
        i = bisect.bisect_right(d._sums, r) - 1
        g[d.id] = i
        self._unrank(g, d.alternatives[i].sub, r - d._sums[i])

    def _step(self, g: Genotype, d: Decision, w: int) -> Iterator[Genotype]:
        if d._flat:
            h = list(g)
            h[d.id] = w
            yield h
            return
        base, opened = self._carry(g, d, w)
        n = _completions(opened)
        if n > MAX_COMPLETIONS:
            n = 1
        for r in range(n):
            h = list(base)
            for e in reversed(opened):
                digit = 0
                if n > 1:
                    r, digit = divmod(r, e.size)
                self._unrank_at(h, e, digit)
            if not self._agree(g, h, d):
                continue
            _, closed = self._carry(h, d, g[d.id])
            if _completions(closed) > MAX_COMPLETIONS and any(self._rank_at(g, e) for e in closed):
                continue
            yield h

    def _carry(self, g: Genotype, d: Decision, w: int) -> Tuple[Genotype, List[Decision]]:
        opened: List[Decision] = []

        def choose(e: Decision) -> int:
            if e is d:
                return w
            v = _held(g, e)
            if v == INACTIVE:
                opened.append(e)
            return v

        return self._build(choose), opened

    def _agree(self, g: Genotype, h: Genotype, d: Decision) -> bool:
        for e in self.decisions:
            v = h[e.id]
            if not e.twins or e is d or v == INACTIVE:
                continue
            old = _held(g, e)
            if old not in (INACTIVE, v):
                return False
        return True


def _held(g: Genotype, d: Decision) -> int:
    """What g takes of d, or of the twin that it has in d's place."""
    if g[d.id] != INACTIVE:
        return g[d.id]
    for t in d.twins:
        if g[t.id] != INACTIVE:
            return g[t.id]
    return INACTIVE


def _product(group: List[Decision]) -> int:
    n = 1
    for d in group:
        n *= d.size
    return n


def _completions(all: List[Decision]) -> int:
    n = 1
    for d in all:
        if d.size > MAX_COMPLETIONS or n > MAX_COMPLETIONS:
            return MAX_COMPLETIONS + 1
        n *= d.size
    return n
