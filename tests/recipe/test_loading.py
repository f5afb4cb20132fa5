from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.errors import PluginError, RecipeError, UsageError
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe import Chosen, Override, Recipe, check_variants, finding, load_recipe
from gan_toolkit.recipe.options import Options, Secret

Write = Callable[..., str]
Load = Callable[..., Recipe]
Refused = Callable[..., str]


@pytest.fixture
def load(host: PluginHost, write: Write) -> Load:
    """Write and load a recipe."""

    def loaded(
        text: str = "",
        *changes: str,
        variants: Sequence[str] = (),
        environ: dict[str, str] | None = None,
        top: str = "",
    ) -> Recipe:
        return load_recipe(
            write(text, top=top),
            host,
            variants=variants,
            overrides=[_override(change) for change in changes],
            environ=environ or {},
        )

    return loaded


def _override(change: str) -> Override:
    return Override(change.removeprefix("-"), unset=change.startswith("-"))


@pytest.fixture
def refused(load: Load) -> Refused:
    def why(*arguments: Any, **keywords: Any) -> str:
        with pytest.raises(RecipeError) as caught:
            load(*arguments, **keywords)
        return str(caught.value)

    return why


def test_a_recipe_is_read_whole(load: Load) -> None:
    recipe = load('summary = "all"\n[latents.shape]\nuse = "categorical"\nclasses = 3\n')

    assert (recipe.name, recipe.summary, recipe.format) == ("chairs", "all", 1)
    assert (recipe.run.steps, recipe.run.device) == (10, "auto")
    assert list(recipe.latents) == ["shape", "noise"]
    shape = recipe.latents["shape"]
    assert (shape.kind, shape.table, shape.name) == ("latent", "latents.shape", "shape")
    assert shape.component.name == "categorical"
    assert shape.options.classes == 3  # type: ignore[attr-defined]
    assert shape.shared.count is None
    assert recipe.averaging is None
    assert set(recipe.optimisers) == {"generator", "critic"}
    assert recipe.text.startswith("format = 1")
    assert recipe.source == "run.toml"


REGULARISER = '[regularisers.info]\nuse = "mutual_information"\n'


def test_core_keys_stand_beside_the_options(load: Load) -> None:
    recipe = load(
        REGULARISER + 'codes = ["noise"]\nevery = 4\nstop = 9\nweight = 2\n'
        '[panels.walk]\nuse = "traversal"\nlatent = "noise"\n[measures.bound]\nuse = "bound"\n'
    )

    keys = recipe.regularisers["info"].shared
    assert (keys.weight, keys.every, keys.start, keys.stop) == (2.0, 4, 0, 9)
    assert recipe.regularisers["info"].options.codes == ["noise"]  # type: ignore[attr-defined]
    assert recipe.panels["walk"].shared.every is None
    assert recipe.measures["bound"].shared.every == 0


RAMP = '{ use = "linear", from = 0.5, over = 10 }'


def test_a_schedule_may_stand_for_a_number(load: Load) -> None:
    recipe = load(REGULARISER + f"codes = []\nweight = {RAMP}\n", f"optimisers.critic.lr={RAMP}")

    for ramp in (
        recipe.regularisers["info"].shared.weight,
        recipe.optimisers["critic"].options.lr,  # type: ignore[attr-defined]
    ):
        assert isinstance(ramp, Chosen)
        assert (ramp.kind, ramp.component.name) == ("schedule", "linear")
        assert ramp.options.from_ == 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "{ use = 'linera', over = 1 }",
            "lr.use: no schedule is named 'linera'; known: linear; did you mean 'linear'?",
        ),
        ("{ use = 'linear' }", "lr.over: missing; an integer of at least 1"),
        ("{ use = 'linear', over = 0 }", "lr.over: 0 is too small; an integer of at least 1"),
        ("{ over = 0 }", "lr.use: missing; one of: linear"),
        (
            "{ use = 'linear', over = 1, enabled = true }",
            "lr.enabled: unknown key; known: from, over, to, use",
        ),
        ("'fast'", 'lr: "fast" is not a number; a number above 0, or a schedule table'),
        ("0", "lr: 0 is too small; a number above 0"),
    ],
)
def test_a_bad_schedule(refused: Refused, value: str, text: str) -> None:
    assert refused("", f"optimisers.critic.lr={value}") == f"--set #1: optimisers.critic.{text}"


