"""What every network of this plugin can do, at small sizes where the size is free."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from gan_toolkit import Registry
from gantk_networks import gantk_register, paper
from gantk_networks.dcgan import DcganCritic, DcganGenerator
from gantk_networks.mlp import MlpCritic, MlpGenerator

LATENT = 6


class Pair(NamedTuple):
    generator: Callable[..., Any]
    critic: Callable[..., Any]
    shape: tuple[int, ...]


PAIRS = {
    "mlp_points": Pair(MlpGenerator, MlpCritic, (2,)),
    "mlp_images": Pair(
        partial(MlpGenerator, norm="batch"), partial(MlpCritic, norm="batch"), (1, 5, 7)
    ),
    "mlp_spectral": Pair(MlpGenerator, partial(MlpCritic, norm="spectral"), (2,)),
    "dcgan": Pair(partial(DcganGenerator, width=4), partial(DcganCritic, width=4), (3, 12, 12)),
    "dcgan_spectral": Pair(
        partial(DcganGenerator, width=4),
        partial(DcganCritic, width=4, norm="spectral"),
        (1, 16, 16),
    ),
    "paper_mnist": Pair(paper.MnistGenerator, paper.MnistCritic, (1, 28, 28)),
    "paper_svhn": Pair(paper.SvhnGenerator, paper.SvhnCritic, (3, 32, 32)),
    "paper_celeba": Pair(paper.CelebaGenerator, paper.CelebaCritic, (3, 32, 32)),
    "paper_faces": Pair(paper.FacesGenerator, paper.FacesCritic, (1, 32, 32)),
    "paper_chairs": Pair(paper.ChairsGenerator, paper.ChairsCritic, (1, 64, 64)),
}
SMALL = [name for name in PAIRS if not name.startswith("paper_")] + ["paper_svhn"]

every_pair = pytest.mark.parametrize("name", PAIRS)
small_pairs = pytest.mark.parametrize("name", SMALL)


def build(name: str) -> tuple[Any, Any]:
    pair = PAIRS[name]
    generator = pair.generator(latent_width=LATENT, sample_shape=pair.shape)
    return generator, pair.critic(sample_shape=pair.shape)


@every_pair
def test_bfloat16_stays_finite_forward_and_backward(name: str) -> None:
    torch.manual_seed(0)
    generator, critic = build(name)

    with torch.autocast("cpu", torch.bfloat16):
        sample = generator(torch.rand(3, LATENT))
        score, features = critic(sample)
    score.float().mean().backward()

    assert sample.isfinite().all()
    assert features.isfinite().all()
    for network in (generator, critic):
        for parameter in network.parameters():
            assert parameter.dtype == torch.float32
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()


@every_pair
def test_shapes_exist_without_memory(name: str) -> None:
    with torch.device("meta"):
        generator, critic = build(name)
        score, features = critic(generator(torch.empty(3, LATENT)))

    assert score.is_meta
    assert features.shape == (3, critic.feature_width)


@every_pair
def test_everything_stays_on_a_pretended_card(name: str) -> None:
    with FakeTensorMode(), torch.device("cuda"):
        try:
            torch.empty(1)
        except (AssertionError, RuntimeError) as refused:
            pytest.skip(f"this torch can't pretend: {refused}")
        generator, critic = build(name)
        sample = generator(torch.empty(3, LATENT))
        score, features = critic(sample)

    assert {t.device.type for t in (sample, score, features)} == {"cuda"}


@small_pairs
def test_a_state_moves_to_a_fresh_network(name: str) -> None:
    generator, critic = build(name)
    latent = torch.rand(4, LATENT)
    critic(generator(latent))
    others = build(name)
    for network, other in zip((generator, critic), others, strict=True):
        other.load_state_dict(network.state_dict())
        network.eval()
        other.eval()

    sample, again = generator(latent), others[0](latent)

    assert torch.equal(sample, again)
    assert torch.equal(critic(sample).score, others[1](again).score)


@small_pairs
def test_a_deep_copy_is_equal_and_apart(name: str) -> None:
    networks = build(name)
    inputs = (torch.rand(4, LATENT), torch.rand(4, *PAIRS[name].shape))

    for network, x in zip(networks, inputs, strict=True):
        network.eval()
        before = _first(network(x))
        other = copy.deepcopy(network)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(1)

        assert torch.equal(_first(other(x)), before)
        assert not torch.equal(_first(network(x)), before)


@small_pairs
def test_a_penalty_on_gradients_goes_backward_twice(name: str) -> None:
    _, critic = build(name)
    x = torch.randn(4, *PAIRS[name].shape, requires_grad=True)

    (slope,) = torch.autograd.grad(critic(x).score.sum(), x, create_graph=True)
    slope.square().sum().backward()

    first = next(critic.parameters()).grad
    moved = [p.grad for p in critic.parameters() if p.grad is not None and p.grad.any()]
    assert moved
    assert first is None or first.isfinite().all()
    assert all(grad.isfinite().all() for grad in moved)


@every_pair
def test_one_sample_is_judged_in_eval_mode(name: str) -> None:
    with torch.device("meta"):
        generator, critic = (network.eval() for network in build(name))

        assert critic(generator(torch.empty(1, LATENT))).score.shape == (1,)


@small_pairs
def test_in_eval_mode_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    generator, critic = build(name)
    latent = torch.rand(4, LATENT)
    critic(generator(latent))
    generator.eval()
    critic.eval()

    together = generator(latent)
    alone = generator(latent[:1])

    torch.testing.assert_close(alone, together[:1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        critic(alone).score, critic(together).score[:1], atol=1e-5, rtol=1e-4
    )


@every_pair
def test_a_condition_is_refused_not_ignored(name: str) -> None:
    with torch.device("meta"):
        networks = build(name)
        inputs = (torch.empty(2, LATENT), torch.empty(2, *PAIRS[name].shape))

        for network, x in zip(networks, inputs, strict=True):
            with pytest.raises(ValueError, match="takes no condition"):
                network(x, torch.zeros(2))


@small_pairs
def test_seeds_decide_the_weights(name: str) -> None:
    torch.manual_seed(5)
    first = build(name)
    torch.manual_seed(5)
    second = build(name)

    for one, two in zip(first, second, strict=True):
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def _first(made: Any) -> Tensor:
    return made if isinstance(made, Tensor) else made.score


# --- registration --------------------------------------------------------------------------


NAMES = ["mlp", "dcgan", "paper_mnist", "paper_svhn", "paper_celeba", "paper_faces", "paper_chairs"]


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    gantk_register(registry)
    return registry


def test_each_network_is_offered_as_generator_and_critic(registry: Registry) -> None:
    offered = {(component.kind, component.name) for component in registry.all()}

    assert offered == {(kind, name) for kind in ("generator", "critic") for name in NAMES}
    assert all(component.summary for component in registry.all())


@pytest.mark.parametrize("kind", ["generator", "critic"])
@pytest.mark.parametrize("name", NAMES)
def test_options_are_the_builder_arguments_with_the_same_defaults(
    registry: Registry, kind: str, name: str
) -> None:
    component = registry.get(kind, name)
    chosen = component.options().model_dump()
    facts = {"generator": {"latent_width", "sample_shape"}, "critic": {"sample_shape"}}[kind]

    arguments = inspect.signature(component.load()).parameters

    assert set(arguments) == set(chosen) | facts
    for option, value in chosen.items():
        default = arguments[option].default
        assert (list(default) if isinstance(default, tuple) else default) == value


@pytest.mark.parametrize(
    ("key", "options"),
    [
        (("critic", "mlp"), {"hidden": []}),
        (("critic", "mlp"), {"hidden": [0]}),
        (("generator", "mlp"), {"norm": "spectral"}),
        (("generator", "dcgan"), {"width": 0}),
        (("critic", "dcgan"), {"slope": 1.0}),
        (("critic", "dcgan"), {"norm": "layer"}),
        (("critic", "paper_mnist"), {"dense_norm": True}),
        (("generator", "paper_mnist"), {"width": 3}),
    ],
)
def test_values_that_make_no_sense_are_refused(
    registry: Registry, key: tuple[str, str], options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        registry.get(*key).options(**options)


def test_the_entry_point_module_does_not_load_torch() -> None:
    program = "import sys, gantk_networks; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_critics_keep_trunk_and_score_apart() -> None:
    for name in PAIRS:
        with torch.device("meta"):
            _, critic = build(name)

        assert {child for child, _ in critic.named_children()} == {"trunk", "score"}
        assert isinstance(critic.score, nn.Linear)
