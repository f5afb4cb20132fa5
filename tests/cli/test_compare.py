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


def test_neither_torch_nor_plugins_are_needed(gantk: Gantk, runs: list[Path]) -> None:
    code = (
        "import sys\n"
        "from gan_toolkit.cli.root import cli\n"
        "try: cli(sys.argv[1:], prog_name='gantk')\n"
        "finally: print({'torch', 'numpy', 'pluggy'} & set(sys.modules), file=sys.stderr)\n"
    )
    for arguments in (["compare", *map(str, runs)], ["runs", "list"], ["runs", "show", "s0"]):
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
    assert "<polyline" in page
    assert "<figcaption>critic/loss</figcaption>" in page
    assert "<p>* two code: count differs (s0: 10, s1: 99, s2: 10)</p>" in page
    assert "&lt;script&gt;x" in page
    assert not re.search(r"<script|https?:|src=|href=", page)
    body = page[page.index("<body>") : page.index("</body>")] + "</body>"
    assert len(list(ElementTree.fromstring(body.replace("&nbsp;", " ")).iter("table"))) == 4


def test_a_page_is_not_written_over(gantk: Gantk, runs: list[Path]) -> None:
    Path("all.html").write_text("mine")

    refused = gantk("compare", *runs, "--html", "all.html")

    assert refused.exit_code == 2
    assert Path("all.html").read_text() == "mine"
    assert gantk("compare", *runs, "--html", "all.html", "--force").exit_code == 0
