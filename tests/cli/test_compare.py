from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Gantk = Callable[..., Any]


@pytest.fixture
def runs(gantk: Gantk, recipe: Path) -> list[Path]:
    """Three runs that differ by seed only."""
    for seed in range(3):
        assert gantk("run", recipe, "--name", f"s{seed}", "--seed", str(seed)).exit_code == 0
    return [Path(f"runs/tiny/s{seed}") for seed in range(3)]


def changed(run: Path, **more: Any) -> None:
    """Change every score of a run."""
    (file,) = run.glob("evaluations/*.json")
    scores = json.loads(file.read_text())["scores"]
    file.write_text(json.dumps({"scores": [{**score, **more} for score in scores]}))


def test_seeds_are_shown_with_all_their_values(gantk: Gantk, runs: list[Path]) -> None:
    for number, run in enumerate(runs):
        changed(run, value=float(2**number))

    result = gantk("compare", *runs)

    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["run.seed", "0", "1", "2"] in lines
    assert ["two", "code", "1", "2", "4", "nats"] in lines
    assert ["two", "code", "1", "2", "4", "2", "1.50", "to", "3", "3"] in lines
    assert "*" not in result.stdout


def test_what_was_not_found_alike_is_marked_and_told(gantk: Gantk, runs: list[Path]) -> None:
    changed(runs[1], count=99)

    shown = gantk("compare", *runs[:2]).stdout

    assert "two *" in shown
    assert "* two code: count differs (s0: 10, s1: 99)" in shown


def test_what_is_void_or_missing_has_no_value(gantk: Gantk, runs: list[Path]) -> None:
    changed(runs[0], void="no")
    changed(runs[1], name="other")

    lines = [line.split() for line in gantk("compare", *runs[:2]).stdout.splitlines()]

    assert ["two", "code", "void", "-", "nats"] in lines
    assert ["two", "other", "-", "0.500", "nats"] in lines


def test_other_data_has_a_table_of_its_own(gantk: Gantk, runs: list[Path]) -> None:
    changed(runs[1], data={"name": "dots", "source": "real", "fingerprint": "feed"})

    shown = gantk("compare", *runs[:2]).stdout

    assert "Scores on dots (real, feed)" in shown
    assert shown.count("Scores on dots") == 2


def test_a_recipe_that_differs_is_told_by_its_key(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "plain")
    gantk("run", recipe, "--name", "other", "--unset", "measures.two", "--steps", "4")

    shown = gantk("compare", "plain", "other").stdout

    lines = [line.split() for line in shown.splitlines()]
    assert ["run.steps", "6", "4"] in lines
    assert ["measures", "tiny_two@1", "-"] in lines
    assert any(line[:1] == ["other"] and "never" in line for line in lines)


def test_json_holds_the_same(gantk: Gantk, runs: list[Path]) -> None:
    found = json.loads(gantk("compare", *runs, "--json").stdout)

    assert [run["label"] for run in found["runs"]] == ["s0", "s1", "s2"]
    assert found["differences"] == [{"group": "seeds", "key": "run.seed", "values": [0, 1, 2]}]
    (row,) = found["tables"][0]["rows"]
    assert [record["value"] for record in row["records"]] == [0.5] * 3
    (family,) = found["families"]
    assert family["seeds"] == [0, 1, 2]
    assert family["scores"][0]["median"] == 0.5


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        (("runs/tiny/s0",), "one run can't be compared"),
        (("runs/tiny/s0", "s0"), "s0 is named twice"),
        (("runs/tiny/s0", "s9"), "no run in runs is called 's9'"),
    ],
    ids=str,
)
def test_what_can_not_be_compared_is_refused(
    gantk: Gantk, runs: list[Path], sources: tuple[str, ...], text: str
) -> None:
    result = gantk("compare", *sources)

    assert result.exit_code == 2
    assert text in result.stderr


def test_a_score_that_rests_on_one_seed_is_said(gantk: Gantk, runs: list[Path]) -> None:
    changed(runs[1], void="no")
    gantk("run", "tiny.toml", "--name", "other", "--steps", "4")

    shown = gantk("compare", *runs[:2], "runs/tiny/other").stdout

    assert "one seed: no spread is known (other)" in shown
    assert "one seed: no spread is known (two code)" in shown
    assert "no spread is known (s0" not in shown


# --- runs by each other ----------------------------------------------------------------------


def test_runs_are_scored_by_each_other(gantk: Gantk, runs: list[Path]) -> None:
    result = gantk("compare", *runs, "--select", "tiny_place:factor=2.0", "--select", "tiny_none")

    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert ["tiny_place", "place", "0", "2", "4", "0.500"] in lines
    assert "tiny_place: the best is s2, 4; not told apart from s1" in result.stdout
    assert "tiny_none void: nothing to see (s0, s1, s2)" in result.stdout
    assert "tiny_none: the best" not in result.stdout


def test_json_and_page_hold_the_selection_too(gantk: Gantk, runs: list[Path]) -> None:
    result = gantk("compare", *runs, "--select", "tiny_place", "--json", "--html", "all.html")

    found = json.loads(result.stdout)["selection"]
    (row,) = found["tables"][0]["rows"]
    assert [record["value"] for record in row["records"]] == [0.0, 1.0, 2.0]
    assert found["best"][0] == {
        "measure": "tiny_place",
        "name": "place",
        "label": "s2",
        "value": 2.0,
        "close": ["s1"],
    }
    assert "the best is s2" in Path("all.html").read_text()