# --- what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[latents.Shape]\nuse = 'gaussian'\n", "run.toml:3: latents.Shape: not a name; lower-"),
        ("latents.shape = 3\n", "run.toml:3: latents.shape: 3 is not a table; a table with 'use'"),
        ("[[panels]]\nuse = 'x'\n", "panels: an array is not a table; named tables such as"),
        ("[panels.walk]\n", "run.toml:3: panels.walk.use: missing; one of: traversal"),
        ("[panels.walk]\nuse = 5\n", "panels.walk.use: 5 is not a text; one of: traversal"),
        ("[optimisers.crtic]\nuse='adam'\n", "crtic: unknown key; did you mean 'critic'?"),
        ("[variants.A]\n", "run.toml:3: variants.A: not a name; lower-case letters"),
        ("variants = 5\n", "run.toml:3: variants: 5 is not a table; named tables"),
        ("[variants]\na = 5\n", "run.toml:4: variants.a: 5 is not a table; overrides"),
        ("requires = ['a b']\n", 'run.toml:3: requires: "a b" is not a requirement; a plugin'),
        ("requires = 'a'\n", 'run.toml:3: requires: "a" is not an array; an array of texts'),
        ("requires = [3]\n", "run.toml:3: requires[0]: 3 is not a text; a text"),
        ("extends = 3\n", "run.toml:3: extends: 3 is not a text; a file or an array of files"),
        ("extends = ['no.toml']\n", 'run.toml:3: extends: there is no file "no.toml" in '),
        ("extends = 'infogan:no'\n", "run.toml:3: extends: no recipe is named 'infogan:no'"),
        ("extends = 'nobody'\n", "run.toml:3: extends: no recipe is named 'nobody'"),
        ("summary = 5\n", "run.toml:3: summary: 5 is not a text; a text"),
        ("[averaging]\n", "run.toml:3: averaging.use: missing; one of: ema"),
    ],
)
def test_what_a_file_may_not_say(refused: Refused, text: str, message: str) -> None:
    assert message in refused(text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("name=''", 'name: "" is too short; a text of at least 1 character'),
        ("run.steps=0", "run.steps: 0 is too small; an integer of at least 1 and at most 10000"),
        ("run.steps=1.5", "run.steps: 1.5 is not an integer; an integer of at least 1"),
        ("run.steps='1e4'", 'run.steps: "1e4" is not a number; an integer of at least 1'),
        ("run.batch_size=-1", "run.batch_size: -1 is too small"),
        ("run.batch_size=10_000_000", "run.batch_size: 10000000 is too big"),
        ("run.seed=-1", "run.seed: -1 is too small; an integer of at least 0 and below 92233720"),
        ("run.deterministic=1", "run.deterministic: 1 is not true or false; true or false"),
        (
            "run.device='gpu'",
            'run.device: "gpu" does not fit; a text such as "auto", "cpu" or "cuda:1"',
        ),
        (
            "run.precision='f16'",
            '"f16" does not fit; "auto", "f32", "tf32" or "bf16"; did you mean \'bf16\'?',
        ),
        ("run=5", "run: 5 is not a table; a table [run]"),
        ("data.size=33", "data.size: 33 does not fit; 32 or 64"),
        ("data.root=5", "data.root: 5 is not a text; a text"),
        ("latents.noise.count=0", "latents.noise.count: 0 is too small; an integer of at least 1"),
        ("optimisers.critic.betas=[1.0]", "betas: an array has too few entries; an array of num"),
        ("optimisers.critic.betas=[1.0, true]", "optimisers.critic.betas[1]: true is not a number"),
        ("generator.use='@1'", "generator.use: no generator is named ''; known: dcgan, resnet"),
        ("generator.use='dcgan@x'", 'generator.use: "dcgan@x" is not a name; dcgan@1'),
        ("-generator", "generator: missing; a table [generator] with 'use': dcgan, resnet"),
        ("-latents.noise", "latents: missing; at least one table such as [latents.noise]"),
        ("-optimisers.critic", "optimisers.critic: missing; a table [optimisers.critic] with"),
        ("-run.steps", "run.toml:8: run.steps: missing; an integer of at least 1"),
        ("-run.stpes", "--unset #1: run.stpes: unknown key; did you mean 'steps'?"),
        ("-a.b", "--unset #1: a.b: unknown key; known: "),
        ("format=1", "--set #1: format: belongs to the file; it can't be set from outside"),
        ("variants.a.run.steps=1", "variants.a.run.steps: belongs to the file"),
        ("run.steps", "--set #1: run.steps: has no value; run.steps=VALUE"),
        ("run steps=1", "--set #1: run steps: is not a key; dotted names such as run.steps"),
        ("run.steps=1\nx=2", "run.steps: 1\nx=2 is not a TOML value"),
        ("=1", "--set #1: is not a key"),
        ("run.steps=", "--set #1: run.steps:  is not a TOML value"),
    ],
)
def test_what_may_not_be_set(refused: Refused, change: str, text: str) -> None:
    assert text in refused("", change)


