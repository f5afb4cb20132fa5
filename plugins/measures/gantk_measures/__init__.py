"""Measures: what a generator's codes mean, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_measures.options import (
    ActivenessOptions,
    AuditOptions,
    BoundOptions,
    ClassicOptions,
    ClusteringOptions,
    DciOptions,
    ExplainedOptions,
    FactorVaeOptions,
    IndependenceOptions,
    InfomecOptions,
    MigOptions,
    ModesOptions,
    UsageOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry

_MEASURES = (
    (
        "bound",
        "bound:Bound",
        BoundOptions,
        "nats of each code that can be read back from the samples",
    ),
    (
        "clustering",
        "clustering:Clustering",
        ClusteringOptions,
        "whether the categories of a code are the labels of real data",
    ),
    (
        "explained",
        "explained:Explained",
        ExplainedOptions,
        "share of each known factor of the data that a code decides",
    ),
    (
        "modes",
        "modes:Modes",
        ModesOptions,
        "clusters of points that are covered, and which code chose them",
    ),
    (
        "mig",
        "mig:Mig",
        MigOptions,
        "whether each known factor is in one code, and each code about one factor",
    ),
    (
        "dci",
        "dci:Dci",
        DciOptions,
        "how much models that predict the factors use which code",
    ),
    (
        "factor_vae",
        "factor_vae:FactorVae",
        FactorVaeOptions,
        "whether holding a factor holds one code",
    ),
    (
        "infomec",
        "infomec:Infomec",
        InfomecOptions,
        "modularity, compactness and explicitness of mixed codes, by information",
    ),
    (
        "classic",
        "classic:Classic",
        ClassicOptions,
        "BetaVAE, SAP, modularity, explicitness and IRS, to compare with older tables",
    ),
    (
        "independence",
        "independence:Independence",
        IndependenceOptions,
        "what the codes share on real data; asks for no factors",
    ),
    (
        "audit",
        "audit:Audit",
        AuditOptions,
        "nats of each code that a fresh classifier finds, and finds in spoilt images",
    ),
    (
        "usage",
        "usage:Usage",
        UsageOptions,
        "whether real data uses the codes as the prior does; which codes are dead",
    ),
    (
        "activeness",
        "activeness:Activeness",
        ActivenessOptions,
        "how far a sample moves when one code is set to another value",
    ),
)

_TRIALS: dict[str, dict[str, object]] = {
    "audit": {"samples": 100, "epochs": 1},
    "dci": {"samples": 200, "regressor": "extra_trees"},
    "explained": {"real": 200, "steps": 10, "samples": 200},
    "infomec": {"samples": 200},
}
"""What checks build the measures with that train something, so that they are quick."""


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the measures."""
    for name, build, options, summary in _MEASURES:
        registry.add(
            "measure",
            name,
            options=options,
            build=f"gantk_measures.{build}",
            summary=summary,
            trial=_TRIALS.get(name),
        )
