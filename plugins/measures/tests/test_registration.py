from __future__ import annotations

import inspect

import gantk_measures
from gan_toolkit import Registry

FACTS = {"latents", "data", "name"}


KINDS = ("measure", "comparison")


def test_every_measure_is_offered_and_takes_its_options() -> None:
    registry = Registry()
    gantk_measures.gantk_register(registry)

    assert registry.names("comparison") == ["model_centrality", "udr"]

    assert registry.names("measure") == [
        "activeness",
        "audit",
        "bound",
        "classic",
        "clustering",
        "controllability",
        "dci",
        "diversity",
        "explained",
        "factor_vae",
        "generated_clustering",
        "independence",
        "infomec",
        "mig",
        "mode_coverage",
        "modes",
        "path_length",
        "sample_quality",
        "usage",
        "variation_predictability",
    ]
    for component in (component for kind in KINDS for component in registry.all(kind)):
        arguments = set(inspect.signature(component.load()).parameters)
        assert set(component.options.model_fields) == arguments - FACTS


def test_defaults_of_options_and_classes_agree() -> None:
    registry = Registry()
    gantk_measures.gantk_register(registry)

    for component in (component for kind in KINDS for component in registry.all(kind)):
        arguments = inspect.signature(component.load()).parameters
        for name, field in component.options.model_fields.items():
            if arguments[name].default is not inspect.Parameter.empty:
                assert arguments[name].default == field.default
