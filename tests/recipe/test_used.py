"""`use = "plugin:name@2"`: who must offer what, in which version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe import load_recipe
from gan_toolkit.recipe.used import Used
from gan_toolkit.registry import RegistrationError

Write = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("alpha", ("", "alpha", "", False)),
        ("alpha@2", ("", "alpha", "2", True)),
        ("mine:alpha", ("mine", "alpha", "", False)),
        ("mine:alpha@2", ("mine", "alpha", "2", True)),
        ("alpha@", ("", "alpha", "", True)),
        ("alpha@2:3", ("", "alpha", "2:3", True)),
    ],
)
def test_a_use_is_taken_apart(text: str, parts: tuple[str, str, str, bool]) -> None:
    assert Used.read(text) == parts


WORDS = st.text(st.sampled_from("ab_1-."))


@given(WORDS, WORDS, WORDS)
def test_what_is_put_together_is_taken_apart(plugin: str, name: str, version: str) -> None:
    assert Used.read(f"{plugin}:{name}@{version}") == (plugin, name, version, True)


LATENT = '[latents.noise]\nuse = "{}"\n[generator]\nuse = "dcgan"\n'


@pytest.fixture
def load(host: PluginHost, write: Write, tail: str) -> Callable[[str], str]:
    """Return how the resolved recipe writes a `use`."""

    def written(use: str) -> str:
        whole = 'format = 1\nname = "a"\n' + LATENT.format(use) + tail
        recipe = load_recipe(write(whole, whole=False), host)
        again = load_recipe(recipe.to_dict(), host)
        assert again == recipe
        assert again.to_dict() == recipe.to_dict()
        return str(recipe.to_dict()["latents"]["noise"]["use"])

    return written


def test_the_owner_is_written_only_if_it_was_given(load: Callable[[str], str]) -> None:
    assert load("gaussian") == "gaussian@1"
    assert load("infogan:gaussian") == "infogan:gaussian@1"
    assert load("infogan:gaussian@1") == "infogan:gaussian@1"


@pytest.mark.parametrize(
    ("use", "text", "code"),
    [
        (
            "infogam:gaussian",
            "latent 'gaussian' is offered by 'infogan'; no plugin is named 'infogam'; "
            "did you mean 'infogan'?",
            2,
        ),
        (
            "worlds:gaussian",
            "latent 'gaussian' is offered by 'infogan', not by 'worlds'; "
            'write "infogan:gaussian"',
            2,
        ),
        (
            "late:gaussian",
            "latent 'gaussian' is offered by 'infogan'; plugin 'late' failed to load (latent "
            "'gaussian' is already registered by infogan; block one of the two); "
            "see: gantk plugins info late",
            3,
        ),
    ],
)
def test_another_owner_is_refused(
    host: PluginHost, load: Callable[[str], str], use: str, text: str, code: int
) -> None:
    late = PluginRecord("late", "gantk_late", "", "", status="failed")
    late.reason = "latent 'gaussian' is already registered by infogan; block one of the two"
    host.records += [PluginRecord("worlds", "gantk_worlds", "", ""), late]

    with pytest.raises(RecipeError) as caught:
        load(use)

    assert str(caught.value) == f"run.toml:4: latents.noise.use: {text}"
    assert caught.value.exit_code == code


def test_a_child_that_names_the_owner_keeps_what_its_parent_says(
    host: PluginHost, write: Write, tail: str
) -> None:
    text = 'format = 1\nname = "a"\n' + LATENT.format('gaussian"\nwidth = "7') + tail
    write(text.replace('"7"', "7"), "base.toml", whole=False)
    child = write(
        'extends = "base.toml"\n[latents.noise]\nuse = "infogan:gaussian"\n',
        "child.toml",
        whole=False,
    )

    assert load_recipe(child, host).to_dict()["latents"]["noise"]["width"] == 7


def test_a_clash_names_both_and_the_remedy(host: PluginHost) -> None:
    with (
        host.registry.owned_by("late"),
        pytest.raises(
            RegistrationError,
            match="latent 'gaussian' is already registered by infogan; block one of the two",
        ),
    ):
        host.registry.add("latent", "gaussian", build="nowhere:Nothing")