def test_a_comparison_that_fails_costs_its_own_scores(gantk: Gantk, runs: list[Path]) -> None:
    result = gantk("compare", *runs, "--select", "tiny_lost", "--select", "tiny_place", "-v")

    assert result.exit_code == 3
    assert "the best is s2" in result.stdout
    assert "comparing by tiny_place" in result.stderr
    assert "1 failed: tiny_lost (ZeroDivisionError: a bug)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--select", "tiny_place", "--select", "tiny_place"), "tiny_place is given twice"),
        (("--select", "tiny_place:2"), "write NAME or NAME:KEY=VALUE"),
        (("--select", "tiny_place:factor=x"), "factor=x is not TOML"),
        (("--select", "tiny_plaec"), "did you mean 'tiny_place'"),
        (("--fast",), "--fast is for --select, which is not there"),
        (("--seed", "1"), "--seed is for --select, which is not there"),
    ],
    ids=str,
)
def test_what_can_not_be_asked_is_refused_in_one_line(
    gantk: Gantk, runs: list[Path], arguments: tuple[str, ...], text: str
) -> None:
    result = gantk("compare", *runs, *arguments)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert text in result.stderr


def test_runs_on_other_data_are_not_scored_by_each_other(gantk: Gantk, runs: list[Path]) -> None:
    text = (runs[1] / "run.json").read_text()
    (runs[1] / "run.json").write_text(
        re.sub(r'"fingerprint": "\w+"', '"fingerprint": "feed"', text)
    )

    result = gantk("compare", *runs, "--select", "tiny_place")

    assert result.exit_code == 4
    assert "s1 was trained on dots (fingerprint feed)" in result.stderr


def test_neither_torch_nor_plugins_are_needed(gantk: Gantk, runs: list[Path]) -> None:
    code = (
        "import sys\n"
        "from gan_toolkit.cli.root import cli\n"
        "try: cli(sys.argv[1:], prog_name='gantk')\n"
        "finally: print({'torch', 'numpy', 'pluggy'} & set(sys.modules), file=sys.stderr)\n"
    )
    compared = ["compare", *map(str, runs)]
    paged = [*compared, "--html", "all.html"]
    for arguments in (compared, paged, ["runs", "list"], ["runs", "show", "s0"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )

        assert done.stderr.splitlines()[-1] == "set()"


def test_a_page_holds_tables_and_curves_and_loads_nothing(gantk: Gantk, runs: list[Path]) -> None:
    (runs[0] / "run.json").write_text(
        (runs[0] / "run.json").read_text().replace('"recipe": "tiny"', '"recipe": "<script>x"')
    )

    changed(runs[1], count=99)

    result = gantk("compare", *runs, "--html", "pages/all.html")

    page = Path("pages/all.html").read_text()
    assert result.exit_code == 0
    assert '<path class="curve s2"' in page
    assert "<figcaption>critic/loss</figcaption>" in page
    assert '<p class="told">* two code: count differs (s0: 10, s1: 99, s2: 10)</p>' in page
    assert "&lt;script&gt;x" in page
    assert not re.search(r"<script|https?:|src=|href=", page)
    assert len(list(body_of(page).iter("table"))) == 4


def body_of(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page[page.index("<body>") : page.index("</body>")] + "</body>")


def test_a_page_draws_every_seed_and_says_its_values(gantk: Gantk, runs: list[Path]) -> None:
    for number, run in enumerate(runs):
        changed(run, value=float(2**number), ceiling=8.0)

    gantk("compare", *runs, "--html", "all.html")

    body = body_of(Path("all.html").read_text())
    (picture,) = [svg for svg in body.iter("svg") if "median" in svg.get("aria-label", "")]
    assert picture.get("aria-label") == (
        "two code: seed 0: 1; seed 1: 2; seed 2: 4; median 2; quartiles 1.50 to 3; at most 8"
    )
    places = [float(dot.get("cx", "")) for dot in picture.iter("circle")]
    assert places == sorted(places)
    assert places[2] - places[1] == pytest.approx(2 * (places[1] - places[0]), abs=0.2)
    (middle,) = [line for line in picture.iter("line") if line.get("class") == "median"]
    assert float(middle.get("x1", "")) == places[1]


def test_a_page_shows_information_beside_the_entropy_and_names_who_lacks_it(
    gantk: Gantk, recipe: Path, runs: list[Path]
) -> None:
    bare = ("--name", "bare", "--unset", "regularisers.read")
    gantk("run", recipe, *bare, "--variant", "base")

    gantk("compare", *runs, "runs/tiny/bare", "--html", "all.html")

    page = Path("all.html").read_text()
    first = page.index("Information that is read back")
    drawn = page[first : page.index("Over the steps")]
    assert "H(code) = 0.693 nats" in drawn
    assert "s0 (variant cpu)" in drawn
    assert "not in the journal of bare<" in drawn
    assert drawn.count("<figcaption>") == 1


def test_a_page_is_not_written_over(gantk: Gantk, runs: list[Path]) -> None:
    Path("all.html").write_text("mine")

    refused = gantk("compare", *runs, "--html", "all.html")

    assert refused.exit_code == 2
    assert Path("all.html").read_text() == "mine"
    assert gantk("compare", *runs, "--html", "all.html", "--force").exit_code == 0
