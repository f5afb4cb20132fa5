"""Whatever a run is called or says, it stays text; what is inserted runs nothing, asks nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit.report import write_report
from gan_toolkit.report.album import Source
from gan_toolkit.report.places import without_places
from gan_toolkit.runs import RunFolder

MakeRun = Callable[..., RunFolder]
Painter = Callable[..., Source]


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes, and what it says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.said: list[str] = []
        self.values: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def page_of(run: RunFolder, source: Source) -> str:
    return write_report(run, lambda: source).read_text("utf-8")


def test_hostile_texts_stay_text(
    make_run: MakeRun, painter: Painter, payloads: tuple[str, ...]
) -> None:
    plain = Skeleton(page_of(make_run("plain"), painter(dial="plain", label="plain")))

    for text in payloads:
        found = Skeleton(page_of(make_run(text), painter(dial=text, label=text)))

        assert found.elements == plain.elements, text
        assert "".join(found.said).count(without_places(text)) > 20, text

    assert len(set(payloads)) == 25


def test_how_a_score_was_found_stands_under_all_its_columns(
    make_run: MakeRun, painter: Painter
) -> None:
    page = page_of(make_run(), painter())
    head = re.search(r'<table class="scores">\s*<thead>(.*?)</thead>', page, re.DOTALL)
    spans = re.findall(r'<tr class="protocol"><td colspan="(\d+)">', page)

    assert head is not None
    assert set(spans) == {str(head[1].count("<th "))}


def test_only_its_own_script_and_style_may_act(make_run: MakeRun, painter: Painter) -> None:
    page = page_of(make_run(), painter())

    policy = dict(
        part.split(" ", 1)
        for part in re.search(r'Policy" content="([^"]*)"', page)[1]  # type: ignore[index]
        .replace("&#39;", "'")
        .split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": hash_of(re.search(r"<style>(.*?)</style>", page, re.DOTALL)),
        "script-src": hash_of(re.search(r"<script>(.*?)</script>", page, re.DOTALL)),
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def hash_of(match: re.Match[str] | None) -> str:
    assert match is not None
    return f"'sha256-{base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()}'"


def test_no_address_is_in_it_but_data_and_parts_of_itself(
    make_run: MakeRun, painter: Painter
) -> None:
    page = page_of(make_run(), painter())

    addresses = re.findall(r'(?:href|src|action|srcset|poster)="([^"]*)"', page)
    assert len(addresses) > 10
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"\son\w+=", page)
    assert "style=" not in page


def test_a_page_is_complete_without_a_generator(make_run: MakeRun) -> None:
    def nothing() -> Source:
        raise ValueError("the model was <b>eaten</b>")

    page = write_report(make_run(), nothing).read_text("utf-8")

    assert "There are no pictures of the codes: the model was &lt;b&gt;eaten&lt;/b&gt;." in page
    assert page.count("<section") == 7


def test_a_generator_without_codes_shows_samples(make_run: MakeRun, painter: Painter) -> None:
    whole = painter()

    page = page_of(make_run(), Source(whole.space, (), whole.generate, step=7))

    assert "This run has no code that can be moved; these are samples of step 7." in page
    assert page.count('class="strip alone"') == 1
    assert 'id="player"' not in page


def test_the_next_source_is_taken_when_one_fails(make_run: MakeRun, painter: Painter) -> None:
    def nothing() -> Source:
        raise ValueError("not this one")

    page = write_report(make_run(), nothing, painter).read_text("utf-8")

    assert 'id="album"' in page
    assert "not this one" not in page


def test_what_a_run_did_is_told(make_run: MakeRun, painter: Painter) -> None:
    words = " ".join(" ".join(Skeleton(page_of(make_run(), painter())).said).split())

    for told in (
        "data: plain (plain)",
        "steps 3 of 6",
        "time 1:40",
        "memory 3 MiB",
        "begun 2024-01-01 00:00 UTC",
        "gantk run plain",
        "plain 0.500 0.400 to 0.600 0.100 1 0.750 plain",
        "how plain · samples 100 · protocol plain",
        "void: plain",
        "list [plain, 0.001, 12,000]",
        "critic 1.50 generator 1.50",
    ):
        assert told in words


@pytest.mark.parametrize(
    "name",
    [
        "recipe.toml",
        "recipe.resolved.toml",
        "recipe.origins.json",
        "metrics.jsonl",
        "environment.txt",
        "log.txt",
        "evaluations/step-00000003.json",
        "samples/step-00000002.png",
    ],
)
@pytest.mark.parametrize("content", [b"", b"\xff\x00{[\n\n", None])
def test_a_file_that_is_damaged_or_gone_costs_its_part_only(
    make_run: MakeRun, painter: Painter, name: str, content: bytes | None
) -> None:
    run = make_run()
    path = run.folder / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

    page = page_of(run, painter())

    assert page.count("<section") >= 7
    assert 'id="album"' in page


def test_a_file_that_can_not_be_read_is_named(make_run: MakeRun, painter: Painter) -> None:
    run = make_run()
    (run.folder / "evaluations/step-00000009.json").write_text("{")
    (run.folder / "samples/step-00000002.png").write_bytes(b"no picture")

    words = page_of(run, painter())

    assert "step-00000009.json" not in words  # the place of a file is not told
    assert "samples/step-00000002.png can&#39;t be shown" in words


@pytest.mark.parametrize(
    ("facts", "value"),
    [("data", 3), ("data", None), ("argv", {}), ("variants", "x"), ("begun", 7), ("plugins", [])],
)
def test_facts_of_another_kind_are_left_out(
    make_run: MakeRun, painter: Painter, facts: str, value: object
) -> None:
    run = make_run()
    run.update(**{facts: value})

    assert page_of(run, painter()).count("<section") == 7


def test_it_can_be_written_elsewhere(make_run: MakeRun, painter: Painter, tmp_path: Path) -> None:
    run = make_run()

    written = write_report(run, painter, path=tmp_path / "other.html")

    assert written == tmp_path / "other.html"
    assert written.is_file()
    assert not run.report.exists()


@pytest.mark.slow
def test_the_largest_page_is_below_8_mb(make_run: MakeRun, painter: Painter) -> None:
    """Noise can't be compressed: of codes, of pictures; and there are very many curves."""
    run, whole = make_run(), painter()
    rng = np.random.default_rng(0)
    for folder, step in product(("samples", "traversals/a", "traversals/b"), range(1, 6)):
        (run.folder / folder).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (900, 900, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(run.folder / folder / f"step-{step:08d}.png")
    for step in range(1, 1_000):
        values = {f"term{i}/value{j}": float(rng.normal()) for i in range(50) for j in range(8)}
        run.metrics.append({"event": "log", "step": step, **values})
    run.write_text("recipe.toml", "x" * 5_000_000)
    run.write_text("log.txt", ("y" * 9_999 + "\n") * 500)

    def static(latent: torch.Tensor) -> torch.Tensor:
        noise = torch.Generator().manual_seed(len(latent))
        return torch.rand(len(latent), 3, 64, 64, generator=noise) * 2 - 1

    source = Source(whole.space, whole.codes, static)

    assert 5_000_000 < write_report(run, lambda: source).stat().st_size <= 8_000_000
