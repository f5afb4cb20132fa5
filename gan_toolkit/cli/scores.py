"""Measured numbers as a small table: with what they may be compared to, and why one is void.

Below it stand what to know before believing them, and the headline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gan_toolkit.cli.text import heading, table
from gan_toolkit.scores import data_of, headline, name_of, warnings_of
from gan_toolkit.wording import figure as figure

Scores = Sequence[Mapping[str, Any]]
NUMBERS = ("value", "at most", "reference", "chance", "count", "seed")
MOST_NAMES = 3
"""Scores that are named beside a reason they share; more are counted."""


def show_scores(scores: Scores, title: str, *, err: bool = True) -> None:
    """Write a table of scores, by default on stderr, with what tells two of one name apart."""
    apart = _telling_apart(scores)
    anchors = list(dict.fromkeys(name for score in scores for name in score.get("anchors") or ()))
    rows = [
        (
            *name_of(score),
            value_of(score),
            str(score.get("unit", "")),
            _number(score, "ceiling"),
            _number(score, "reference"),
            _number(score, "chance"),
            *(_number(score.get("anchors") or {}, name) for name in anchors),
            *(_circumstance(score, key) for key in apart),
        )
        for score in scores
    ]
    header = ("measure", "of", "value", "unit", "at most", "reference", "chance", *anchors, *apart)
    kept = [i for i in range(len(header)) if i < 3 or any(row[i] for row in rows)]
    heading(title, err=err)
    table(
        [[row[i] for i in kept] for row in rows],
        [header[i] for i in kept],
        err=err,
        right=[place for place, i in enumerate(kept) if header[i] in (*NUMBERS, *anchors)],
        indent="  ",
    )
    for reason, names in _void(scores).items():
        table([("void:", f"{reason} ({', '.join(names)})")], err=err, indent="  ")
    for text, names in warnings_of(scores).items():
        whose = names if len(names) <= MOST_NAMES else [f"{len(names)} scores"]
        table([("warning:", f"{text} ({', '.join(whose)})")], err=err, indent="  ")
    if line := headline(scores):
        table([("in short:", line)], err=err, indent="  ")


def _telling_apart(scores: Scores) -> list[str]:
    """Return the circumstances in which scores of one name differ."""
    same: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for score in scores:
        same.setdefault(name_of(score), []).append(score)
    return [
        key
        for key in ("count", "split", "effort", "seed", "data")
        if any(len({_circumstance(one, key) for one in some}) > 1 for some in same.values())
    ]


def _circumstance(score: Mapping[str, Any], key: str) -> str:
    if key == "data":
        name, _, fingerprint = data_of(score)
        return f"{name} {fingerprint[:6]}"
    return _number(score, key) if key in NUMBERS else str(score.get(key, ""))


def _void(scores: Scores) -> dict[str, list[str]]:
    """Return for each reason what is void, each measure named once."""
    found: dict[str, dict[str, list[str]]] = {}
    for score in scores:
        if score.get("void"):
            of_measure = found.setdefault(str(score["void"]), {})
            of_measure.setdefault(str(score.get("measure", "")), []).append(str(score["name"]))
    return {
        reason: [
            f"{measure} {names[0]}" if len(names) == 1 else f"{len(names)} values of {measure}"
            for measure, names in measures.items()
        ]
        for reason, measures in found.items()
    }


def describe_scores(scores: Scores) -> str:
    """Return scores in one line."""
    return ", ".join(
        f"{score.get('measure', '')} {score.get('name', '')} {value_of(score)}"
        + (f" of {figure(score['ceiling'])}" if score.get("ceiling") is not None else "")
        + (f" {score['unit']}" if score.get("unit") else "")
        for score in scores
    )


def value_of(score: Mapping[str, Any]) -> str:
    """Return a value with its interval, if one was estimated."""
    value = score.get("value")
    if value is None or score.get("void"):
        return "void"
    if score.get("low") is None or score.get("high") is None:
        return figure(value)
    return f"{figure(value)} [{figure(score['low'])}, {figure(score['high'])}]"


def _number(score: Mapping[str, Any], key: str) -> str:
    return "" if score.get(key) is None else figure(score[key])
