"""Measured numbers as a small table: with what they may be compared to, and why one is void."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gan_toolkit.cli.text import heading, table
from gan_toolkit.scores import data_of, name_of
from gan_toolkit.wording import figure as figure

Scores = Sequence[Mapping[str, Any]]
NUMBERS = ("value", "at most", "reference", "chance", "count", "seed")


def show_scores(scores: Scores, title: str, *, err: bool = True) -> None:
    """Write a table of scores, by default on stderr, with what tells two of one name apart."""
    apart = _telling_apart(scores)
    rows = [
        (
            *name_of(score),
            _value(score),
            str(score.get("unit", "")),
            _number(score, "ceiling"),
            _number(score, "reference"),
            _number(score, "chance"),
            *(_circumstance(score, key) for key in apart),
        )
        for score in scores
    ]
    header = ("measure", "of", "value", "unit", "at most", "reference", "chance", *apart)
    kept = [i for i in range(len(header)) if i < 3 or any(row[i] for row in rows)]
    heading(title, err=err)
    table(
        [[row[i] for i in kept] for row in rows],
        [header[i] for i in kept],
        err=err,
        right=[place for place, i in enumerate(kept) if header[i] in NUMBERS],
        indent="  ",
    )
    for reason, names in _void(scores).items():
        table([("void:", f"{reason} ({', '.join(names)})")], err=err, indent="  ")


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
        f"{score.get('measure', '')} {score.get('name', '')} {_value(score)}"
        + (f" of {figure(score['ceiling'])}" if score.get("ceiling") is not None else "")
        + (f" {score['unit']}" if score.get("unit") else "")
        for score in scores
    )


def _value(score: Mapping[str, Any]) -> str:
    value = score.get("value")
    if value is None or score.get("void"):
        return "void"
    if score.get("low") is None or score.get("high") is None:
        return figure(value)
    return f"{figure(value)} [{figure(score['low'])}, {figure(score['high'])}]"


def _number(score: Mapping[str, Any], key: str) -> str:
    return "" if score.get(key) is None else figure(score[key])
