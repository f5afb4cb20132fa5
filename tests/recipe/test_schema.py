"""The schema for editors. What editors make of it: tests/cli/test_recipe_schema.py."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe.checking import TOP_KEYS
from gan_toolkit.recipe.schema import made_of, recipe_schema

Schema = dict[str, Any]


@pytest.fixture
def schema(host: PluginHost) -> Schema:
    return recipe_schema(host)


def test_it_is_json_with_every_key_of_a_recipe(schema: Schema) -> None:
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert set(schema["properties"]) == TOP_KEYS
    assert schema["additionalProperties"] is False
    assert "required" not in schema
    assert set(schema["definitions"]["variant"]["properties"]) == (
        TOP_KEYS - {"format", "extends", "requires", "variants"}
    )


def test_every_reference_leads_somewhere(schema: Schema) -> None:
    named = set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(schema)))

    assert named <= schema["definitions"].keys()
    assert "regulariser.weighted.HeadOptions" in named


def test_a_component_has_its_options_and_the_keys_of_its_kind(schema: Schema) -> None:
    table = schema["definitions"]["regulariser.mutual_information"]

    assert set(table["properties"]) == (
        {"use", "enabled", "weight", "every", "start", "stop"} | {"codes", "updates"}
    )
    assert table["properties"]["updates"] == {
        "type": "string",
        "enum": ["both", "generator", "critic"],
        "default": "both",
    }
    assert table["additionalProperties"] is False
    assert "required" not in table


def test_what_may_be_absent_is_not_null(schema: Schema) -> None:
    stop = schema["definitions"]["regulariser.weighted"]["properties"]["stop"]

    assert stop == {
        "type": "integer",
        "minimum": 0,
        "description": "The first step that no longer uses it; absent: never.",
    }
    assert '"null"' not in json.dumps(schema)
    assert '"title": "' not in json.dumps(schema["definitions"])


def test_a_number_may_be_a_schedule_where_a_recipe_takes_one(schema: Schema) -> None:
    rate = schema["definitions"]["optimiser.adam"]["properties"]["lr"]

    assert rate == {
        "default": 0.001,
        "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"$ref": "#/definitions/schedule"}],
    }


@pytest.mark.parametrize("use", ["gaussian", "gaussian@1", "infogan:gaussian", "a-b.c:gaussian@12"])
def test_every_way_to_write_a_name_is_taken(schema: Schema, use: str) -> None:
    latent = schema["definitions"]["latent"]
    marked, chosen = latent["allOf"][0], latent["allOf"][2]

    assert chosen["then"] == {"$ref": "#/definitions/latent.gaussian"}
    assert re.search(chosen["if"]["properties"]["use"]["pattern"], use)
    if re.search(marked["if"]["properties"]["use"]["pattern"], use):
        assert re.search(marked["then"]["properties"]["use"]["pattern"], use)
    else:
        assert use in marked["else"]["properties"]["use"]["enum"]


def test_an_old_name_is_known(host: PluginHost) -> None:
    host.registry.add("latent", "bell", build="nowhere:Bell", aliases=("normal",), summary="a bell")
    latent = recipe_schema(host)["definitions"]["latent"]

    assert "normal" in latent["allOf"][0]["else"]["properties"]["use"]["enum"]
    assert any(
        re.search(each["if"]["properties"]["use"]["pattern"], "normal") for each in latent["allOf"]
    )


def test_it_says_what_it_was_made_of(host: PluginHost) -> None:
    host.records += [
        PluginRecord("bare", "bare", "", ""),
        PluginRecord("bad", "bad", "", "9", status="failed"),
    ]

    made = made_of(host)

    assert recipe_schema(host)["$comment"] == made
    assert re.fullmatch(r"format 1; gan-toolkit [\d.]+; plugins: bare, infogan 0\.1\.0", made)
    assert made_of(PluginHost()).endswith("plugins: none")
