"""The errors a user meets, character for character."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe import Override, load_recipe

BAD = """#:schema ../.gantk/recipe.schema.json
format = 1
nmae = "chairs"
[latents.noise]
use = "gausian"
width = 128
[latents.identity]
use = "categorical"
classes = 1
[generator]
use = "dcgan"
[regularisers.information]
use = "mutual_information"
codes = [
  "identiti",
]
wieght = 1
every = true
"""

ALL_OF_BAD = """\
bad.toml:1: name: missing; a text such as "infogan-chairs"
bad.toml:3: nmae: unknown key; did you mean 'name'?
bad.toml:5: latents.noise.use: no latent is named 'gausian'; known: categorical, gaussian, \
uniform; did you mean 'gaussian'?
bad.toml:9: latents.identity.classes: 1 is too small; an integer above 1
bad.toml:14: regularisers.information.codes: no latent is named 'identiti' in this recipe; \
known: identity, noise; did you mean 'identity'?
bad.toml:17: regularisers.information.wieght: unknown key; did you mean 'weight'?
bad.toml:18: regularisers.information.every: true is not a number; an integer of at least 1
7 errors in bad.toml"""

Refusal = Callable[..., RecipeError]


@pytest.fixture
def refusal(host: PluginHost, tmp_path: Path) -> Refusal:
    """Load a recipe that must be refused, and return why."""

    def refused(
        text: str,
        name: str = "run.toml",
        *,
        set_: Sequence[str] = (),
        environ: dict[str, str] | None = None,
    ) -> RecipeError:
        (tmp_path / name).write_text(text, encoding="utf-8")
        overrides = [Override(change) for change in set_]
        with pytest.raises(RecipeError) as caught:
            load_recipe(name, host, overrides=overrides, environ=environ or {})
        return caught.value

    return refused


def test_all_errors_of_a_file_come_at_once(refusal: Refusal, tail: str) -> None:
    error = refusal(BAD + tail, "bad.toml")

    assert str(error) == ALL_OF_BAD
    assert error.exit_code == 2


GOOD = """format = 1
name = "chairs"
[latents.identity]
use = "categorical"
classes = 10
[generator]
use = "dcgan"
[regularisers.information]
use = "mutual_information"
codes = ["identity"]
"""


def test_without_a_near_name_all_keys_are_listed(refusal: Refusal, tail: str) -> None:
    text = "\n" + GOOD + "colour = 1\n" + tail

    assert str(refusal(text, "bad.toml")) == (
        "bad.toml:12: regularisers.information.colour: unknown key; "
        "known: codes, enabled, every, start, stop, updates, use, weight"
    )


def test_not_toml(refusal: Refusal) -> None:
    text = "format = 1\nuse = 'a'\nuse = 1\n"

    assert str(refusal(text, "bad.toml")) == "bad.toml:3:8: not TOML: Cannot overwrite a value"


def test_not_finite(refusal: Refusal, tail: str) -> None:
    text = (
        "format = 1\nname = 'a'\nlatents.noise.use = 'gaussian'\n[regularisers.information]\n"
        'use = "mutual_information"\ncodes = []\nweight = nan\n[generator]\nuse = "dcgan"\n'
    )

    assert str(refusal(text + tail, "bad.toml")) == (
        "bad.toml:7: regularisers.information.weight: nan is not finite; a finite number"
    )


def test_a_key_of_the_table_that_was_replaced(refusal: Refusal, tail: str, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(GOOD + tail)
    text = 'extends = "base.toml"\n[generator]\nuse = "resnet"\nwidth = 32\n'

    assert str(refusal(text, "child.toml")) == (
        "child.toml:4: generator.width: not a key of 'resnet'; the table of base.toml "
        "(use = \"dcgan\") was replaced because 'use' changed; known: channels, use"
    )


def test_a_key_that_neither_table_knows(refusal: Refusal, tail: str, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(GOOD + tail)
    text = 'extends = "base.toml"\n[generator]\nuse = "resnet"\nchanels = 32\n'

    assert str(refusal(text, "child.toml")) == (
        "child.toml:4: generator.chanels: unknown key; did you mean 'channels'?"
    )


def test_circle_of_extends(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')

    assert str(refusal('format = 1\n\nextends = "b.toml"\n', "a.toml")) == (
        "a.toml:3: extends: circle a.toml -> b.toml -> a.toml; remove one of them"
    )


def test_unknown_key_in_an_override(refusal: Refusal, tail: str) -> None:
    changes = ["run.steps=5", "regularisers.information.wieght=2"]

    assert str(refusal(GOOD + tail, set_=changes)) == (
        "--set #2: regularisers.information.wieght: unknown key; did you mean 'weight'?"
    )


def test_bare_word_in_an_override(refusal: Refusal, tail: str) -> None:
    assert str(refusal(GOOD + tail, set_=["run.steps=ten"])) == (
        "--set #1: run.steps: ten is not a TOML value; a number, or a text in quotes: "
        "run.steps='\"ten\"'"
    )


def test_environment_variable_not_set(refusal: Refusal) -> None:
    text = (
        "format = 1\nname = 'a'\n[run]\nsteps = 1\nbatch_size = 1\n\n[data]\nuse = 'chairs'\n"
        "root = '${env:GANTK_DATA}'\n[latents.noise]\nuse = 'gaussian'\n[generator]\n"
        "use = 'dcgan'\n[critic]\nuse = 'dcgan'\n[objective]\nuse = 'non_saturating'\n"
        "[optimisers]\ngenerator.use = 'adam'\ncritic.use = 'adam'\n"
    )

    assert str(refusal(text)) == (
        "run.toml:9: data.root: environment variable GANTK_DATA is not set; set it, "
        "or write ${env:GANTK_DATA:-default}"
    )


def test_requirement_of_a_newer_plugin(refusal: Refusal, tail: str) -> None:
    text = GOOD.replace("[lat", '\n\nrequires = ["infogan>=0.2"]\n[lat', 1)

    error = refusal(text + tail)

    assert str(error) == (
        "run.toml:5: requires: infogan 0.1.0 is installed; the recipe asks for infogan>=0.2"
    )
    assert error.exit_code == 3


def test_failed_plugins_are_suspects(refusal: Refusal, tail: str, host: PluginHost) -> None:
    host.records.append(
        PluginRecord(
            "boards",
            "gantk_boards",
            "gantk-boards",
            "1.0",
            status="failed",
            reason="ModuleNotFoundError: No module named 'nothing_there'",
        )
    )
    text = GOOD + tail
    text += "\n" * (28 - text.count("\n")) + '[trackers.board]\nuse = "board"\n'

    error = refusal(text)

    assert str(error) == (
        "run.toml:30: trackers.board.use: no tracker is named 'board'; known: jsonl; plugin "
        "'boards' failed to load (ModuleNotFoundError: No module named 'nothing_there') and may "
        "offer it; see: gantk plugins info boards"
    )
    assert error.exit_code == 3
