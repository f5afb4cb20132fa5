"""The record of a score is documented key by key."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import torch

from gan_toolkit.batches import ArrayDataset
from gan_toolkit.evaluation import EngineView, evaluate
from gan_toolkit.interfaces import Measure, Score, View
from gan_toolkit.matrices import Matrix
from gan_toolkit.scores import PROTOCOL
from gan_toolkit.testing.parts import tiny_engine

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "run_folder.md"


class Full(Measure):
    """Says all that a score can say, and the least."""

    def measure(self, view: View) -> list[Score]:
        told = {"protocol": "p", "warnings": ["w"], "headline": "H", "anchors": {"oracle": 1.0}}
        where = {"void": "v", "details": {"d": 1}, "split": "held-out", "reference": 1.5}
        where["matrices"] = {"m": Matrix(("a",), ("b",), ((1.0,),), "w")}
        return [
            Score("full", 1.0, 2, "e", "nats", 0.5, 1.5, 0.0, 2.0, **told, **where),
            Score("least", 0.0, 0, "e"),
        ]


def documented() -> list[list[str]]:
    """Return the keys of each line of the table."""
    section = PAGE.read_text().partition("## The record of a score")[2].partition("\n## ")[0]
    lines = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [re.findall(r"`(\w+)`", cell) for cell in lines]


def test_every_key_of_a_record_has_its_line_and_no_line_is_of_another() -> None:
    data = ArrayDataset("points", "synthetic", torch.zeros(4, 2))
    view = EngineView(tiny_engine(), data, name="tiny", seed=0, effort="fast")

    full, least = evaluate("table", Full(), view, "full@1")

    keys = [key for line in documented() for key in line]
    assert sorted(full) == sorted(keys)
    assert {field.name for field in fields(Score)} <= set(keys)
    assert set(least) - {"effort"} == {key for line in documented()[:5] for key in line}
    assert set(PROTOCOL) <= set(keys)
