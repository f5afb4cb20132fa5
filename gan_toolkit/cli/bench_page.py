"""What `gantk bench` shows of a contest: a table of ratios, and what must be known to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gan_toolkit.bench.contest import Ratio, Result, Standing, others_busy, ratio
from gan_toolkit.cli.text import count_of, number, put, size, table
from gan_toolkit.launcher import cores

HEADER = (
    "contestant",
    "ms a step",
    "samples/s",
    "GFLOP/s",
    "time / first's",
    "from",
    "to",
    "first step",
    "memory",
    "memory / first's",
)
BUSY = 0.25
"""Cores: from so many that others keep busy, figures deserve a warning."""
UNAVOIDABLE = ("passes", "optimiser")
"""Parts of a step that every training loop has."""
NOTHING = "-"


def show(
    result: Result, busy: float | None, *, changes: Sequence[str] = (), markdown: bool
) -> None:
    """Write the table to stdout, with what one must know before believing it.

    `changes` are the options that changed the recipe of the first.
    """
    for line in opening(result, busy, changes):
        put(line)
    put()
    rows = [cells(standing, result.standings[0]) for standing in result.standings]
    if markdown:
        for line in as_markdown(rows):
            put(line)
    else:
        table(rows, HEADER, right=range(1, len(HEADER)))
    closing = [*failures(result.standings), *facts_of(result)]
    if closing:
        put()
    for line in closing:
        put(f"- {line}" if markdown else line)


def opening(result: Result, busy: float | None, changes: Sequence[str] = ()) -> Iterator[str]:
    """Say what was measured, under which conditions, and what is wrong with them."""
    first = result.standings[0]
    facts = first.facts
    shape = "x".join(map(str, facts["shape"]))
    yield (
        f"{' '.join([first.label, *changes])}: {facts['data']} of {shape}, batch {facts['batch']}, "
        f"{facts['described']}, torch {facts['torch']}."
    )
    yield (
        f"Medians of {len(first.seconds)} rounds of {count_of(result.steps, 'step')} in turn; "
        "without panels, measures and checkpoints."
    )
    yield from warnings(result, busy)


def warnings(result: Result, busy: float | None) -> Iterator[str]:
    """Say what spoils the figures."""
    there, threads = cores(), result.standings[0].facts["threads"]
    meanwhile = others_busy(result.standings)
    if busy is None or meanwhile is None:
        yield "Warning: this system does not say what other processes compute."
        return
    yield f"Other processes kept {meanwhile:.1f} of {there} cores busy, {busy:.1f} just before."
    if max(meanwhile, busy) > BUSY:
        yield "Warning: the machine is not idle: trust no figure, ratios a little."
    if threads > there - round(max(meanwhile, busy)):
        many = f"{threads} threads are" if threads > 1 else "one thread is"
        yield f"Warning: {many} more than the free cores: every step waits for one."


def cells(standing: Standing, first: Standing) -> list[str]:
    """Return the row of one contestant."""
    compared = ratio(standing, first)
    return [
        standing.label,
        NOTHING if standing.median is None else number(1000 * standing.median),
        _or_nothing(standing.samples_per_second, number),
        _rate(standing),
        *_of(compared),
        NOTHING if standing.first_step is None else f"{standing.first_step:.1f} s",
        size(standing.peak_bytes) if standing.peak_bytes else NOTHING,
        _memory(standing, first),
    ]


def _of(compared: Ratio | None) -> list[str]:
    if compared is None:
        return [NOTHING] * 3
    return [f"{value:.3f}" for value in (compared.median, compared.low, compared.high)]


def _rate(standing: Standing) -> str:
    if standing.flops is None or standing.median is None:
        return NOTHING
    return number(standing.flops / standing.median / 1e9)


def _memory(standing: Standing, first: Standing) -> str:
    if not standing.peak_bytes or not first.peak_bytes:
        return NOTHING
    return f"{standing.peak_bytes / first.peak_bytes:.2f}"


def _or_nothing(value: float | None, shown: Any) -> str:
    return NOTHING if value is None else str(shown(value))


def failures(standings: Sequence[Standing]) -> Iterator[str]:
    """Say why some can't run, or ran no longer."""
    for standing in standings:
        if standing.failure:
            rounds = count_of(len(standing.seconds), "round")
            how = f"gave up after {rounds}" if standing.seconds else "can't run"
            yield f"{how}: {standing.label}: {standing.failure}"


def facts_of(result: Result) -> Iterator[str]:
    """Say where the time of a step goes, and how near the floor it is."""
    if result.shares:
        parts = ", ".join(f"{name} {share:.2%}" for name, share in by_size(result.shares))
        yield f"of a step: {parts}"
        yield f"outside of {' and '.join(UNAVOIDABLE)}: {outside(result.shares):.2%}"
    for standing in result.standings:
        if "products" in standing.facts:
            yield from floor(standing, result.standings[0])


def floor(standing: Standing, first: Standing) -> Iterator[str]:
    """Say what a step must compute, and what share of its time that takes at its best."""
    products: Mapping[str, int] = standing.facts["products"]
    whole, compared = sum(products.values()), ratio(standing, first)
    kinds = ", ".join(f"{name} {count / whole:.0%}" for name, count in by_size(products))
    samples = standing.facts["samples_per_step"]
    yield (
        f"matrix products and convolutions: {number(whole / 1e9)} GFLOP a step, "
        f"{number(whole / samples / 1e6)} MFLOP a sample ({kinds})"
    )
    if compared is not None:
        low, high = f"{compared.low:.0%}", f"{compared.high:.0%}"
        yield f"the step reaches {compared.median:.0%} of their speed alone ({low} to {high})"


def outside(shares: Mapping[str, float]) -> float:
    """Return the share of a step that is not forward, backward, or moving weights."""
    return sum(share for name, share in shares.items() if name not in UNAVOIDABLE)


def by_size(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return names and values, the largest first."""
    return sorted(shares.items(), key=lambda pair: -pair[1])


def as_markdown(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a Markdown table, numbers to the right."""
    for row in (HEADER, ["---", *["---:"] * (len(HEADER) - 1)], *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def document(result: Result, busy: float | None) -> dict[str, Any]:
    """Return the whole contest as JSON, every round of it."""
    first = result.standings[0]
    return {
        "contestants": [
            asdict(standing)
            | {"seconds_per_step": standing.median}
            | {"samples_per_second": standing.samples_per_second}
            | {"time_to_first": _plain(ratio(standing, first))}
            for standing in result.standings
        ],
        "steps": result.steps,
        "shares": result.shares,
        "outside": outside(result.shares) if result.shares else None,
        "cores": cores(),
        "busy_before": busy,
        "busy_meanwhile": others_busy(result.standings),
    }


def _plain(compared: Ratio | None) -> dict[str, float] | None:
    return None if compared is None else asdict(compared)
