"""Explaining keys; most of it is tested through `gantk recipe explain`."""

from __future__ import annotations

import pytest

from gan_toolkit.errors import UsageError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.explaining import CORE, explain


def test_keys_of_a_table_inside_an_option(host: PluginHost) -> None:
    path = ("regularisers", "any", "head", "dropout")

    (found,) = explain(path, host, None)

    assert found.owner == "regulariser 'weighted' of plugin 'infogan'"
    assert found.model.__name__ == "HeadOptions"
    assert found.key == "dropout"


def test_all_components_that_have_the_key(host: PluginHost) -> None:
    found = explain(("generator", "width"), host, None)

    assert [one.owner for one in found] == ["generator 'dcgan' of plugin 'infogan'"]


def test_a_component_that_is_gone_since(host: PluginHost) -> None:
    with pytest.raises(UsageError, match="there is no 'lost'; known: categorical, gaussian"):
        explain(("latents", "a", "size"), host, {"latents": {"a": {"use": "lost@1"}}})


def test_a_table_without_a_component(host: PluginHost) -> None:
    table = {"latents": {"a": {}}}

    assert [one.owner for one in explain(("latents", "a", "count"), host, table)] == [CORE]
