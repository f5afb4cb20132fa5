"""A host with invented components, so that these tests know every name and option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe import finding
from gan_toolkit.recipe.options import (
    NoOptions,
    Options,
    RecipePath,
    Reference,
    Scheduled,
    Secret,
)
from gan_toolkit.registry import Registry


class CategoricalOptions(Options):
    classes: Annotated[int, Field(gt=1)]


class GaussianOptions(Options):
    width: Annotated[int, Field(ge=1)] = 1


class UniformOptions(Options):
    size: Annotated[int, Field(ge=1)] = 1
    spread: Literal["learned"] | Annotated[float, Field(gt=0)] = 1.0


class DcganOptions(Options):
    width: int = 64


class ResnetOptions(Options):
    channels: int = 64


class ChairsOptions(Options):
    root: RecipePath | None = None
    size: Literal[32, 64] = 64


class InformationOptions(Options):
    codes: Annotated[list[str], Reference("latents")]
    updates: Literal["both", "generator", "critic"] = "both"


class WeightsOptions(Options):
    weights: Annotated[dict[str, float], Reference("latents")] = Field(default={})
    head: HeadOptions = Field(default_factory=lambda: HeadOptions())


class HeadOptions(Options):
    layers: list[Annotated[int, Field(ge=1)]] = Field(default=[])
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class AdamOptions(Options):
    lr: Scheduled = Field(default=1e-3, gt=0)
    betas: list[float] = Field(default=[0.9, 0.999], min_length=2, max_length=2)


class LinearOptions(Options):
    from_: float = Field(default=0.0, alias="from")
    to: float = 1.0
    over: Annotated[int, Field(ge=1)]


class TraversalOptions(Options):
    latent: Annotated[str, Reference("latents")]


class BoardOptions(Options):
    folder: RecipePath = "logs"
    token: Secret | None = None
    title: str = ""


WeightsOptions.model_rebuild()


def _offer(registry: Registry) -> None:
    build = "nowhere:Nothing"
    offers: dict[str, dict[str, type[Options]]] = {
        "latent": {
            "categorical": CategoricalOptions,
            "gaussian": GaussianOptions,
            "uniform": UniformOptions,
        },
        "generator": {"dcgan": DcganOptions, "resnet": ResnetOptions},
        "critic": {"dcgan": DcganOptions},
        "objective": {"non_saturating": NoOptions},
        "regulariser": {"mutual_information": InformationOptions, "weighted": WeightsOptions},
        "dataset": {"chairs": ChairsOptions},
        "optimiser": {"adam": AdamOptions},
        "schedule": {"linear": LinearOptions},
        "averaging": {"ema": NoOptions},
        "panel": {"traversal": TraversalOptions},
        "measure": {"bound": NoOptions},
        "tracker": {"jsonl": BoardOptions},
    }
    with registry.owned_by("infogan"):
        for kind, named in offers.items():
            for name, options in named.items():
                registry.add(kind, name, options=options, build=build)


@pytest.fixture
def host() -> PluginHost:
    made = PluginHost([PluginRecord("infogan", "gantk_infogan", "gantk-infogan", "0.1.0")])
    _offer(made.registry)
    return made


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder whose only known recipe is named as the golden errors name it."""
    own = tmp_path.parent / f"{tmp_path.name}-own"
    own.mkdir()
    (own / "infogan-chairs.toml").write_text("")
    monkeypatch.setattr(finding, "own_folder", lambda: own)
    monkeypatch.chdir(tmp_path)


TAIL = """
[run]
steps = 10
batch_size = 4
[data]
use = "chairs"
[critic]
use = "dcgan"
[objective]
use = "non_saturating"
[optimisers.generator]
use = "adam"
[optimisers.critic]
use = "adam"
"""

HEAD = """format = 1
name = "chairs"
"""

BODY = """[latents.noise]
use = "gaussian"
[generator]
use = "dcgan"
"""


@pytest.fixture
def tail() -> str:
    """The tables no test is about."""
    return TAIL


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a recipe: the text given, between a good head and good tables; return its name."""

    def written(
        text: str = "", name: str = "run.toml", *, top: str = "", whole: bool = True
    ) -> str:
        content = HEAD + top + text + BODY + TAIL if whole else text
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return name

    return written
