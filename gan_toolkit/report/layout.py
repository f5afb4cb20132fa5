"""Which sheets an album has: as many values and pairs of codes as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from gan_toolkit.interfaces import Grid
from gan_toolkit.latents import LatentSpace

LEVELS = ((25, 6), (17, 5), (13, 4), (9, 4), (9, 3), (5, 2))
"""(values of a code, rows): the first with room for all pairs is taken, or else the last.

Odd, so that the middle of an interval is among them; a code that closes on itself takes one fewer.
"""
MOST_CODES = 24


@dataclass(frozen=True, eq=False)
class Code:
    """One code as the page shows it."""

    name: str
    grid: Grid
    discrete: bool

    @property
    def closed(self) -> bool:
        """Whether the last value leads on to the first."""
        values = self.grid.values
        steps = (values[1:] - values[:-1]).norm(dim=1)
        last = (values[0] - values[-1]).norm()
        return not self.discrete and len(values) > 2 and bool(last <= 1.5 * steps.max())

    def __len__(self) -> int:
        return len(self.grid.labels)


Held = tuple[Code, ...]
"""Codes that are held, none, one or two; the rest is as it was drawn."""


@dataclass(frozen=True)
class Layout:
    """The codes, the rows, and the pairs there is room for."""

    codes: list[Code]
    rows: int
    pairs: list[Held]
    notes: list[str]

    @property
    def held(self) -> Iterator[Held]:
        """Everything there is a sheet of, what matters most first."""
        yield ()
        yield from ((code,) for code in self.codes)
        yield from self.pairs

    @property
    def tiles(self) -> int:
        """Tiles of all sheets."""
        return sum(count(held, self.rows) for held in self.held)


def count(held: Held, rows: int) -> int:
    """Return the tiles of a sheet."""
    for code in held:
        rows *= len(code)
    return rows


def lay_out(space: LatentSpace, names: Sequence[str], room: int, *, rows: int | None) -> Layout:
    """Choose values, rows and pairs, so that at most `room` tiles are drawn if that can be.

    The sheets of single codes are always there. `rows` fixes the rows.
    """
    notes = [f"{len(names)} codes: the first {MOST_CODES} are shown"] * (len(names) > MOST_CODES)
    for values, level_rows in LEVELS:
        codes, failed = _codes(space, names[:MOST_CODES], values)
        pairs: list[Held] = sorted(combinations(codes, 2), key=_rank)
        layout = Layout(codes, rows or level_rows, pairs, notes + failed)
        if layout.tiles <= room:
            return layout
    return _within(layout, room)


def _codes(space: LatentSpace, names: Sequence[str], values: int) -> tuple[list[Code], list[str]]:
    codes, failed = [], []
    for name in names:
        try:
            code = Code(name, space[name].grid(values), space[name].discrete)
            if code.closed:
                code = replace(code, grid=space[name].grid(values - 1))
        except (NotImplementedError, ValueError) as error:
            failed.append(f"{name}: {error}")
            continue
        codes.append(code)
    return codes, failed


def _rank(pair: Held) -> tuple[int, int]:
    """Return what orders pairs: those with a code that can be dragged first, then small ones."""
    return sum(code.discrete for code in pair), count(pair, 1)


def _within(layout: Layout, room: int) -> Layout:
    """Keep the first pairs, as many as there is room for."""
    alone = Layout(layout.codes, layout.rows, [], []).tiles
    kept: list[Held] = []
    for pair in layout.pairs:
        alone += count(pair, layout.rows)
        if alone > room:
            break
        kept.append(pair)
    left = len(layout.pairs) - len(kept)
    notes = [*layout.notes, f"no room for {left} of {len(layout.pairs)} pairs of codes"]
    return Layout(layout.codes, layout.rows, kept, notes)
