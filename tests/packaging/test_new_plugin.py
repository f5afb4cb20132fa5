"""A plugin that the installed wheel wrote, from templates it must bring, installed in its turn."""

from __future__ import annotations

import json

import pytest

from gan_toolkit.registry import KINDS

pytestmark = pytest.mark.slow


def test_a_new_plugin_is_installed_passes_its_tests_and_runs(installed, tmp_path):
    kinds = ",".join(KINDS)
    few = ("--steps", "3", "--set", "measures.bound.samples=250")

    name = installed.gantk("plugins", "new", "wave", "--kinds", kinds, here=tmp_path).strip()
    installed.install(str(tmp_path / name), here=tmp_path)
    installed.python("-m", "pytest", "-q", "-p", "no:cacheprovider", here=tmp_path / name)
    checked = installed.gantk("plugins", "check", "wave", "--json", here=tmp_path)
    last = installed.gantk("run", "wave:wave", *few, here=tmp_path).splitlines()[-1]

    assert {finding["outcome"] for finding in json.loads(checked)} == {"ok", "skipped"}
    assert (tmp_path / last / "model.safetensors").is_file()