def test_a_union_is_one_problem(refused: Refused) -> None:
    text = "[latents.shape]\nuse = 'uniform'\nspread = 'lernd'\n"

    assert refused(text) == (
        'run.toml:5: latents.shape.spread: "lernd" does not fit; "learned" or a number above 0; '
        "did you mean 'learned'?"
    )


WEIGHTED = "[regularisers.w]\nuse = 'weighted'\n"


def test_nested_options_have_dotted_paths(refused: Refused) -> None:
    text = WEIGHTED + "head.drpout = 1\n\nhead.layers = [1, 0]\nhead.dropout = 1\n"

    assert refused(text).splitlines() == [
        "run.toml:5: regularisers.w.head.drpout: unknown key; did you mean 'dropout'?",
        "run.toml:7: regularisers.w.head.layers[1]: 0 is too small; an integer of at least 1",
        "run.toml:8: regularisers.w.head.dropout: 1 is too big; a number of at least 0 and below 1",
        "3 errors in run.toml",
    ]


def test_format_of_the_future(refused: Refused, host: PluginHost, tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("format = 2\nname = 'a'\n")

    with pytest.raises(RecipeError) as caught:
        load_recipe("new.toml", host)

    newer = "format 2 is newer than 1; a newer gan-toolkit reads it"
    assert str(caught.value) == f"new.toml:1: format: {newer}"


# --- references --------------------------------------------------------------------------------


def test_latents_with_a_count_are_named_one_by_one(load: Load, refused: Refused) -> None:
    style = "[latents.style]\nuse = 'uniform'\ncount = 3\n"

    load(style + REGULARISER + "codes = ['style', 'style.0', 'style.2']\n")

    assert refused(style + REGULARISER + "codes = ['style.3']\n") == (
        "run.toml:8: regularisers.info.codes: no latent is named 'style.3' in this recipe; "
        "known: noise, style, style.0, style.1, style.2; did you mean 'style.2'?"
    )


def test_keys_and_single_names_are_references(load: Load, refused: Refused) -> None:
    load(WEIGHTED + "weights = { noise = 2.0 }\n")

    assert "weights.nois: no latent is named 'nois'" in refused(WEIGHTED + "weights.nois = 1.0\n")
    panel = "[panels.walk]\nuse = 'traversal'\nlatent = 'shape'\n"
    assert "panels.walk.latent: no latent is named 'shape'" in refused(panel)


def test_a_table_switched_off_is_as_if_it_were_not_there(load: Load, refused: Refused) -> None:
    off = "[latents.shape]\nuse = 'nobody_has_it'\nenabled = false\n"

    assert list(load(off).latents) == ["noise"]
    assert load("[averaging]\nuse = 'ema'\nenabled = false\n").averaging is None
    assert refused(off + REGULARISER + "codes = ['shape']\n") == (
        "run.toml:8: regularisers.info.codes: no latent is named 'shape' in this recipe: "
        "its table says enabled = false; known: noise"
    )


# --- layers ------------------------------------------------------------------------------------


def test_layers_from_weak_to_strong(load: Load, write: Write) -> None:
    write("[run]\nsteps = 1\nlog_every = 1\nseed = 1\nthreads = 1\n", "base.toml", whole=False)
    variant = "[variants.a.run]\nseed = 3\nthreads = 3\n[variants.b.run]\nthreads = 4\n"

    recipe = load(variant, "run.critic_steps=5", top="extends = 'base.toml'\n", variants=["a", "b"])

    run = recipe.run
    assert (run.log_every, run.steps, run.seed, run.threads, run.critic_steps) == (1, 10, 3, 4, 5)
    assert recipe.variants == recipe.applied == ("a", "b")
    origins = recipe.origins
    assert origins["run.log_every"] == "base.toml:3"
    assert origins["run.steps"] == "run.toml:15"
    assert origins["run.seed"] == "run.toml:5"
    assert origins["run.critic_steps"] == "--set #1"
    assert origins["run.device"] == "default of the core"
    assert origins["latents.noise.width"] == "default of latent 'gaussian'"
    assert origins["generator"] == "run.toml:11"
    assert not any(path.startswith("variants") for path in origins)


def test_arrays_are_replaced_and_order_is_of_first_appearance(load: Load, write: Write) -> None:
    write(
        "[latents.shape]\nuse='uniform'\n[latents.noise]\nuse='gaussian'\nwidth=3\n"
        "[optimisers.critic]\nuse='adam'\nbetas=[0.5, 0.5]\n",
        "base.toml",
        whole=False,
    )

    recipe = load("", "optimisers.critic.betas=[0.1, 0.2]", top="extends = ['base.toml']\n")

    assert list(recipe.latents) == ["shape", "noise"]
    assert recipe.latents["noise"].options.width == 3  # type: ignore[attr-defined]
    assert recipe.optimisers["critic"].options.betas == [0.1, 0.2]  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["variant", "set"])
