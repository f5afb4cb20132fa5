"""Measuring when training is over: the same numbers as at its end, and no trace in the run."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
import safetensors.torch
import torch
from pydantic import model_validator

import gan_toolkit
from gan_toolkit import strict_json
from gan_toolkit.assemble import Assembly
from gan_toolkit.device import Device
from gan_toolkit.errors import DataError, RecipeError, ResumeError, StorageError, UsageError
from gan_toolkit.evaluation import EngineView, evaluate
from gan_toolkit.examination import Findings, Request, examine_model, examine_run
from gan_toolkit.interfaces import Measure, Regulariser, Score, View
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.recipe.options import Options, RecipePath
from gan_toolkit.runs import RunFolder
from gan_toolkit.tensorfile import change_facts, describe

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = (
    "run.steps=6",
    "data.count=600",
    "measures.bound.samples=300",
    "measures.modes.samples=300",
)


def start(out: Path, *more: str, name: str = "run") -> RunFolder:
    recipe = load_recipe(RING, HOST, overrides=[Override(text) for text in (*SHORT, *more)])
    return launch(recipe, HOST, device=Device(), out=out, name=name, tell=lambda _: None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return start(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of a finished run, to be changed at will."""
    return RunFolder.open(Path(shutil.copytree(finished.folder, tmp_path / "run")))


@pytest.fixture
def unmeasured(tmp_path: Path) -> RunFolder:
    return start(tmp_path, "measures.bound.enabled=false", "measures.modes.enabled=false")


class Told(list[str]):
    """What was said."""

    def __call__(self, event: Any) -> None:
        if event["event"] == "note":
            self.append(event["text"])


def examined(run: RunFolder, told: Told | None = None, **asked: Any) -> Findings:
    return examine_run(run, HOST, Request(**asked), Told() if told is None else told)


