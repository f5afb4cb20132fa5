"""Planted readers on a grid of factors: values worked out by hand, through the measures themselves.

Grid: factors f0, f1 in {0, 1, 2, 3}, all 16 pairs equally often, 1,600 samples; a sample shows both
as they are. Tests bear the number of the value in the reference they check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gan_toolkit import ArrayDataset, Factor, LatentSpace, Measure, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures import effort
from gantk_measures.audit import Audit
from gantk_measures.classic import Classic
from gantk_measures.clustering import Clustering
from gantk_measures.dci import Dci
from gantk_measures.factor_vae import FactorVae
from gantk_measures.infomec import Infomec
from gantk_measures.mig import Mig
from gantk_measures.usage import Usage

Codes = Mapping[str, Tensor]
VALUES = ("0", "1", "2", "3")
FACTORS = (Factor("f0", "discrete", values=VALUES), Factor("f1", "discrete", values=VALUES))
SPACE = LatentSpace({name: Level() for name in ("a", "b", "c", "d")})
PAIRS = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).repeat(100, 1)
GRID = ArrayDataset("grid", "synthetic", PAIRS, factors=PAIRS, descriptions=FACTORS)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(effort.TREES, "default", 20)


def number(mean: Tensor) -> Tensor:
    return torch.stack([mean, torch.full_like(mean, -2)], dim=1)


def scores_of(make: Callable[..., Measure], read: Callable[..., Codes]) -> dict[str, Score]:
    """Measure a reader that gets f0 and f1 and names its codes."""

    def infer(samples: Tensor) -> dict[str, Tensor]:
        return {name: number(value) for name, value in read(*samples.T).items()}

    view = MemoryView(SPACE, GRID, lambda latent: latent, infer, inferable=list(infer(PAIRS[:2])))
    return {score.name: score for score in make(SPACE, GRID, [], []).measure(view)}


def nothing(like: Tensor) -> Tensor:
    return torch.zeros_like(like)


def spread(values: Tensor) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    return values + torch.rand(len(values), generator=rng) - 0.5


@pytest.mark.parametrize(
    ("read", "mig"),
    [
        pytest.param(lambda f, g: {"a": f, "b": g}, 1.0, id="13 perfect"),
        pytest.param(lambda f, g: {"a": g, "b": 3 - f}, 1.0, id="13 permuted"),
        pytest.param(lambda f, g: {"a": f, "b": g, "c": f, "d": g}, 0.0, id="14 duplicated"),
        pytest.param(lambda f, g: {"a": f, "b": f // 2, "c": g}, 0.75, id="16 half a copy"),
        pytest.param(lambda f, g: {"a": f + 4 * g, "b": nothing(f)}, 1.0, id="17 both in one"),
        pytest.param(lambda f, g: {"a": f // 2, "b": g}, 0.75, id="18 half a code"),
        pytest.param(lambda f, g: {"a": f, "b": g, "c": nothing(f)}, 1.0, id="a dead code"),
    ],
)
def test_mig(read: Callable[..., Codes], mig: float) -> None:
    assert scores_of(Mig, read)["mig"].value == pytest.approx(mig, abs=1e-9)


def test_15_nothing_is_void_and_names_the_codes() -> None:
    (score,) = scores_of(Mig, lambda f, g: {"a": nothing(f), "b": nothing(g)}).values()

    assert score.void == "no code varies over real samples: a, b"


def test_19_noise_within_a_value_costs_the_accuracy_of_counting() -> None:
    mig = scores_of(Mig, lambda f, g: {"a": spread(f), "b": g})["mig"].value

    assert mig == pytest.approx(1.0, abs=0.02)


def test_22_an_outlier_empties_bins_of_equal_width_only() -> None:
    def read(f: Tensor, g: Tensor) -> Codes:
        far = f.clone()
        far[0] = 1e4
        return {"a": far, "b": g}

    def by_frequency(*given: Any) -> Measure:
        return Mig(*given, binning="quantile")

    assert scores_of(Mig, read)["mig"].value == pytest.approx(0.5, abs=0.01)
    assert scores_of(by_frequency, read)["mig"].value > 0.99


def test_25_jemmig_of_a_perfect_reader_in_as_many_bins_as_values() -> None:
    found = scores_of(lambda *g: Mig(*g, bins=4), lambda f, g: {"a": f, "b": g})

    assert found["jemmig"].value == pytest.approx(1.0)


def test_26_27_what_mig_does_not_see() -> None:
    both = scores_of(Mig, lambda f, g: {"a": f + 4 * g, "b": f})
    alone = scores_of(Mig, lambda f, g: {"a": f + 4 * g})
    copied = scores_of(Mig, lambda f, g: {"a": f, "b": f // 2, "c": g})

    assert both["mig_sup"].value == pytest.approx(0.5)
    assert alone["dcimig"].value == pytest.approx(0.0)
    assert alone["mig"].value == pytest.approx(1.0)
    assert copied["dcimig"].value == pytest.approx(1.0)


def test_30_dci_of_a_perfect_reader_with_a_dead_code_first() -> None:
    found = scores_of(Dci, lambda f, g: {"a": nothing(f), "b": f, "c": g})

    for name in ("disentanglement", "completeness", "informativeness"):
        assert found[name].value > 0.97, name
    assert found["disentanglement"].warnings == ("dead on real samples: a",)


@pytest.mark.parametrize(
    ("read", "accuracy"),
    [
        pytest.param(lambda f, g: {"a": f, "b": g}, 1.0, id="38 perfect"),
        pytest.param(lambda f, g: {"a": f + g, "b": f - g}, 0.5, id="39 rotated"),
        pytest.param(lambda f, g: {"a": f, "b": g, "c": nothing(f)}, 1.0, id="40 dead code"),
        pytest.param(lambda f, g: {"a": f / 100, "b": g / 100}, 1.0, id="41 small"),
        pytest.param(lambda f, g: {"a": f, "b": nothing(g)}, 0.5, id="42 one missing"),
    ],
)
def test_factor_vae(read: Callable[..., Codes], accuracy: float) -> None:
    assert scores_of(FactorVae, read)["accuracy"].value == pytest.approx(accuracy, abs=0.03)


@pytest.mark.parametrize(
    ("read", "beta_vae", "sap", "modularity"),
    [
        pytest.param(lambda f, g: {"a": f, "b": g}, 1.0, 1.0, 1.0, id="perfect"),
        pytest.param(lambda f, g: {"a": f, "b": f + g}, None, 0.5, None, id="32 half shared"),
        pytest.param(lambda f, g: {"a": f, "b": g, "c": nothing(f)}, 1.0, 1.0, 1.0, id="35 dead"),
        pytest.param(lambda f, g: {"a": f + 4 * g}, None, None, 0.0, id="35 both in one"),
        pytest.param(lambda f, g: {"a": f, "b": nothing(f)}, 1.0, None, 1.0, id="43 one missing"),
        pytest.param(lambda f, g: {"a": f / 1000, "b": g / 1000}, 1.0, 1.0, 1.0, id="43 small"),
    ],
)
def test_classic(
    read: Callable[..., Codes],
    beta_vae: float | None,
    sap: float | None,
    modularity: float | None,
) -> None:
    found = scores_of(Classic, read)

    expected = {"beta_vae": beta_vae, "sap": sap, "modularity": modularity}
    for name, value in expected.items():
        if value is not None:
            assert found[name].value == pytest.approx(value, abs=0.01), name


def test_infomec_of_a_perfect_a_rotated_and_a_doubled_reader() -> None:
    def read(kind: str, f: Tensor, g: Tensor) -> Codes:
        perfect = {"a": spread(f), "b": spread(g)}
        rotated = {"a": spread(f + g), "b": spread(f - g)}
        return {"perfect": perfect, "rotated": rotated, "doubled": perfect | {"c": spread(f)}}[kind]

    found = {
        kind: scores_of(Infomec, lambda f, g, kind=kind: read(kind, f, g))
        for kind in ("perfect", "rotated", "doubled")
    }

    assert found["perfect"]["infom"].value > 0.97
    assert found["perfect"]["infoc"].value > 0.95
    assert found["rotated"]["infom"].value < 0.1
    assert found["doubled"]["infom"].value > 0.97
    assert found["doubled"]["infoc"].value == pytest.approx((0.25 + 1) / 2, abs=0.03)


# --- end to end --------------------------------------------------------------------------------

SIDE = 8
KINDS = LatentSpace({"kind": Choice(4), "shade": Level(), "noise": Level()})
SHOWN = (Factor("kind", "discrete", values=VALUES), Factor("shade", "continuous", low=-1))


def render(kind: Tensor, shade: Tensor) -> Tensor:
    """Draw (N, 1, 8, 8): one white quarter, and the middle in the shade."""
    quarters = one_hot(kind.long(), 4).float().view(-1, 1, 2, 2) * 2 - 1
    images = quarters.repeat_interleave(4, 2).repeat_interleave(4, 3)
    images[:, 0, 2:6, 2:6] = shade[:, None, None]
    return images


def read_back(samples: Tensor) -> dict[str, Tensor]:
    kind = torch.stack([samples[:, 0, y, x] for y in (0, 7) for x in (0, 7)], dim=1) * 10
    middle = samples[:, 0, 3, 3]
    return {"kind": kind, "shade": torch.stack([middle, torch.full_like(middle, -3)], dim=1)}


@pytest.fixture(scope="module")
def shown() -> ArrayDataset:
    rng = torch.Generator().manual_seed(1)
    kind, shade = (
        torch.randint(4, (1_500,), generator=rng),
        torch.rand(1_500, generator=rng) * 2 - 1,
    )
    images = ((render(kind, shade) + 1) * 127.5).round().to(torch.uint8)
    factors = torch.stack([kind.float(), shade], dim=1)
    return ArrayDataset(
        "shown", "synthetic", images, kind, classes=VALUES, factors=factors, descriptions=SHOWN
    )


def end_to_end(data: ArrayDataset, *, deaf: bool) -> MemoryView:
    """A generator that draws what its codes say, or images of its own, and a perfect reader."""

    def generate(latent: Tensor) -> Tensor:
        source = latent
        if deaf:
            rng = torch.Generator().manual_seed(3)
            source = KINDS.sample(len(latent), rng)
        codes = KINDS.split(source)
        return render(codes["kind"].argmax(dim=1), codes["shade"][:, 0])

    return MemoryView(KINDS, data, generate, read_back, inferable=("kind", "shade"))


def test_55_a_generator_that_renders_its_codes_gets_everything(shown: ArrayDataset) -> None:
    view = end_to_end(shown, deaf=False)
    asked = (KINDS, shown, [], [])

    mig, *_ = Mig(*asked).measure(view)
    dci, *_ = Dci(*asked).measure(view)
    error, *_ = Clustering().measure(view)
    audit = {s.name: s for s in Audit(KINDS, [], samples=1_500, epochs=8).measure(view)}
    dead, use, *_ = Usage(KINDS, []).measure(view)

    assert mig.value > 0.97
    assert dci.value > 0.95
    assert error.value == 0
    assert audit["kind"].value >= 0.98 * math.log(4)
    assert audit["visible/kind"].value >= 0.98 * math.log(4)
    assert dead.value == 0
    for score in (dci, error, audit["visible/kind"], dead, use):
        assert not score.warnings, score.name


def test_56_a_generator_that_ignores_its_codes_is_told(shown: ArrayDataset) -> None:
    view = end_to_end(shown, deaf=True)

    audit = {s.name: s for s in Audit(KINDS, [], samples=1_500, epochs=2).measure(view)}

    assert max(audit["kind"].value, audit["shade"].value) <= 0.02
    assert audit["kind"].warnings[0] == "next to nothing of it is in the samples"
