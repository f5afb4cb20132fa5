from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from gan_toolkit.recipe.options import (
    Choice,
    EnvironmentText,
    NoOptions,
    Options,
    RecipePath,
    Scheduled,
    Secret,
)


class Rates(Options):
    lr: Scheduled = Field(default=1e-3, gt=0)
    """The rate."""
    slope: Annotated[Scheduled, Field(ge=0)] = 0.0
    decay: Scheduled | None = None
    plain: float = 1.0
    count: int = 1


class Ramp(Choice):
    def to_dict(self) -> dict[str, Any]:
        return {"use": "ramp"}


def test_a_schedule_passes_where_a_number_may_be_one() -> None:
    ramp = Ramp()

    rates = Rates(lr=ramp, slope=ramp, decay=ramp)

    assert rates.lr is rates.slope is rates.decay is ramp


@pytest.mark.parametrize(
    "given",
    [
        {"plain": Ramp()},
        {"lr": 0.0},
        {"slope": -1.0},
        {"lr": float("nan")},
        {"plain": float("inf")},
        {"plain": True},
        {"plain": "1"},
        {"count": 1.0},
        {"count": True},
        {"decay": {"use": "ramp"}},
        {"unknown": 1},
    ],
)
def test_what_options_refuse(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rates(**given)


def test_options_are_frozen_and_explained() -> None:
    rates = Rates(lr=1)

    assert isinstance(rates.lr, float)
    assert Rates.model_fields["lr"].description == "The rate."
    with pytest.raises(ValidationError):
        rates.plain = 2.0
    with pytest.raises(ValidationError):
        NoOptions(anything=1)  # type: ignore[call-arg]


class Board(Options):
    token: Secret
    folder: RecipePath = "logs"


def test_a_secret_comes_from_the_environment_and_is_never_shown() -> None:
    board = Board.model_validate({"token": EnvironmentText("hush", "${env:TOKEN}")})

    assert board.token.reveal() == "hush"
    assert board.token.reference == "${env:TOKEN}"
    assert "hush" not in repr(board) + str(board) + repr(board.token)


@pytest.mark.parametrize(
    "text",
    [
        "hush",
        EnvironmentText("hush", "${env:TOKEN:-hush}"),
        EnvironmentText("xhush", "x${env:TOKEN}"),
        EnvironmentText("hushhush", "${env:A}${env:B}"),
        5,
    ],
)
def test_a_secret_is_never_written_in_a_recipe(text: Any) -> None:
    with pytest.raises(ValidationError, match="a reference such as"):
        Board.model_validate({"token": text})


def test_a_schema_can_be_exported() -> None:
    assert Rates.model_json_schema()["properties"]["lr"]["exclusiveMinimum"] == 0
    assert "env" in str(Board.model_json_schema()["properties"]["token"])
