"""The parts of a page, each by itself: places, curves, scores, settings, pictures."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gan_toolkit.charts import HALF_LETTER, HEIGHT, MOST_POINTS, TOP, WIDTH, Chart, Mark
from gan_toolkit.interfaces import Picture
from gan_toolkit.report import pictures
from gan_toolkit.report.curves import charts
from gan_toolkit.report.images import DataUri
from gan_toolkit.report.pictures import figures
from gan_toolkit.report.places import without_places
from gan_toolkit.report.scores import blocks, void_reasons
from gan_toolkit.report.settings import settings
from gan_toolkit.runs import RunFolder

# --- places ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann/data", "…/data"),
        ("/home/ann", "…"),
        ("~/data/faces", "…/faces"),
        ("~ann/data", "…"),
        ("/home/ann/my data/faces", "…/faces"),
        ("C:\\Users\\ann\\faces", "…/faces"),
        ("\\\\server\\ann\\faces", "…/faces"),
        ("../../ann/faces", "…/faces"),
        ('File "/home/ann/my code/x.py", line 3', 'File "…/x.py", line 3'),
        ("--out=/home/ann/runs/one two", "--out=…/one two"),
        ("no /home/ann/x.zip: gone", "no …/x.zip: gone"),
        ("read file:///home/ann/x/y", "read …/y"),
        ("at C:\\Users\\ann\\x.py", "at …/x.py"),
        ("https://arxiv.org/abs/1606.03657", "https://arxiv.org/abs/1606.03657"),
        ("critic/loss and/or n/a, 1/2", "critic/loss and/or n/a, 1/2"),
        ("runs/tiny/one", "runs/tiny/one"),
        ("a\x1b[31mb\nc", "ab c"),
    ],
)
def test_a_place_ends_at_its_last_part(text: str, shown: str) -> None:
    assert without_places(text) == shown


def test_a_home_with_a_space_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/people/ann lee"))

    assert without_places("no /people/ann lee/data/x.zip here") == "no …/x.zip here"


# --- curves ---------------------------------------------------------------------------------


def logged(**values: object) -> dict[str, Any]:
    return {"event": "log", **{name.replace("__", "/"): value for name, value in values.items()}}


def path_of(chart: Chart, number: int = 0) -> list[tuple[float, float]]:
    points = chart.series[number].path.removeprefix("M").split("L")
    return [(float(x), float(y)) for x, y in (point.split() for point in points)]


def test_curves_come_in_groups_losses_first() -> None:
    names = (
        "generator/loss",
        "critic/loss",
        "term/a",
        "term/b",
        "critic/term",
        "samples_per_second",
    )

    found = charts([{"event": "log", "step": 1} | dict.fromkeys(names, 1.0)], {})

    assert [(chart.title, [one.name for one in chart.series]) for chart in found] == [
        ("loss", ["generator", "critic"]),
        ("term", ["a", "b"]),
        ("term of each player", ["critic"]),
        ("samples per second", ["samples per second"]),
    ]


def test_a_curve_goes_from_the_first_step_to_the_last() -> None:
    (chart,) = charts([logged(step=step, term__a=float(step)) for step in (10, 20, 30)], {})

    (left, low), (middle, between), (right, high) = path_of(chart)
    assert left < middle < right
    assert low > between > high  # up is less, in a drawing
    assert between == pytest.approx((low + high) / 2, abs=0.1)
    assert [tick.label for tick in chart.across] == ["10", "15", "20", "25", "30"]
    assert chart.summary == "term against steps: a ends at 30"


def test_the_last_label_is_not_cut_off() -> None:
    """`2,500` is wider around its place than the margin beside the axis."""
    (drawn,) = charts([logged(step=step, term__a=1.0 / step) for step in (500, 2_500)], {})
    last = drawn.across[-1]

    assert last.label == "2,500"
    assert last.at + HALF_LETTER * len("2,500") == WIDTH


def test_a_long_run_is_thinned_and_no_spike_is_lost() -> None:
    values = [1.0] * 10_000
    values[5_000] = 50.0
    (chart,) = charts([logged(step=i, term__a=v) for i, v in enumerate(values)], {})

    assert len(path_of(chart)) == MOST_POINTS
    top = min(float(point.split()[1]) for point in chart.series[0].band[1:-1].split("L"))
    line = min(y for _, y in path_of(chart))
    assert TOP <= top < HEIGHT * 0.15 < line


def test_what_is_no_number_is_left_out_of_a_curve() -> None:
    odd = [1.0, None, "x", True, float("nan"), 2.0]

    (chart,) = charts([logged(step=i, term__a=v, name="x") for i, v in enumerate(odd)], {})

    assert len(path_of(chart)) == 2


@pytest.mark.parametrize("value", [0.0, 5.0, -1e-9, 1e12])
def test_a_flat_curve_and_a_single_record_can_be_drawn(value: float) -> None:
    for steps in ((1,), (1, 2)):
        (chart,) = charts([logged(step=step, term__a=value) for step in steps], {})

        assert len(path_of(chart)) == 2
        assert chart.up


def test_a_code_is_drawn_under_its_entropy() -> None:
    marks = {"a": Mark(2.0, "a", True), "b": Mark(2.0, "b", True), "c": Mark(3.0, "c", False)}

    (chart,) = charts([logged(step=i, term__a=1.0, term__b=1.5) for i in range(3)], marks)

    (level,) = chart.levels
    assert level.label == "H(a, b) = 2.00 nats"
    assert level.ceiling
    assert level.at < path_of(chart, 1)[0][1] < path_of(chart, 0)[0][1]


def test_nothing_logged_is_no_curve() -> None:
    assert charts([], {}) == []
    assert charts([{"event": "evaluation", "step": 1, "scores": []}, {"event": "log"}], {}) == []


# --- scores ---------------------------------------------------------------------------------


def score(**facts: object) -> dict[str, Any]:
    return {"measure": "m", "name": "a", "value": 1.25, "count": 10, "estimator": "e"} | facts


def test_the_newest_value_of_each_score_counts() -> None:
    found = blocks([(5, [score(value=1.25), score(name="b")]), (9, [score(value=2.25)])])

    assert [(b.step, [row.name for g in b.groups for row in g.rows]) for b in found] == [
        (9, ["a"]),
        (5, ["b"]),
    ]
    assert found[0].groups[0].rows[0].value == "2.25"


def test_a_score_that_was_found_in_two_ways_is_shown_twice() -> None:
    ways = [score(seed=1, data={"name": "x", "source": "real"}), score(seed=2, value=3.5)]

    (block,) = blocks([(1, [score(value=9.5)]), (2, ways)])

    assert [(g.how[2:], [row.value for row in g.rows]) for g in block.groups] == [
        ([("seed", "1"), ("data", "name x, source real")], ["1.25"]),
        ([("seed", "2")], ["3.50"]),
    ]


def test_scores_made_alike_share_their_protocol() -> None:
    (block,) = blocks([(1, [score(), score(name="b"), score(name="c", estimator="other")])])

    assert [[row.name for row in group.rows] for group in block.groups] == [["a", "b"], ["c"]]
    assert block.groups[0].how == [("how", "e"), ("samples", "10")]


@pytest.mark.parametrize(
    ("facts", "value", "interval"),
    [
        ({"value": 2.0735, "low": 2.0734, "high": 2.0737}, "2.0735", "2.0734 to 2.0737"),
        ({"value": 0.582, "low": 0.536, "high": 0.647}, "0.582", "0.536 to 0.647"),
        ({"value": 8.0}, "8", ""),
        ({"value": 1234567.0, "low": 1.0, "high": 2e6}, "1,234,567", "1.00 to 2,000,000"),
        ({"value": None}, "void", ""),
        ({"value": True}, "void", ""),
        ({"void": "no"}, "void", ""),
    ],
)
def test_a_value_has_the_digits_its_interval_tells_apart(
    facts: dict[str, Any], value: str, interval: str
) -> None:
    ((row,),) = [group.rows for block in blocks([(1, [score(**facts)])]) for group in block.groups]

    assert (row.value, row.interval) == (value, interval)
    assert bool(row.void) is (value == "void")


def test_void_scores_are_told_by_their_reason() -> None:
    found = blocks([(1, [score(void="bad"), score(name="b", void="bad"), score(name="c")])])

    assert void_reasons(found) == {"bad": ["m a", "m b"]}


def test_what_a_score_is_held_against_and_warned_of_is_told_and_is_no_protocol() -> None:
    facts = {"anchors": {"untrained": 0.5, "oracle": 1.0}, "headline": "A"}
    told = score(**facts, warnings=["few"]), score(name="b", warnings=["few", 7]), score(name="c")

    (group,) = blocks([(1, list(told))])[0].groups

    assert group.how == [("how", "e"), ("samples", "10")]
    assert [row.anchors for row in group.rows] == ["untrained 0.500, oracle 1", "", ""]
    assert group.warnings == {"few": ["a", "b"], "7": ["b"]}
    assert blocks([(1, [score(warnings="few")])])[0].groups[0].warnings == {}


def test_a_bar_ends_at_the_value_of_its_ceiling() -> None:
    facts = score(value=0.5, low=0.25, high=2.0, chance=0.1, ceiling=1.0)
    (row,) = blocks([(1, [facts])])[0].groups[0].rows

    assert row.bar is not None
    assert (row.bar.length, row.bar.low, row.bar.high, row.bar.chance) == (60, 30, 120, 12)


def test_a_number_too_large_for_a_float_is_none() -> None:
    facts = score(value=10**400, chance=10**400, details={"a": 10**400, "b": True, "c": 2})
    (row,) = blocks([(1, [facts])])[0].groups[0].rows

    assert (row.void, row.chance, row.details) == ("there is no value", "", "b True, c 2")


def test_a_reference_is_told_and_draws_no_bar() -> None:
    (row,) = blocks([(1, [score(reference=0.5)])])[0].groups[0].rows

    assert row.reference == "0.500"
    assert row.bar is None


# --- settings -------------------------------------------------------------------------------


def test_every_value_is_shown_with_its_origin() -> None:
    tables = {"name": "x", "run": {"steps": 20_000}, "panels": {"one": {"use": "p@1", "on": True}}}
    places = {"run.steps": "--set #1", "panels.one": "x.toml:3", "panels.one.on": "default of p"}

    found = dict(settings(tables, places, {}))

    shown = {k: [(s.key, s.value, s.origin, s.given) for s in v] for k, v in found.items()}
    assert shown == {
        "run": [("steps", "20,000", "command line", True)],
        "panels.one": [("use", "p@1", "x.toml:3", True), ("on", "true", "default", False)],
    }


def test_what_came_from_the_environment_is_shown_as_it_was_written() -> None:
    tables = {"data": {"use": "d", "root": "secret place"}}

    found = dict(settings(tables, {}, {"data.root": "${env:PLACE}"}))

    assert [(s.key, s.value) for s in found["data"]] == [("use", "d"), ("root", "${env:PLACE}")]


# --- pictures -------------------------------------------------------------------------------


def test_of_many_steps_the_ends_and_some_between_are_shown(
    make_run: Callable[..., RunFolder], add_picture: Callable[..., None]
) -> None:
    run = make_run()
    for step in range(1, 41):
        add_picture(run, "traversals/code", step, "x")
    notes: list[str] = []

    found = {figure.title: [s.step for s in figure.shots] for figure in figures(run.folder, notes)}

    assert list(found) == ["samples", "traversals/code"]
    assert len(found["traversals/code"]) == pictures.MOST_SHOTS
    assert {1, 40} <= set(found["traversals/code"])
    assert notes == []


def test_a_wide_picture_is_made_smaller_and_a_broken_one_costs_itself_only(
    make_run: Callable[..., RunFolder],
) -> None:
    run, notes = make_run(), list[str]()
    run.save_picture(Picture("wide", Image.new("RGB", (2_800, 100))), 1)
    run.save_picture(Picture("torn", Image.new("RGB", (2, 2))), 1)
    (run.folder / "torn/step-00000001.png").write_bytes(b"no picture")

    found = {figure.title: figure.shots[-1] for figure in figures(run.folder, notes)}

    assert list(found) == ["samples", "wide"]
    assert (found["wide"].width, found["wide"].height) == (1_400, 50)
    assert len(notes) == 1
    assert notes[0].startswith("torn/step-00000001.png can't be shown: ")


def frames(count: int, side: int = 8) -> list[Image.Image]:
    return [Image.new("RGB", (side, side), (40 * i % 255, 0, 0)) for i in range(count)]


def decoded(film: DataUri) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(film.partition(",")[2])))


@pytest.mark.parametrize(("webp", "kind"), [(True, "WEBP"), (False, "GIF")])
def test_the_newest_film_is_taken_in(
    make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch, webp: bool, kind: str
) -> None:
    run, notes = make_run(), list[str]()
    for step in (1, 2):
        run.save_picture(Picture("films/a", *frames(1), "x", frames(step + 2), 80), step)
    monkeypatch.setattr("gan_toolkit.report.films.features.check", lambda _: webp)

    figure = figures(run.folder, notes)[-1]

    assert [shot.step for shot in figure.shots] == [1, 2]
    assert figure.film is not None
    film = decoded(figure.film)
    assert (film.format, film.n_frames, film.info["loop"]) == (kind, 4, 0)
    assert notes == []


def test_a_film_that_is_too_long_or_broken_costs_itself_only(
    make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_toolkit.report.films.MOST_FRAMES", 5)
    run, notes = make_run(), list[str]()
    for name, count in (("long", 6), ("short", 5), ("torn", 3)):
        run.save_picture(Picture(f"films/{name}", *frames(1), "x", frames(count)), 1)
    (run.folder / "films/torn/step-00000001.gif").write_bytes(b"GIF89a, and then nothing")

    found = {figure.title: figure.film is not None for figure in figures(run.folder, notes)}

    assert found == {
        "samples": False,
        "films/long": False,
        "films/short": True,
        "films/torn": False,
    }
    assert notes[0] == (
        "long/step-00000001.gif can't be shown: a film of more than 5 frames is too large for a "
        "page"
    )
    assert notes[1].startswith("torn/step-00000001.gif can't be shown")


def test_a_film_without_room_is_named(
    make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_FILM", 10)
    run, notes = make_run(), list[str]()
    run.save_picture(Picture("films/a", *frames(1), "x", frames(3)), 1)

    assert figures(run.folder, notes)[-1].film is None
    assert notes == ["no room for the film films/a"]


def test_pictures_of_matrices_are_left_to_the_scores(
    make_run: Callable[..., RunFolder], add_picture: Callable[..., None]
) -> None:
    run = make_run()
    add_picture(run, "matrices/m.all", 1, "x")
    add_picture(run, "pairs/a-b", 1, "x")

    assert [figure.title for figure in figures(run.folder, [])] == ["samples", "pairs/a-b"]


def test_without_room_the_newest_pictures_stay(
    make_run: Callable[..., RunFolder],
    add_picture: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run()
    add_picture(run, "curves", 2, "x")
    (newest, *_), (curve, *_) = (
        [s.image.size for s in reversed(f.shots)] for f in figures(run.folder, [])
    )
    monkeypatch.setattr(pictures, "MOST_BYTES", newest + curve)

    found = figures(run.folder, [])

    assert [[shot.step for shot in figure.shots] for figure in found] == [[2], [2]]


def test_a_bomb_and_a_link_are_named_and_not_opened(
    make_run: Callable[..., RunFolder], tmp_path: Path
) -> None:
    run = make_run()
    (tmp_path / "secret.png").write_bytes((run.folder / "samples/step-00000001.png").read_bytes())
    (run.folder / "samples/step-00000003.png").symlink_to(tmp_path / "secret.png")
    (run.folder / "samples/step-00000004.png").write_bytes(bomb())
    notes: list[str] = []

    (figure,) = figures(run.folder, notes)

    assert [shot.step for shot in figure.shots] == [1, 2]
    assert len(notes) == 2


def bomb() -> bytes:
    """Return a PNG that claims 60,000 by 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    side = (60_000).to_bytes(4, "big")
    header = chunk(b"IHDR", side + side + b"\x08\x00\x00\x00\x00")
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )
