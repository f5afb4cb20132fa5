from __future__ import annotations

import pytest

from gan_toolkit.cli.scores import figure
from gan_toolkit.cli.text import (
    count_of,
    duration,
    echo,
    number,
    put,
    shape_of,
    size,
    table,
    waiting,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.84, "0.840"),
        (-0.0293, "-0.0293"),
        (1.3096, "1.31"),
        (12.34, "12.3"),
        (812.3, "812"),
        (1234.5, "1,234"),
        (2.51e-6, "2.5e-06"),
        (3.2e9, "3.20e+09"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(8.0, "8"), (12345.0, "12,345"), (0.5, "0.500"), (1e300, "1.00e+300")]
)
def test_counts_stay_whole_while_they_can_be_counts(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (42, "0:42"), (723, "12:03"), (4323, "1:12:03")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_and_counts() -> None:
    assert [size(n) for n in (10, 2048, 5 * 2**30)] == ["10 B", "2 KiB", "5.0 GiB"]
    assert [count_of(n, "picture") for n in (1, 12000)] == ["1 picture", "12,000 pictures"]


def test_columns_line_up_and_numbers_end_together(capsys: pytest.CaptureFixture[str]) -> None:
    table([("a", "9", "x"), ("bbb", "1000", "")], ("name", "n", ""), right=[1])

    assert capsys.readouterr().out.splitlines() == [
        "name     n",
        "a        9  x",
        "bbb   1000",
    ]


def test_control_characters_from_outside_never_get_out(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b[31mb\x07\x1b]0;title\x07\nc"

    echo(evil)
    put(evil)
    table([(evil,)], (evil,))

    out, err = capsys.readouterr()
    assert err == "ab c\n"
    assert out == "ab c\n" * 3


def test_shapes_of_images_and_points() -> None:
    assert shape_of((3, 32, 32)) == "3x32x32"
    assert shape_of((2,)) == "2 numbers"


def test_waiting_leaves_no_trace_on_a_terminal_and_none_at_all_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting("loading"):
        pass
    assert capsys.readouterr().err == ""

    monkeypatch.setattr("gan_toolkit.cli.text.is_lively", lambda _: True)
    with waiting("loading"):
        pass
    assert capsys.readouterr().err == "loading …\r         \r"