def test_a_table_whose_use_changes_is_replaced(load: Load, how: str) -> None:
    shape = "[latents.shape]\nuse='categorical'\nclasses=3\ncount=2\n"
    variant = "[variants.a.latents.shape]\nuse='uniform'\n"

    if how == "variant":
        recipe = load(shape + variant, variants=["a"])
    else:
        recipe = load(shape, "latents.shape.use='uniform'", "latents.shape.size=2")

    shape_of = recipe.latents["shape"]
    assert shape_of.component.name == "uniform"
    assert shape_of.shared.count is None
    assert list(recipe.latents) == ["shape", "noise"]
    assert "latents.shape.classes" not in recipe.origins
    assert recipe.origins["latents.shape.spread"] == "default of latent 'uniform'"


def test_the_same_use_with_a_version_is_no_change(load: Load) -> None:
    recipe = load(
        "[latents.shape]\nuse='categorical'\nclasses=3\n", "latents.shape.use='categorical@1'"
    )

    assert recipe.latents["shape"].options.classes == 3  # type: ignore[attr-defined]


def test_what_need_not_be_there_is_unset_in_silence(host: PluginHost, write: Write) -> None:
    overrides = [Override(key, unset=True, if_there=True) for key in ("panels", "summary")]

    recipe = load_recipe(write('summary = "all"\n'), host, overrides=overrides)

    assert recipe.summary == ""


def test_unset_brings_the_default_back(load: Load) -> None:
    assert load("", "run.seed=5", "-run.seed").run.seed == 0


def test_a_value_may_hold_an_equals_sign(load: Load) -> None:
    assert load("", "summary='a=b'").summary == "a=b"


