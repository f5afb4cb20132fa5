from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from gan_toolkit import strict_json
from gan_toolkit.interfaces import Grid, Latent
from gan_toolkit.latents import LatentSpace
from gan_toolkit.report.album import Source
from gan_toolkit.runs import RunFolder
from gan_toolkit.testing.browser import Browser, missing

SIDE = 8
PAYLOADS = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "</SCRIPT ><ScRiPt>window.hacked = 1</sCrIpT>",
    "<img src=x onerror=window.hacked=1>",
    '"><img src=x onerror=window.hacked=1>',
    "'><img src=x onerror=window.hacked=1>",
    "<svg/onload=window.hacked=1>",
    "<svg><script>window.hacked=1</script></svg>",
    '" onmouseover="window.hacked=1" x="',
    "' autofocus onfocus='window.hacked=1",
    "<iframe srcdoc='<script>top.hacked=1</script>'></iframe>",
    "<a href='javascript:window.hacked=1'>x</a>",
    "javascript:window.hacked=1",
    "</title><script>window.hacked=1</script>",
    "</style><script>window.hacked=1</script>",
    "<style>@import 'http://127.0.0.1:9/x.css'; body { display: none }</style>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9'>",
    "<base href=http://127.0.0.1:9>",
    "<form action=http://127.0.0.1:9><button>go</button></form>",
    "<!-- <script>window.hacked=1</script>",
    "<!--><script>window.hacked=1</script -->",
    "{{ 7 * 7 }} {% for x in [] %} ${7*7} #{7*7}",
    "&lt;script&gt;&#60;b&#62; \\u003cb\\u003e ]]> <b>",
    "\u202e\x1b[31m\x00<b>\ufffe`onclick=x`",
)


class Noise(Latent):
    """A number from 0 to 3 that nobody recovers."""

    width = 1

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randint(4, (count, 1), generator=rng).float()


class Dial(Latent):
    """A number on [-1, 1] that is shown on [-2, 2]; `label` goes into its labels."""

    width = 1

    def __init__(self, label: str = "") -> None:
        self.label = label

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.rand(count, 1, generator=rng) * 2 - 1

    def grid(self, count: int) -> Grid:
        values = torch.linspace(-2, 2, count)
        labels = [
            f"{value:.3g}{self.label}" for value in values.round(decimals=2).add(0.0).tolist()
        ]
        return Grid(values[:, None], labels, (values.abs() <= 1).tolist())

    def entropy(self) -> float:
        return 0.6931


class Pick(Latent):
    """One of three."""

    width = 3
    discrete = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.eye(3)[torch.randint(3, (count,), generator=rng)]

    def grid(self, count: int) -> Grid:
        del count
        return Grid(torch.eye(3), ["0", "1", "2"], [True] * 3)

    def entropy(self) -> float:
        return 1.0986


def paint(latent: Tensor) -> Tensor:
    """Return images (B, 1, 8, 8): the dial to the left, the pick to the right, noise in a line."""
    noise, dial = latent[:, 0] / 2 - 1, latent[:, 1] / 2
    pick = latent[:, 2:5] @ torch.arange(3.0) - 1
    images = torch.empty(len(latent), 1, SIDE, SIDE)
    images[..., : SIDE // 2] = dial[:, None, None, None]
    images[..., SIDE // 2 :] = pick[:, None, None, None]
    images[..., 0, :] = noise[:, None, None]
    return images


@pytest.fixture
def painter() -> Callable[..., Source]:
    """Return what makes a source whose pictures tell which codes they were made of."""

    def make(dial: str = "dial", label: str = "", *more: str) -> Source:
        unseen = {name: Dial() for name in more}
        space = LatentSpace({"noise": Noise(), dial: Dial(label), "pick": Pick(), **unseen})
        return Source(space, (dial, "pick", *more), paint, step=7)

    return make


@pytest.fixture
def payloads() -> tuple[str, ...]:
    """Texts that would be more than text in a careless page."""
    return PAYLOADS


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """Return what makes the folder of a run with `text` in every place that takes any text."""

    def make(text: str = "plain") -> RunFolder:
        run = RunFolder.create(tmp_path, "tiny")
        run.update(
            recipe=text,
            status=text,
            cause=text,
            device=text,
            seed=text,
            variants=[text],
            argv=["gantk", "run", text],
            begun="2024-01-01T00:00:00+00:00",
            ended="2024-01-01T00:01:40+00:00",
            peak_memory=3 * 2**20,
            recipe_digest=text,
            plugins={text: text},
            data={
                "name": text,
                "source": text,
                "samples": 12,
                "shape": [1, 4, 4],
                "fingerprint": text,
                "notice": text,
            },
        )
        key = strict_json.dump(text)  # a JSON text is a TOML one, but for surrogates
        run.write_text("recipe.toml", f"# {text}\n")
        run.write_text(
            "recipe.resolved.toml",
            f"name = {key}\nsummary = {key}\n[run]\nsteps = 6\n[data]\nuse = {key}\n"
            f"{key} = {key}\n[panels.one]\nlist = [{key}, 0.001, 12000]\n",
        )
        run.write_origins({f"data.{text}": f"{text}:3"}, {"data.use": text})
        run.write_text("environment.txt", f"Python 3.11\nsystem {text}\n\n{text}==1.0\n")
        run.log(f"panel {text} failed 1 time: {text}")
        for step in range(1, 4):
            logged = {"event": "log", "step": step, f"{text}/x": 1.0 / step}
            run.metrics.append(logged | {"critic/loss": 1.5, "generator/loss": step / 2})
        run.write_json("evaluations/step-00000003.json", {"scores": scores(text)})
        for step in (1, 2):
            save_picture(run, "samples", step, text)
        return run

    return make


def scores(text: str) -> list[dict[str, object]]:
    whole = {
        "measure": text,
        "name": text,
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "chance": 0.1,
        "ceiling": 1.0,
        "reference": 0.75,
        "count": 100,
        "estimator": text,
        "unit": text,
        "protocol": text,
        "details": {text: text},
    }
    matrix = {
        "rows": [text, "other"],
        "columns": [text, "a", "b"],
        "values": [[0.25, 1.0, None], [-0.5, 0.0, 0.1]],
        "what": text,
        "ceiling": 1.0,
    }
    matrices = {text: matrix, f"{text} 2": matrix | {"style": "hinton"}}
    return [whole | {"matrices": matrices}, whole | {"name": f"{text} 2", "void": text}]


def save_picture(run: RunFolder, folder: str, step: int, caption: str) -> None:
    info = PngInfo()
    info.add_itxt("Description", caption)
    place = run.folder / folder
    place.mkdir(exist_ok=True, parents=True)
    Image.new("L", (12, 10), 90 + step).save(place / f"step-{step:08d}.png", pnginfo=info)


@pytest.fixture
def add_picture() -> Callable[..., None]:
    return save_picture


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all pages; without one the tests are skipped and say what to install."""
    if why := missing():
        pytest.skip(why)
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
