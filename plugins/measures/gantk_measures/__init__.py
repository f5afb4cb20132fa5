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
    ControllabilityOptions,
    DciOptions,
    DiversityOptions,
    ExplainedOptions,
    FactorVaeOptions,
    GeneratedClusteringOptions,
    IndependenceOptions,
    InfomecOptions,
    MigOptions,
    ModeCoverageOptions,
    ModelCentralityOptions,
    ModesOptions,
    PathLengthOptions,
    SampleQualityOptions,
    UdrOptions,
    UsageOptions,
    VariationOptions,
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
        "generated_clustering",
        "generated_clustering:GeneratedClustering",
        GeneratedClusteringOptions,
        "whether the categories of a code are the labels a classifier gives the samples",
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
        "controllability",
        "controllability:Controllability",
        ControllabilityOptions,
        "MIG and DCI of the generator: whether each factor of its samples is set by one code",
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
    (
        "path_length",
        "path_length:PathLength",
        PathLengthOptions,
        "how fast samples change on the way between two draws of a latent",
    ),
    (
        "variation_predictability",
        "variation:VariationPredictability",
        VariationOptions,
        "whether a pair of samples shows which code was changed",
    ),
)

_COMPARISONS = (
    (
        "udr",
        "udr:Udr",
        UdrOptions,
        "whether runs that learn apart read the same codes off real samples, up to order",
    ),
    (
        "model_centrality",
        "centrality:ModelCentrality",
        ModelCentralityOptions,
        "whether runs that learn apart read the codes of each other's samples",
    ),
)

_TRIALS: dict[str, dict[str, object]] = {
    "audit": {"samples": 100, "epochs": 1},
    "controllability": {"real": 200, "steps": 10, "samples": 200},
    "dci": {"samples": 200, "regressor": "extra_trees"},
    "diversity": {"real": 200, "steps": 10, "samples": 100},
    "explained": {"real": 200, "steps": 10, "samples": 200},
    "generated_clustering": {"real": 200, "steps": 10, "samples": 100},
    "infomec": {"samples": 200},
    "mode_coverage": {"real": 200, "steps": 10, "samples": 200},
    "model_centrality": {"samples": 1_000, "votes": 20, "images": 10},
    "path_length": {"samples": 100},
    "sample_quality": {"real": 200, "steps": 10, "samples": 200},
    "udr": {"samples": 200},
    "variation_predictability": {"pairs": 100, "epochs": 1},
}
"""What checks build the measures with that train something, so that they are quick."""


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the measures of one run, and the comparisons of several."""
    for kind, offered in (("measure", _MEASURES), ("comparison", _COMPARISONS)):
        for name, build, options, summary in offered:
            registry.add(
                kind,
                name,
                options=options,
                build=f"gantk_measures.{build}",
                summary=summary,
                trial=_TRIALS.get(name),
            )
