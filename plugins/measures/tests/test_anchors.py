"""What known readers get of the same samples, and published protocols, through the measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn.functional import one_hot

from gan_toolkit import ArrayDataset, Factor, LatentSpace, Measure, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures import effort
from gantk_measures.classic import Classic
from gantk_measures.clustering import Clustering
from gantk_measures.dci import Dci
from gantk_measures.factor_vae import FactorVae
from gantk_measures.importance import fit
from gantk_measures.independence import Independence
from gantk_measures.infomec import Infomec
from gantk_measures.mig import Mig
from gantk_measures.options import DciOptions, MigOptions
from gantk_measures.usage import Usage

COUNT = 900
SPACE = LatentSpace({"kind": Choice(3), "a": Level(), "b": Level()})
KINDS = (
    Factor("kind", "discrete", values=("x", "y", "z")),
    Factor("size", "discrete", values=tuple("01234")),
    Factor("place", "continuous"),
)
MAKE: dict[str, Callable[..., Measure]] = {
    "mig": Mig,
    "dci": Dci,
    "factor_vae": lambda *given: FactorVae(*given, bins=5),
    "infomec": Infomec,
    "classic": lambda *given: Classic(*given, bins=5),
}


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(effort.TREES, "default", 10)


def data_of(*, tied: bool = False) -> ArrayDataset:
    rng = torch.Generator().manual_seed(0)
    kind = torch.randint(3, (COUNT,), generator=rng).float()
    size = torch.randint(5, (COUNT,), generator=rng).float()
    place = size / 5 if tied else torch.rand(COUNT, generator=rng)
    factors = torch.stack([kind, size, place], dim=1)
    return ArrayDataset(
        "sizes", "synthetic", factors, kind.long(), factors=factors, descriptions=KINDS
    )


def read(kind: Tensor, a: Tensor, b: Tensor) -> dict[str, Tensor]:
    numbers = {name: torch.stack([of, of * 0 - 2], dim=1) for name, of in (("a", a), ("b", b))}
    return {"kind": one_hot(kind.long(), 3).float() * 20, **numbers}


def perfect(samples: Tensor) -> dict[str, Tensor]:
    return read(*samples.T)


def ignorant(samples: Tensor) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(1)
    kind = torch.randint(3, (len(samples),), generator=rng)
    return read(kind, *torch.rand(2, len(samples), generator=rng))


def drawn(latent: Tensor) -> Tensor:
    """Show the category and both numbers."""
    return torch.cat([latent[:, :3].argmax(dim=1, keepdim=True), latent[:, 3:]], dim=1)


def still(samples: Tensor) -> dict[str, Tensor]:
    return read(*torch.zeros(3, len(samples)))


def view_of(
    by: Callable[[Tensor], dict[str, Tensor]], data: ArrayDataset, before: MemoryView | None = None
) -> MemoryView:
    codes = ("kind", "a", "b")
    return MemoryView(SPACE, data, drawn, by, inferable=codes, untrained=before)


def named(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


@pytest.mark.parametrize("measure", list(MAKE))
def test_anchors_are_what_the_known_readers_get_by_themselves(measure: str) -> None:
    data = data_of()
    made = MAKE[measure](SPACE, data, [], [])
    before = view_of(ignorant, data)

    found = named(made.measure(view_of(perfect, data, before)))

    for name, alone in named(made.measure(before)).items():
        anchors = found[name].anchors
        assert anchors["untrained"] == pytest.approx(alone.value), name
        assert anchors["untrained"] < anchors["oracle"] <= 1.000001, name
        assert anchors["oracle"] == pytest.approx(found[name].value, abs=0.08), name
        assert set(alone.anchors) == {"oracle"}


def test_factors_that_go_together_are_told_by_the_oracle() -> None:
    data = data_of(tied=True)

    mig, *_ = Mig(SPACE, data, [], []).measure(view_of(perfect, data))

    assert mig.anchors["oracle"] == pytest.approx(1 / 3, abs=0.01)
    assert "the factors themselves get 0.33" in "".join(mig.warnings)


def test_a_reader_that_knows_nothing_before_training_is_no_anchor() -> None:
    data = data_of()

    mig, *_ = Mig(SPACE, data, [], []).measure(view_of(perfect, data, view_of(still, data)))

    assert set(mig.anchors) == {"oracle"}


def test_measures_without_factors_are_held_against_the_untrained_reader_only() -> None:
    data = data_of()
    before = view_of(ignorant, data)
    view = view_of(perfect, data, before)

    for made in (Usage(SPACE, []), Independence(SPACE, [])):
        alone = named(made.measure(before))
        for name, score in named(made.measure(view)).items():
            assert score.anchors == {"untrained": pytest.approx(alone[name].value)}, name
    error, *_ = Clustering().measure(view)
    assert error.value == 0
    assert error.anchors == {"untrained": Clustering().measure(before)[0].value}
    assert error.anchors["untrained"] > 0.5


@pytest.mark.parametrize("how", ["boosting", "fast"])
def test_where_known_readers_would_cost_too_much_there_are_none(how: str) -> None:
    data = data_of()
    view = view_of(perfect, data, view_of(ignorant, data))
    view.effort = "fast" if how == "fast" else "default"
    regressor = "gradient_boosting" if how == "boosting" else None

    scores = Dci(SPACE, data, [], [], samples=300, regressor=regressor).measure(view)

    assert not any(score.anchors for score in scores)


# --- protocols ---------------------------------------------------------------------------------


def published_mig(codes: np.ndarray, factors: np.ndarray) -> float:
    """MIG of (J, N) numbers and (K, N) values, step by step as in disentanglement_lib."""

    def information(one: np.ndarray, other: np.ndarray) -> float:
        joint = np.histogram2d(one, other, [np.arange(one.max() + 2), np.arange(other.max() + 2)])
        p = joint[0] / joint[0].sum()
        outer = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
        return float((p[p > 0] * np.log(p[p > 0] / outer[p > 0])).sum())

    binned = [np.digitize(code, np.histogram(code, 20)[1][:-1]) for code in codes]
    shared = np.array([[information(code, factor) for factor in factors] for code in binned])
    ordered = np.sort(shared, axis=0)[::-1]
    held = np.array([information(factor, factor) for factor in factors])
    return float(((ordered[0] - ordered[1]) / held).mean())


def test_mig_of_dlib_is_that_of_disentanglement_lib() -> None:
    rng = torch.Generator().manual_seed(2)
    factors = torch.stack([torch.randint(n, (12_000,), generator=rng) for n in (3, 5)], 1).float()
    noise = torch.randn(12_000, 2, generator=rng)
    codes = torch.stack([factors[:, 0] + 0.7 * noise[:, 0], factors.sum(1) + 0.3 * noise[:, 1]], 1)
    samples = torch.cat([codes, factors], dim=1)
    data = ArrayDataset(
        "two", "synthetic", samples, factors=factors, descriptions=KINDS[:2], fingerprint="two"
    )
    view = MemoryView(
        SPACE,
        data,
        lambda latent: latent,
        lambda seen: read(seen[:, 0] * 0, seen[:, 0], seen[:, 1]),
        inferable=("kind", "a", "b"),
    )

    mig, *rest = Mig(SPACE, data, [], ["a", "b"], protocol="dlib").measure(view)

    seen = view.real(10_000).samples.double().numpy().T
    assert mig.count == 10_000
    assert mig.value == pytest.approx(published_mig(seen[:2], seen[2:].astype(int)), abs=1e-9)
    assert mig.protocol == "dlib"
    assert {score.protocol for score in rest} == {"gantk"}
    assert not mig.warnings


def test_what_a_protocol_does_not_know_is_told() -> None:
    data = data_of()

    mig, *_ = Mig(SPACE, data, [], [], protocol="dlib").measure(view_of(perfect, data))

    assert "not as published: kind, place" in mig.warnings[-1]


def test_dci_of_dlib_counts_dead_codes_among_the_columns() -> None:
    data = data_of()

    def dead(samples: Tensor) -> dict[str, Tensor]:
        return perfect(samples) | {"b": torch.zeros(len(samples), 2)}

    asked = {"samples": 300, "regressor": "gradient_boosting"}
    d, c, _ = Dci(SPACE, data, ["kind", "size"], [], **asked).measure(view_of(dead, data))
    d_too, c_too, _ = Dci(SPACE, data, ["kind", "size"], [], samples=300, protocol="dlib").measure(
        view_of(dead, data)
    )

    # The same entropy, over log 3 instead of log 2.
    assert 1 - c_too.value == pytest.approx((1 - c.value) * np.log(2) / np.log(3), abs=0.02)
    assert d_too.value == pytest.approx(d.value, abs=0.02)
    assert "2 (D) and 3 (C)" in c_too.estimator
    importance = d_too.matrices["importance"]
    assert list(importance.values[importance.rows.index("b")]) == [0.0, 0.0]
    assert d_too.headline == "DCI-D (boosting)"
    assert "the protocol dlib takes 15,000 samples; these are 300" in d_too.warnings
    assert not any("takes 15,000" in line for line in d.warnings)


def test_effort_chooses_what_predicts_the_factors_unless_it_is_said() -> None:
    data = data_of()
    view = view_of(perfect, data)

    def estimator(effort: str, **options: object) -> str:
        view.effort = effort
        made = Dci(SPACE, data, ["kind", "size"], ["kind", "a"], samples=150, **options)
        return made.measure(view)[0].estimator.partition(" of ")[0]

    assert [estimator(effort) for effort in ("fast", "default", "full")] == [
        "extra trees",
        "extra trees",
        "gradient boosting",
    ]
    assert estimator("full", regressor="extra_trees") == "extra trees"
    assert estimator("fast", protocol="dlib") == "gradient boosting"


def test_the_protocol_has_its_own_trees_whatever_the_effort() -> None:
    data = data_of()
    view = view_of(perfect, data)
    view.effort = "fast"

    published = Dci(SPACE, data, ["size"], ["kind", "a"], samples=150, protocol="dlib")
    ours = Dci(SPACE, data, ["size"], ["kind", "a"], samples=150, regressor="gradient_boosting")

    assert "boosting of 100 trees" in published.measure(view)[0].estimator
    assert "boosting of 30 trees" in ours.measure(view)[0].estimator


def test_known_readers_are_fitted_to_as_many_as_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []

    def spy(
        codes: object, factors: object, how: object, train: np.ndarray, *more: object
    ) -> object:
        fitted.append(len(train))
        return fit(codes, factors, how, train, *more)

    monkeypatch.setattr("gantk_measures.dci.SHUFFLED", 60)
    monkeypatch.setattr("gantk_measures.dci.fit", spy)
    data = data_of()

    Dci(SPACE, data, ["kind", "size"], ["kind", "a"], samples=150).measure(view_of(perfect, data))

    assert fitted == [100, 60, 60]


@pytest.mark.parametrize(
    ("options", "faulty"),
    [
        (MigOptions, {"bins": 10}),
        (MigOptions, {"binning": "quantile"}),
        (DciOptions, {"regressor": "extra_trees"}),
    ],
)
def test_options_that_break_a_protocol_are_refused(
    options: type, faulty: dict[str, object]
) -> None:
    options(**faulty)
    options(protocol="dlib")
    with pytest.raises(ValidationError, match="the protocol dlib has"):
        options(protocol="dlib", **faulty)
