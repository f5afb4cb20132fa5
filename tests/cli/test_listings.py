"""`plugins`, `components`, `data`, `doctor` and `completion`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from gan_toolkit.cli.fields import options_of
from gan_toolkit.recipe.options import Options, Scheduled

Gantk = Callable[..., Any]


def test_plugins_are_listed_with_what_they_offer(gantk: Gantk, plugin: Path) -> None:
    line = next(
        line for line in gantk("plugins", "list").stdout.splitlines() if plugin.stem in line
    )
    record = json.loads(gantk("plugins", "list", "--json").stdout)[-1]

    assert "loaded" in line
    assert "2 latents" in line
    assert record["components"]["latent"] == ["tiny_coin", "tiny_noise"]


def test_a_broken_plugin_is_shown_with_its_traceback(gantk: Gantk, tmp_path: Path) -> None:
    broken = tmp_path / "broken_plugin_of_cli_tests.py"
    broken.write_text("import nothing_there\n")

    listed = gantk("plugins", "list", "-P", broken)
    shown = gantk("plugins", "info", broken.stem, "-P", broken)

    assert listed.exit_code == shown.exit_code == 0
    assert "No module named 'nothing_there'" in listed.stdout
    assert "Traceback" in shown.stdout


def test_an_unknown_plugin_is_exit_2(gantk: Gantk) -> None:
    assert gantk("plugins", "info", "nobody").exit_code == 2


def test_components_of_a_kind(gantk: Gantk) -> None:
    result = gantk("components", "list", "latent")

    assert any("tiny_coin" in line and "a coin" in line for line in result.stdout.splitlines())
    assert "tiny_judge" not in result.stdout


def test_a_component_shows_its_options(gantk: Gantk) -> None:
    result = gantk("components", "show", "dataset", "tiny_dots")

    assert "  grey  true or false, default true" in result.stdout
    assert "    Whether the pictures are grey." in result.stdout
    shown = json.loads(gantk("components", "show", "dataset", "tiny_dots", "--json").stdout)
    assert [option["name"] for option in shown["options"]] == ["grey", "fault"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("list", "latnet"), "did you mean 'latent'?"),
        (("show", "latent", "tiny_coim"), "did you mean 'tiny_coin'?"),
    ],
)
def test_near_misses(gantk: Gantk, arguments: tuple[str, ...], text: str) -> None:
    result = gantk("components", *arguments)

    assert result.exit_code == 2
    assert text in result.stderr


class Everything(Options):
    rate: Annotated[Scheduled, Field(gt=0)] = 1.0
    """A rate."""
    sizes: Annotated[list[int], Field(min_length=1)]
    mode: Literal["a", "b"] = "a"
    spread: Literal["learned"] | Annotated[float, Field(ge=0, le=2)] = "learned"
    count: Annotated[int, Field(ge=1)] | None = None
    weights: Annotated[dict[str, float], Field(default_factory=dict)]


def test_options_in_the_words_of_a_recipe() -> None:
    found = {o.name: (o.type, o.range, o.default, o.required) for o in options_of(Everything)}

    assert found == {
        "rate": ("number or schedule", "above 0", "1.0", False),
        "sizes": ("list of integer", "at least 1 long", "", True),
        "mode": ('"a" | "b"', "", '"a"', False),
        "spread": ('"learned" or number at least 0, at most 2', "", '"learned"', False),
        "count": ("integer at least 1", "", "absent", False),
        "weights": ("table of number", "", "{}", False),
    }


def test_data_sets_are_listed(gantk: Gantk) -> None:
    result = gantk("data", "list")

    assert "tiny_dots" in result.stdout
    assert "GANTK_DATA" in result.stdout


def test_a_data_set_tells_of_itself(gantk: Gantk) -> None:
    shown = gantk("data", "info", "tiny_dots")
    facts = json.loads(gantk("data", "info", "tiny_dots", "--json").stdout)

    assert "synthetic" in shown.stdout
    assert (facts["samples"], facts["shape"]) == (64, [1, 4, 4])


def test_long_lists_of_values_are_cut_short(gantk: Gantk, tmp_path: Path) -> None:
    settings = ("count=2", "held_out=0", "size=16", f"cache='{tmp_path}'")

    shown = gantk("data", "info", "sprites", *(f"--set={setting}" for setting in settings))

    assert "3: square, ellipse, heart" in shown.stdout
    assert "40: 0.0000, 0.1611, 0.3222, ..., 6.2832" in shown.stdout


def test_data_info_says_what_a_set_is_that_needs_options(gantk: Gantk) -> None:
    bare = gantk("data", "info", "image_folder")
    told = gantk("data", "info", "image_folder", "--set", "size=8")

    assert (bare.exit_code, told.exit_code) == (2, 2)
    assert "put the pictures below data.root" in " ".join(bare.stdout.split())
    assert told.stdout == ""


def test_data_info_counts_what_is_held_out(gantk: Gantk) -> None:
    assert ["held", "out", "359"] in [
        line.split() for line in gantk("data", "info", "digits").stdout.splitlines()
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("tiny_dost",), "did you mean 'tiny_dots'?"),
        (("tiny_dots", "--set", "gray=true"), "--set gray: unknown key; did you mean 'grey'?\n"),
        (("tiny_dots", "--set", "grey=1"), "--set grey: 1 is not true or false; true or false\n"),
        (("tiny_dots", "--set", "grey"), "write KEY=VALUE"),
        (
            ("image_folder",),
            "--set root: missing; a text\n"
            "--set size: missing; an integer of at least 1 and at most 1024\n",
        ),
    ],
)
def test_data_info_explains(gantk: Gantk, arguments: tuple[str, ...], text: str) -> None:
    result = gantk("data", "info", *arguments)

    assert result.exit_code == 2
    assert text in result.stderr


@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        ("missing", 4, "gantk: dots: no dots in here; to get it: draw them\n"),
        (
            "bug",
            3,
            "gantk: dataset 'tiny_dots' of plugin 'PLUGIN' raised ZeroDivisionError: a bug\n",
        ),
    ],
)
def test_data_that_can_not_be_opened_is_told_in_one_line(
    gantk: Gantk, plugin: Path, fault: str, code: int, text: str
) -> None:
    result = gantk("data", "info", "tiny_dots", "--set", f'fault="{fault}"')

    assert result.exit_code == code
    assert result.stderr.endswith(text.replace("PLUGIN", plugin.stem))


def test_of_missing_data_one_is_told_how_to_get_it(gantk: Gantk) -> None:
    arguments = ("data", "info", "tiny_dots", "--set", 'fault="missing"')

    told = gantk(*arguments)
    assert told.exit_code == 4
    assert "  what:          64 dots\n" in told.stdout
    assert "  to get it:     draw them\n" in told.stdout
    assert told.stderr.endswith("dots: no dots in here; to get it: draw them\n")
    record = json.loads(gantk(*arguments, "--json").stdout)
    assert record["cause"] == "dots: no dots in here; to get it: draw them"
    assert record["published"]["how"] == "draw them"


def test_the_doctor_looks_at_everything_and_hears_plugins(gantk: Gantk) -> None:
    result = gantk("doctor")

    assert result.exit_code == 0
    for word in ("python", "cores", "torch", "device", "runs folder", "plugins"):
        assert word in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("!")
    assert last.endswith("dots are round  not well; buy rounder dots")


def test_the_doctor_as_json(gantk: Gantk) -> None:
    findings = json.loads(gantk("doctor", "--json").stdout)

    assert {"what", "well", "found", "remedy"} == set(findings[0])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(gantk: Gantk, shell: str) -> None:
    result = gantk("completion", shell)

    if result.exit_code == 0:  # bash must be installed for its own, and new enough
        assert "_GANTK_COMPLETE" in result.stdout


def test_plugins_of_a_kind(gantk: Gantk, plugin: Path) -> None:
    of_a_kind = json.loads(gantk("plugins", "list", "--kind", "latent", "--json").stdout)

    assert [record["name"] for record in of_a_kind] == ["latents", plugin.stem]
    assert gantk("plugins", "list", "--kind", "tracker").stdout == ""
    assert "did you mean 'latent'?" in gantk("plugins", "list", "--kind", "latnet").stderr


def test_plugins_are_listed_with_every_component_by_name(gantk: Gantk) -> None:
    shown = gantk("plugins", "list", "--all").stdout

    assert "latent tiny_coin, tiny_noise; generator tiny_images" in shown
    assert "regulariser mutual_information" in shown


SLOPPY = """
from gan_toolkit import Constant, hookimpl