def test_each_switch_is_counted_by_itself(refused: Refused) -> None:
    assert refused("", "-data.use", "run.x=1").startswith("run.toml:11: data.use: missing")
    assert "--set #2: run.x" in refused("", "run.steps=1", "-run.seed", "run.x=1")
    assert "--unset #1: run.seed" in refused("", "run.steps=1", "-run.seed", "run.x=1")


def test_an_unknown_variant(refused: Refused) -> None:
    text = refused("[variants.cpu.run]\nsteps = 1\n", variants=["cup"])

    assert text == "--variant: no variant is named 'cup'; known: cpu; did you mean 'cpu'?"


def test_variants_are_checked_whether_used_or_not(load: Load, host: PluginHost) -> None:
    text = "[variants.a.run]\nsteps = 0\n[variants.b]\nextends = 'x'\n[variants.c.run]\nsteps = 1\n"
    load(text)

    with pytest.raises(RecipeError) as caught:
        check_variants("run.toml", host)

    lines = str(caught.value).splitlines()
    assert lines[0].startswith("run.toml:4: run.steps: 0 is too small")
    assert lines[1].startswith("run.toml:6: variants.b.extends: unknown key")
    assert lines[2] == "2 errors in run.toml"


def test_what_is_wrong_in_all_variants_is_told_once(load: Load, host: PluginHost) -> None:
    load("[variants.a.run]\nseed = 1\n")
    file = Path("run.toml")
    file.write_text(file.read_text().replace("steps = 10", "steps = 0"))

    with pytest.raises(RecipeError) as caught:
        check_variants("run.toml", host)

    assert len(caught.value.problems) == 1


def test_good_variants_are_returned(load: Load, host: PluginHost) -> None:
    load("[variants.a.run]\nsteps = 7\n")

    assert [r.run.steps for r in check_variants("run.toml", host)] == [10, 7]


def test_a_recipe_of_the_toolkit_can_be_extended(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "own_folder", lambda: tmp_path / "own")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "blank.toml").write_text("summary = 'ours'\n")
    monkeypatch.chdir(tmp_path)
    os.mkfifo("blank")  # what lies in the current folder has no say, and is not waited for

    recipe = load("", top="extends = 'blank'\n")

    assert recipe.summary == "ours"


def test_a_recipe_of_a_plugin_can_be_extended(load: Load, host: PluginHost, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "base.toml").write_text("summary = 'from a plugin'\n")
    host.recipes = lambda: [("infogan", brought)]  # type: ignore[method-assign]

    recipe = load("", top="extends = 'infogan:base'\n")

    assert recipe.summary == "from a plugin"
    assert recipe.origins["summary"] == "brought/base.toml:1"


def test_too_many_levels(refused: Refused, write: Write) -> None:
    for level in range(12):
        write(f"extends = 'l{level + 1}.toml'", f"l{level}.toml", whole=False)

    assert "extends: more than 10 levels run.toml -> l0.toml" in refused(
        "", top="extends = 'l0.toml'\n"
    )


def test_a_wide_family_is_refused(refused: Refused, write: Write) -> None:
    for level in range(9):
        parents = [f"l{level + 1}.toml"] * 4
        write(f"extends = {parents}", f"l{level}.toml", whole=False)
    write("", "l9.toml", whole=False)

    assert "more than 100 recipes in all" in refused("", top="extends = 'l0.toml'\n")


def test_a_child_in_a_folder_finds_its_base(write: Write, host: PluginHost) -> None:
    write("", "deep/base.toml")
    write("extends = 'base.toml'\nrun.steps = 0\n", "deep/child.toml", whole=False)

    with pytest.raises(RecipeError, match=r"^deep/child.toml:2: run.steps: 0 is too small"):
        load_recipe("deep/child.toml", host)


# --- paths, environment, secrets ---------------------------------------------------------------


