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


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the measures."""
    registry.add(
        "measure",
        "bound",
        options=BoundOptions,
        build="gantk_measures.bound:Bound",
        summary="nats of each code that can be read back from the samples",
    )
    registry.add(
        "measure",
        "clustering",
        options=ClusteringOptions,
        build="gantk_measures.clustering:Clustering",
        summary="whether the categories of a code are the labels of real data",
    )
    registry.add(
        "measure",
        "explained",
        options=ExplainedOptions,
        build="gantk_measures.explained:Explained",
        summary="share of each known factor of the data that a code decides",
    )
    registry.add(
        "measure",
        "modes",
        options=ModesOptions,
        build="gantk_measures.modes:Modes",
        summary="clusters of points that are covered, and which code chose them",
    )
    registry.add(
        "measure",
        "mig",
        options=MigOptions,
        build="gantk_measures.mig:Mig",
        summary="whether each known factor is in one code, and each code about one factor",
    )
    registry.add(
        "measure",
        "dci",
        options=DciOptions,
        build="gantk_measures.dci:Dci",
        summary="how much models that predict the factors use which code",
    )
    registry.add(
        "measure",
        "factor_vae",
        options=FactorVaeOptions,
        build="gantk_measures.factor_vae:FactorVae",
        summary="whether holding a factor holds one code",
    )
    registry.add(
        "measure",
        "infomec",
        options=InfomecOptions,
        build="gantk_measures.infomec:Infomec",
        summary="modularity, compactness and explicitness of mixed codes, by information",
    )
    registry.add(
        "measure",
        "classic",
        options=ClassicOptions,
        build="gantk_measures.classic:Classic",
        summary="BetaVAE, SAP, modularity, explicitness and IRS, to compare with older tables",
    )
    registry.add(
        "measure",
        "independence",
        options=IndependenceOptions,
        build="gantk_measures.independence:Independence",
        summary="what the codes share on real data; asks for no factors",
    )
    registry.add(
        "measure",
        "audit",
        options=AuditOptions,
        build="gantk_measures.audit:Audit",
        summary="nats of each code that a fresh classifier finds, and finds in spoilt images",
    )
    registry.add(
        "measure",
        "usage",
        options=UsageOptions,
        build="gantk_measures.usage:Usage",
        summary="whether real data uses the codes as the prior does; which codes are dead",
    )
    registry.add(
        "measure",
        "activeness",
        options=ActivenessOptions,
        build="gantk_measures.activeness:Activeness",
        summary="how far a sample moves when one code is set to another value",
    )