def values(scores: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    return {(score["measure"], score["name"]): score["value"] for score in scores}


def test_the_numbers_are_those_of_the_end_of_training(run: RunFolder) -> None:
    step, at_the_end = run.scores()

    found = examined(run)

    assert found.scores == at_the_end
    assert (found.step, step, found.failures) == (6, 6, ())
    assert {name for name, _ in values(found.scores)} == {"bound", "modes"}


def test_a_model_file_gives_the_numbers_of_its_run(run: RunFolder) -> None:
    found = examine_model(run.model, HOST, Request(), Told())

    assert found.scores == run.scores()[1]
    assert found.path is None


def test_a_score_says_what_one_must_know_to_compare_it(run: RunFolder) -> None:
    score = examined(run, seed=5, effort="fast").scores[0]

    assert (score["measure"], score["use"], score["name"]) == ("bound", "bound@1", "mode")
    assert (score["seed"], score["step"], score["effort"]) == (5, 6, "fast")
    assert score["data"] == {
        "name": "ring",
        "source": "synthetic",
        "fingerprint": run.run_json["data"]["fingerprint"][:12],
    }
    assert score["count"] == 300
    assert score["chance"] == 0.0
    assert score["ceiling"] == pytest.approx(math.log(8))


def test_another_seed_draws_anew_and_stands_beside_the_first(run: RunFolder) -> None:
    before = run.scores()[1]

    found = examined(run, seed=5)

    assert values(found.scores) != values(before)
    assert run.scores()[1] == [*before, *found.scores]


def test_what_was_found_alike_is_replaced_and_said(run: RunFolder) -> None:
    file = run.evaluations / "step-00000006.json"
    scores = strict_json.parse_object(file.read_bytes())["scores"]
    file.write_text(strict_json.dump({"scores": [{**s, "value": -1.0} for s in scores]}))
    told = Told()

    examined(run, told)

    assert run.scores()[1] == scores
    assert told == [f"{len(scores)} scores of this step were found alike before, and are replaced"]


def test_the_journal_and_a_resume_know_nothing_of_it(run: RunFolder) -> None:
    journal = run.metrics.path.read_bytes()

    examined(run, seed=5)

    assert run.metrics.path.read_bytes() == journal
    assert resume(run.folder, HOST, tell=lambda _: None, steps=8).run_json["status"] == "finished"


def test_a_run_that_goes_on_keeps_what_was_measured_before(run: RunFolder) -> None:
    extra = examined(run, seed=5).scores

    resume(run.folder, HOST, tell=lambda _: None)

    assert [score for score in run.scores()[1] if score["seed"] == 5] == extra


def test_a_stopped_run_is_measured_from_its_checkpoint(run: RunFolder) -> None:
    run.model.unlink()
    told = Told()
    expected = run.scores()[1]

    found = examined(run, told)

    assert found.scores == expected
    assert told[0] == "from the checkpoint of step 6: the run did not end there"


def test_a_checkpoint_newer_than_the_model_is_what_counts(run: RunFolder, tmp_path: Path) -> None:
    model = run.model.read_bytes()
    resume(run.folder, HOST, tell=lambda _: None, steps=8)
    run.model.write_bytes(model)

    assert examined(run).step == 8


def test_a_run_with_nothing_to_measure_says_so(run: RunFolder) -> None:
    run.model.unlink()
    shutil.rmtree(run.checkpoints)

    with pytest.raises(StorageError, match="no model and no whole checkpoint to measure"):
        examined(run)


def test_a_run_that_is_held_is_left_alone(run: RunFolder) -> None:
    other = RunFolder.open(run.folder)

    with other.lock(), pytest.raises(StorageError, match="is in use by process"):
        examined(run)


# --- which measures --------------------------------------------------------------------------


def test_a_named_measure_joins_those_of_the_recipe(run: RunFolder) -> None:
    found = examined(run, measures={"explained": "samples = 200, steps = 10"})

    assert {name for name, _ in values(found.scores)} == {"bound", "modes", "explained"}


def test_options_given_to_a_table_of_the_recipe_change_that(run: RunFolder) -> None:
    scores = examined(run, measures={"bound": "samples = 100"}).scores

    assert {s["count"] for s in scores if s["measure"] == "bound"} == {100}


@pytest.mark.parametrize(("effort", "count"), [("fast", 2_000), ("default", 10_000)])
def test_effort_counts_where_nobody_says_how_many(
    unmeasured: RunFolder, effort: Any, count: int
) -> None:
    found = examined(unmeasured, measures={"bound": ""}, effort=effort)

    assert {score["count"] for score in found.scores} == {count}


def test_ctrl_c_keeps_what_was_measured_before(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = list(run.tables()["measures"])
    calls = []

    def evaluate_once(name: str, *rest: Any) -> list[dict[str, Any]]:
        calls.append(name)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return evaluate(name, *rest)

    monkeypatch.setattr("gan_toolkit.examination.evaluate", evaluate_once)

    found = examined(run, seed=7)

    assert (found.stopped_in, {name for name, _ in values(found.scores)}) == (
        measured[1],
        {measured[0]},
    )
    assert [s for s in run.scores()[1] if s["seed"] == 7] == found.scores


def test_all_others_are_run_beside_what_the_recipe_names(run: RunFolder) -> None:
    """Each component once: what a table of the recipe uses already is not taken again."""
    told = Told()

    found = examined(run, told, every=True, effort="fast", overrides=[])

    measured = [name for name, _ in values(found.scores)]
    assert {"bound", "modes", "activeness"} <= set(measured)
    uses = {(score["use"], score["measure"]) for score in found.scores}
    assert len(uses) == len({use for use, _ in uses})
    assert "clustering does not apply: the data set 'ring' has no labels" in told


def test_where_nothing_is_named_all_that_apply_are_run(
    unmeasured: RunFolder,
) -> None:
    told = Told()

    found = examined(unmeasured, told, effort="fast", overrides=[])

    assert {"bound", "modes"} <= {name for name, _ in values(found.scores)}
    assert "clustering does not apply: the data set 'ring' has no labels" in told
    assert found.failures == ()


def test_a_wrong_measure_or_option_is_named_by_its_switch(run: RunFolder) -> None:
    with pytest.raises(RecipeError, match=r"--measure #1: measures.bond.use: .*mean 'bound'"):
        examined(run, measures={"bond": ""})
    with pytest.raises(RecipeError, match=r"--measure #1: measures.bound.sample: unknown key"):
        examined(run, measures={"bound": "sample = 1"})


def test_networks_can_not_be_changed(run: RunFolder) -> None:
    with pytest.raises(UsageError, match="only data and measures can be changed here"):
        examined(run, overrides=[Override("generator.width=9")])


# --- which data ------------------------------------------------------------------------------


def test_other_data_is_refused_unless_it_is_allowed_and_then_told(run: RunFolder) -> None:
    fewer = [Override("data.count=500")]
    told = Told()

    with pytest.raises(DataError, match=r"ring is not the data of the training, ring \(finger"):
        examined(run, overrides=fewer)
    scores = examined(run, told, overrides=fewer, other_data=True).scores

    trained_on = run.run_json["data"]["fingerprint"][:12]
    assert {score["data"]["trained_on"] for score in scores} == {trained_on}
    assert trained_on not in {score["data"]["fingerprint"] for score in scores}
    assert told[0].startswith("measured on ring (")


def test_data_of_another_shape_is_never_allowed(run: RunFolder) -> None:
    digits = [Override('data={use="digits"}'), Override("measures.modes.enabled=false")]

    with pytest.raises(DataError, match=r"shape \[1, 8, 8\], the networks were trained on \[2\]"):
        examined(run, overrides=digits, other_data=True)


def test_a_model_file_names_its_data_and_measures_and_no_path(run: RunFolder) -> None:
    recipe = describe(run.model)["recipe"]

    assert recipe["data"]["use"] == "ring@1"
    assert set(recipe["measures"]) == {"bound", "modes"}
    assert "trackers" not in recipe


def test_what_a_model_lacks_is_told(run: RunFolder) -> None:
    told = Told()

    found = examine_model(run.model, load_plugins(["no:infogan"], environ={}), Request(), told)

    assert told[0] == "left out, no plugin offers it: regularisers.information"
    assert told[1] == "no term here reads codes: measures that need a reader do not apply"
    assert next(s for s in found.scores if s["measure"] == "bound")["void"]


# --- afterwards ------------------------------------------------------------------------------


def test_a_finished_run_without_checkpoints_is_not_started_anew(run: RunFolder) -> None:
    shutil.rmtree(run.checkpoints)
    journal = run.metrics.path.read_bytes()

    with pytest.raises(ResumeError, match="ended and has no checkpoint left"):
        resume(run.folder, HOST, tell=lambda _: None, steps=9)

    assert run.metrics.path.read_bytes() == journal


@pytest.mark.parametrize(
    ("tables", "error", "text"),
    [
        ({"data": None}, UsageError, r"names no data to measure it on; name some: --set"),
        ({"data": 5}, RecipeError, "data: 5 is not a table"),
        ({"data": {"use": "nowhere"}}, RecipeError, "no dataset is named 'nowhere'"),
        ({"measures": 5}, RecipeError, "measures: 5 is not a table"),
        ({"measures": {"a/b": {}}}, RecipeError, "not a name"),
        ({"data": {"use": "ring", "count": "${env:HOME}"}}, RecipeError, "HOME is not set"),
    ],
    ids=str,
)
def test_odd_tables_in_a_model_file_are_told(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, tables: Any, error: Any, text: str
) -> None:
    about = describe(run.model)
    recipe = {**about["recipe"], **tables}
    recipe = {key: table for key, table in recipe.items() if table is not None}
    for module in ("examination", "recovery"):
        monkeypatch.setattr(f"gan_toolkit.{module}.describe", lambda _: {**about, "recipe": recipe})

    with pytest.raises(error, match=text):
        examine_model(run.model, HOST, Request(), Told())


def test_a_path_in_a_model_file_is_not_followed(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = describe(run.model)
    stranger = {**about["recipe"], "data": {"use": "image_folder", "root": "/etc"}}
    monkeypatch.setattr("gan_toolkit.recovery.describe", lambda _: {**about, "recipe": stranger})

    with pytest.raises(RecipeError, match=r"data.root: missing"):
        examine_model(run.model, HOST, Request(), Told())


def test_a_path_of_a_measure_in_a_model_file_is_not_followed(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reads(Options):
        table: RecipePath

    host = load_plugins(environ={})
    with host.registry.owned_by("test"):
        host.registry.add("measure", "reads", options=Reads, build="nowhere:Nothing")
    about = describe(run.model)
    stranger = {**about["recipe"], "measures": {"reads": {"use": "reads", "table": "/etc/passwd"}}}
    monkeypatch.setattr("gan_toolkit.recovery.describe", lambda _: {**about, "recipe": stranger})

    with pytest.raises(RecipeError, match=r"measures.reads.table: missing"):
        examine_model(run.model, host, Request(), Told())


class Own(Measure):
    """A measure that comes with a term."""

    def measure(self, view: View) -> list[Score]:
        return [Score("seen", float(view.step), 1, "exact")]


def test_measures_that_come_with_a_term_are_taken_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Regulariser, "measures", lambda _: {"own": Own()})
    run = start(tmp_path)
    expected = [("information.own", "mutual_information@1"), ("smooth.own", "r1@1")]

    of_model = examine_model(run.model, HOST, Request(), Told())

    for scores in (run.scores()[1], examined(run).scores, of_model.scores):
        found = [(s["measure"], s["use"]) for s in scores if s["name"] == "seen"]
        assert found == expected


class Misfit(Own):
    """Can't be built for any data."""

    def __init__(self) -> None:
        raise ValueError("nothing fits")


def test_a_measure_that_needs_an_option_or_other_data_is_passed_over(
    unmeasured: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Needs(Options):
        something: str

    host = load_plugins(environ={})
    with host.registry.owned_by("test"):
        host.registry.add("measure", "needs", options=Needs, build="nowhere:Nothing")
        host.registry.add("measure", "misfit", options=Options, build=f"{__name__}:Misfit")
    for name in set(host.registry.names("measure")) - {"modes", "clustering", "needs", "misfit"}:
        monkeypatch.delitem(host.registry._components, ("measure", name))
    told = Told()

    found = examine_run(
        unmeasured,
        host,
        Request(overrides=[Override('data={use="grid"}')], other_data=True, effort="fast"),
        told,
    )

    assert {score["measure"] for score in found.scores} == {"modes"}
    assert not any("needs" in text for text in told)
    assert "misfit does not apply: nothing fits" in told


def test_a_damaged_evaluation_is_told_before_anything_is_measured(run: RunFolder) -> None:
    (run.evaluations / "step-00000006.json").write_text("{")
    measured: list[str] = []

    def tell(event: Any) -> None:
        if event["event"] == "measure":
            measured.append(event["name"])

    with pytest.raises(StorageError, match=r"step-00000006\.json is damaged"):
        examine_run(run, HOST, Request(), tell)

    assert measured == []


def test_a_damaged_checkpoint_is_passed_over_and_told(run: RunFolder) -> None:
    (folder,) = run.checkpoints.iterdir()
    (folder / "critic.safetensors").write_bytes(b"")
    told = Told()

    examined(run, told)

    assert told[0].startswith("checkpoint passed over: ")


# --- what a score is held against ------------------------------------------------------------


class Known(Measure):
    """Gives back a weight, and the same one before training."""

    def __init__(self, protocol: str = "ours") -> None:
        self.protocol = protocol

    def measure(self, view: View) -> list[Score]:
        before = view.untrained()
        anchors = {} if before is None else {"untrained": weight(before)}
        told = {"protocol": self.protocol, "anchors": anchors}
        return [Score("weight", weight(view), 1, "exact", **told)]


class KnownOptions(Options):
    protocol: Literal["ours", "published"] = "ours"


class StrictOptions(Options):
    protocol: Literal["ours", "published"] = "ours"
    bins: int = 5

    @model_validator(mode="after")
    def _bins(self) -> StrictOptions:
        if self.protocol == "published" and self.bins != 20:
            raise ValueError("published has 20 bins")
        return self


class Strict(Known):
    def __init__(self, protocol: str, bins: int) -> None:
        super().__init__(f"{protocol} {bins}")


def weight(view: View) -> float:
    assert isinstance(view, EngineView)
    return float(next(iter(view.engine.shown.parameters())).detach().flatten()[0])


@pytest.fixture
def knowing() -> PluginHost:
    host = load_plugins(environ={})
    with host.registry.owned_by("test"):
        host.registry.add("measure", "known", options=KnownOptions, build=f"{__name__}:Known")
        host.registry.add("measure", "strict", options=StrictOptions, build=f"{__name__}:Strict")
    return host


def known(run: RunFolder, host: PluginHost, told: Told | None = None, **asked: Any) -> Any:
    found = examine_run(run, host, Request(**asked), Told() if told is None else told)
    return {s["measure"]: s for s in found.scores if s["name"] == "weight"}


def test_networks_before_training_are_those_of_the_first_step(
    run: RunFolder, knowing: PluginHost
) -> None:
    recipe = load_recipe(run.resolved, HOST)
    assembly = Assembly(recipe, HOST.registry)
    first = next(iter(assembly.networks(assembly.data()).generator.parameters()))
    state = torch.get_rng_state()

    score = known(run, knowing, measures={"known": ""})["known"]

    assert score["anchors"]["untrained"] == float(first.detach().flatten()[0])
    assert score["anchors"]["untrained"] != score["value"]
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_file_is_held_against_weights_that_are_always_the_same(
    run: RunFolder, knowing: PluginHost
) -> None:
    request = Request(measures={"known": ""})

    one, other = (examine_model(run.model, knowing, request, Told()).scores[-1] for _ in range(2))

    assert one["anchors"] == other["anchors"]
    assert one["anchors"]["untrained"] != one["value"]


def test_a_protocol_is_taken_wherever_it_is_known(run: RunFolder, knowing: PluginHost) -> None:
    told = Told()

    scores = known(run, knowing, told, measures={"known": ""}, protocol="published")

    assert scores["known"]["protocol"] == "published"
    assert "without a protocol published, and left as they are: bound, modes" in told


def test_where_all_follow_a_protocol_nobody_is_named(
    unmeasured: RunFolder, knowing: PluginHost
) -> None:
    told = Told()

    (score,) = known(
        unmeasured, knowing, told, measures={"known": ""}, protocol="published"
    ).values()

    assert score["protocol"] == "published"
    assert told == []


def test_a_protocol_that_a_measure_was_given_stays(run: RunFolder, knowing: PluginHost) -> None:
    asked = {"known": 'protocol="ours"', "strict": "bins=20"}

    scores = known(run, knowing, measures=asked, protocol="published")

    assert scores["known"]["protocol"] == "ours"
    assert scores["strict"]["protocol"] == "published 20"


@pytest.mark.parametrize(
    ("measures", "protocol", "text"),
    [
        (
            {"known": ""},
            "publishd",
            r"known: ours, published; did you mean 'published'",
        ),
        ({}, "published", r"no measure here has it; known: none"),
        ({"strict": ""}, "published", r"measures\.strict: .*published has 20 bins"),
    ],
)
def test_a_protocol_that_can_not_be_followed_is_refused(
    run: RunFolder, knowing: PluginHost, measures: dict[str, str], protocol: str, text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        known(run, knowing, measures=measures, protocol=protocol)


def test_the_card_of_the_model_holds_what_was_measured_last(run: RunFolder) -> None:
    before = safetensors.torch.load_file(run.model)

    examined(run, seed=5)

    assert describe(run.model)["facts"]["scores"] == run.scores()[1]
    assert len(run.scores()[1]) == 2 * len(values(run.scores()[1]))
    after = safetensors.torch.load_file(run.model)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_card_of_an_older_model_is_left_alone(run: RunFolder) -> None:
    change_facts(run.model, {"steps": 5})
    before = run.model.read_bytes()

    assert examined(run).step == 6
    assert run.model.read_bytes() == before