def test_a_path_belongs_to_its_file(
    load: Load, write: Write, host: PluginHost, tmp_path: Path
) -> None:
    write("", "whole.toml")
    write("data.root = '../pictures'\n", "deep/base.toml", whole=False)
    write("extends = ['whole.toml', 'deep/base.toml']\n", "child.toml", whole=False)

    def root(*overrides: Override) -> str:
        recipe = load_recipe("child.toml", host, overrides=overrides)
        return recipe.data.options.root  # type: ignore[attr-defined, no-any-return]

    assert root() == str(tmp_path / "pictures")
    assert root(Override("data.root='here'")) == str(tmp_path / "here")
    assert root(Override("data.root='/there'")) == "/there"
    board = load("[trackers.board]\nuse = 'jsonl'\n").trackers["board"]
    assert board.options.folder == str(tmp_path / "logs")  # type: ignore[attr-defined]


def test_environment_in_texts(load: Load, refused: Refused) -> None:
    board = "[trackers.board]\nuse = 'jsonl'\ntitle = '{}'\n"

    def title(text: str, **environ: str) -> str:
        recipe = load(board.format(text), environ=environ)
        return recipe.trackers["board"].options.title  # type: ignore[attr-defined, no-any-return]

    assert title("a ${env:X} b", X="1") == "a 1 b"
    assert title("${env:X:-none}") == "none"
    assert title("${env:X:-}") == ""
    assert title("$${env:X}") == "${env:X}"
    assert title("$X ${X}") == "$X ${X}"
    assert "is no reference; ${env:NAME}" in refused(board.format("${env:1X}"))
    assert "is no reference; ${env:NAME}" in refused(board.format("${env:X"))


def test_a_secret_is_in_no_output(load: Load) -> None:
    recipe = load(
        "[trackers.board]\nuse = 'jsonl'\ntoken = '${env:TOKEN}'\n",
        environ={"TOKEN": "canary-value"},
    )

    token: Secret = recipe.trackers["board"].options.token  # type: ignore[attr-defined]
    assert token.reveal() == "canary-value"
    assert 'token = "${env:TOKEN}"' in recipe.to_toml()
    assert "canary" not in repr(recipe) + recipe.to_toml() + str(recipe.to_dict())


def test_a_secret_that_is_not_set_is_one_problem(refused: Refused) -> None:
    text = refused("[trackers.board]\nuse = 'jsonl'\ntoken = '${env:TOKEN}'\n")

    assert text.count("\n") == 0
    assert "environment variable TOKEN is not set" in text


# --- versions ----------------------------------------------------------------------------------


class Third(Options):
    width: int = 1


