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
    DiversityOptions,
    ExplainedOptions,
    FactorVaeOptions,
    IndependenceOptions,
    InfomecOptions,
    MigOptions,
    ModeCoverageOptions,
    ModesOptions,
    SampleQualityOptions,
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
        "sample_quality",
        "quality:SampleQuality",
        SampleQualityOptions,
        "how far samples are from real ones, in features that are named",
    ),
    (
        "diversity",
        "diversity:Diversity",
        DiversityOptions,
        "how alike generated images are to each other, beside real ones",
    ),
    (
        "mode_coverage",
        "mode_coverage:ModeCoverage",
        ModeCoverageOptions,
        "which joint values of discrete factors, or labels, the samples have",
    ),
    (
        "activeness",
        "activeness:Activeness",
        ActivenessOptions,
        "how far a sample moves when one code is set to another value",
    ),
)


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
        )