class Random(Constant):
    def __init__(self):
        super().__init__(1.0)

    def at(self, step):
        return float("nan")

@hookimpl
def gantk_register(registry):
    registry.add("schedule", "random", build=__name__ + ":Random", summary="any number")
"""


def test_a_plugin_is_checked(gantk: Gantk, tmp_path: Path) -> None:
    path = tmp_path / "sloppy_plugin_of_cli_tests.py"
    path.write_text(SLOPPY)

    found = gantk("plugins", "check", "penalties", path)

    assert found.exit_code == 3
    rows = [line.split() for line in found.stdout.splitlines()]
    assert ["penalties", "regulariser", "r1", "13", "-", "-"] in rows
    assert [path.stem, "schedule", "random", "-", "-", "2"] in rows
    assert "it is a finite number at every step  at 0 it is nan" in found.stdout
    assert found.stderr.splitlines()[-1].startswith("gantk: 2 of ")
    assert found.stderr.splitlines()[-1].endswith(" checks failed")


def test_checks_one_by_one_and_as_json(gantk: Gantk) -> None:
    shown = gantk("plugins", "check", "objectives", "--all")
    findings = json.loads(gantk("plugins", "check", "objectives", "--json").stdout)

    assert (shown.exit_code, "losses are means over the batch" in shown.stdout) == (0, True)
    assert set(findings[0]) == {"plugin", "component", "check", "outcome", "detail", "printed"}
    assert {finding["outcome"] for finding in findings} == {"ok"}


def test_several_plugins_of_one_distribution_are_compared_once(gantk: Gantk) -> None:
    """Or not at all, where the toolkit is not installed in place."""
    found = gantk("plugins", "check", "penalties", "augments", "--json")

    findings = json.loads(found.stdout)
    assert found.exit_code == 0
    assert "failed" not in {finding["outcome"] for finding in findings}
    assert [finding["plugin"] for finding in findings].count("gan-toolkit") <= 1


def test_an_unknown_plugin_is_not_checked(gantk: Gantk) -> None:
    found = gantk("plugins", "check", "penaltys")

    assert found.exit_code == 2
    assert "did you mean 'penalties'?" in found.stderr