@pytest.fixture
def grown(host: PluginHost) -> PluginHost:
    """A host whose latent `grown` is at version 3: `size` became `wide`, then `width`."""

    def rename(old: str, new: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda options: {new if k == old else k: v for k, v in options.items()}

    host.registry.add(
        "latent",
        "grown",
        options=Third,
        build="m:T",
        version=3,
        aliases=("small",),
        migrate={1: rename("size", "wide"), 2: rename("wide", "width")},
    )
    host.registry.add("latent", "torn", build="m:T", version=2)
    host.registry.add("latent", "sick", build="m:T", version=2, migrate={1: lambda _: 1 / 0})  # type: ignore[dict-item, return-value]
    return host


@pytest.mark.usefixtures("grown")
def test_an_old_version_is_migrated_and_said_so(load: Load) -> None:
    recipe = load("[latents.shape]\nuse = 'grown@1'\nsize = 5\ncount = 2\n")

    assert recipe.latents["shape"].options.width == 5  # type: ignore[attr-defined]
    assert recipe.notes == ("latents.shape: options of grown version 1 were read as 3",)
    assert recipe.to_dict()["latents"]["shape"]["use"] == "grown@3"


@pytest.mark.usefixtures("grown")
def test_an_alias_is_said_so(load: Load) -> None:
    assert load("[latents.shape]\nuse = 'small'\n").notes == (
        "run.toml:4: latents.shape.use: 'small' is another name of 'grown'; write that",
    )


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize(
    ("use", "text"),
    [
        ("grown@4", "needs grown version 4, installed is 3"),
        ("torn@1", "needs torn version 1, installed is 2, which can't read it"),
    ],
)
def test_a_version_that_is_not_there(load: Load, use: str, text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(f"[latents.shape]\nuse = '{use}'\n")

    assert str(caught.value) == f"run.toml:4: latents.shape.use: {text}"
    assert caught.value.exit_code == 3


@pytest.mark.usefixtures("grown")
def test_a_migration_that_raises_is_the_plugins_fault(load: Load) -> None:
    with pytest.raises(PluginError, match="latent 'sick' can't migrate version 1"):
        load("[latents.shape]\nuse = 'sick@1'\n")


def test_requirements(load: Load, refused: Refused, host: PluginHost) -> None:
    host.records.append(PluginRecord("bad", "b", "gantk-bad", "1", status="failed", reason="Oh: x"))
    host.records.append(
        PluginRecord("off", "o", "gantk-off", "1", status="blocked", reason="not named in X")
    )

    load("requires = ['infogan', 'gantk-infogan>=0.1,<1', 'gan-toolkit']\n")

    assert "absent is not installed; the recipe asks for absent" in refused("requires=['absent']\n")
    assert "plugin 'bad' failed to load (Oh: x); the recipe asks for bad" in refused(
        "requires=['bad']\n"
    )
    assert "plugin 'off' is not loaded (not named in X)" in refused("requires=['off']\n")
    assert "is not a requirement" in refused("requires=['infogan @ https://x']\n")


def test_blocked_plugins_are_suspects(refused: Refused, host: PluginHost) -> None:
    host.records.append(
        PluginRecord("off", "o", "", "", status="blocked", reason="blocked by GANTK_BLOCK_PLUGINS")
    )

    assert "plugin 'off' is blocked by GANTK_BLOCK_PLUGINS and may offer it" in refused(
        "[trackers.board]\nuse = 'board'\n"
    )


def test_an_unknown_recipe(host: PluginHost) -> None:
    with pytest.raises(UsageError, match="no recipe is named 'nothing'"):
        load_recipe("nothing", host)


def test_a_value_of_the_environment_is_not_shown_in_errors(refused: Refused) -> None:
    text = refused("", "run.steps='${env:STEPS}'", environ={"STEPS": "canary"})

    assert text.startswith('--set #1: run.steps: "${env:STEPS}" is not a number')


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_path_that_the_kept_recipe_could_not_hold_is_refused(
    host: PluginHost, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / write("")
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    monkeypatch.chdir(odd)

    with pytest.raises(RecipeError) as caught:
        load_recipe(file, host, overrides=[Override('data.root="renders"')])

    assert "data.root: it lies in" in str(caught.value)
    assert r"caf\udce9', a name that is not UTF-8; rename the folder" in str(caught.value)


# --- what would take all time or memory ------------------------------------------------------


def test_all_files_together_are_limited_in_words(refused: Refused, write: Write) -> None:
    write("x = [" + "1," * 20_000 + "]\n", "base.toml", whole=False)

    why = refused("", top=f"extends = {['base.toml'] * 3}\n")

    assert why == "run.toml:3: extends: more than 100000 words and signs in all"


def test_latents_are_limited_and_few_are_listed(refused: Refused) -> None:
    crowd = "".join(f"[latents.n{n}]\nuse = 'gaussian'\ncount = 1024\n" for n in range(5))
    asks = "[regularisers.mi]\nuse = 'mutual_information'\ncodes = ['n9']\n"

    why = refused(crowd + asks)

    assert "run.toml:3: latents: too many, with each of a count; at most 4096" in why
    assert "no latent is named 'n9' in this recipe; known: n0, n0.0, n0.1, n0.10, " in why
    assert ", n0.1013, …; did you mean 'n3.9'?" in why


def test_a_row_of_dollars_is_read_in_linear_time(load: Load) -> None:
    row = "$" * 100_000

    recipe = load(f'summary = "{row}"\n', environ={})

    assert recipe.summary == row


def test_requirements_are_limited(refused: Refused) -> None:
    why = refused("", top=f"requires = {['infogan'] * 101}\n")

    assert "run.toml:3: requires: " in why
    assert "0 to 100 of them" in why
