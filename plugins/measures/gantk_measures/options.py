"""What a recipe may write in the table of a measure. Light: no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gan_toolkit import Options, Reference

Count = Annotated[int, Field(ge=100, le=1_000_000)]
ByEffort = Count | None
"""Absent: a usual number, a fifth of it with `--fast`, five times as many with `--full`."""


class AuditOptions(Options):
    """Options of `audit`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to look for, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Fresh samples to train on, a quarter as many to validate and half to test; absent: 20,000,
    with `--fast` 5,000, with `--full` 40,000."""
    epochs: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Most passes over them; absent: 5, with `--fast` 2, with `--full` 8."""


class BoundOptions(Options):
    """Options of `bound`."""

    samples: ByEffort = None
    """Fresh samples the bound is averaged over; absent: 10,000, or as the effort says."""


class ClusteringOptions(Options):
    """Options of `clustering`."""

    samples: ByEffort = None
    """Real samples to read, held-out ones where the data set has them, at most all; absent: 10,000,
    or as the effort says."""


Features = Literal["auto", "points", "taught", "untaught"]


class JudgedOptions(Options):
    """What the measures share that look at samples through a network taught by real ones."""

    real: Count = 20_000
    """Real samples the probe learns from; at most all."""
    steps: Annotated[int, Field(ge=10, le=100_000)] | None = None
    """Training steps of the probe, 128 samples each, about 25 ms a step for 32 pixels; absent:
    1,200, with `--fast` 400, with `--full` 2,400."""


class SampleQualityOptions(JudgedOptions):
    """Options of `sample_quality`."""

    samples: ByEffort = None
    """Generated samples, compared with as many real ones; at most as many as there are unseen;
    absent: 5,000, or as the effort says."""
    features: Features = "auto"
    """Where samples are compared: in their coordinates (points), in the features of a network
    taught the factors or labels, or of one with random weights; `auto`: the first that applies."""
    neighbours: Annotated[int, Field(ge=1, le=100)] = 5
    """Nearest others up to which the ball around a sample reaches."""


class DiversityOptions(JudgedOptions):
    """Options of `diversity`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Discrete latents within whose categories pairs are compared; empty: all that are inferred."""
    samples: ByEffort = None
    """Generated samples, half as many pairs; absent: 4,000, or as the effort says."""
    features: Features = "auto"
    """What tells whether the samples are data-like at all; as in `sample_quality`."""


class ModeCoverageOptions(JudgedOptions):
    """Options of `mode_coverage`."""

    factors: list[str] = Field(default_factory=list)
    """Discrete factors whose joint values are the modes; empty: all that are scored, or else the
    labels."""
    samples: ByEffort = None
    """Fresh samples; absent: 26,000, or as the effort says."""
    reliable: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Least accuracy of the probe, for each factor, on real samples it has not seen; below it, all
    is void."""


class ExplainedOptions(JudgedOptions):
    """Options of `explained`."""

    factors: list[str] = Field(default_factory=list)
    """Factors of the data set to measure; empty: all that are scored."""
    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to compare them with, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Generated samples; absent: 5,000, or as the effort says."""
    reliable: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Least quality of the probe on real samples it has not seen (R2, or accuracy); below it, the
    factor's scores are void."""


class ModesOptions(Options):
    """Options of `modes`."""

    samples: ByEffort = None
    """Fresh samples; absent: 10,000, or as the effort says."""
    factor: str = "mode"
    """The discrete factor that tells which cluster a real point belongs to."""
    within: Annotated[float, Field(gt=0, le=100)] = 3.0
    """Standard deviations from the nearest centre up to which a sample is good."""
    least: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of its frequency in the data at which a mode counts as covered."""


Bins = Annotated[int, Field(ge=2, le=1_000)]
Protocol = Literal["gantk", "dlib", "infogan-cr"]


class RealCodesOptions(Options):
    """What the measures that read codes off real samples share."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to read, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Real samples to read, held-out ones where the data set has them, at most all; absent: 20,000,
    or as the effort says."""


class FactorsOptions(RealCodesOptions):
    """What the measures that hold such codes against factors share."""

    factors: list[str] = Field(default_factory=list)
    """Factors of the data set to measure; empty: all that are scored."""


class MigOptions(FactorsOptions):
    """Options of `mig`."""

    bins: Bins = 20
    """Bins of codes and factors that are numbers or angles; categories are never binned."""
    binning: Literal["width", "quantile"] = "width"
    """Bins of equal width, as in published tables, or of equal frequency, which withstand
    outliers."""
    protocol: Literal["gantk", "dlib"] = "gantk"
    """Ours, or that of disentanglement_lib: 10,000 samples where `samples` says nothing, and 20
    bins of equal width."""

    @model_validator(mode="after")
    def _bins_are_those_of_the_protocol(self) -> MigOptions:
        if self.protocol == "dlib" and (self.bins, self.binning) != (20, "width"):
            raise ValueError("the protocol dlib has 20 bins of equal width")
        return self


class DciOptions(FactorsOptions):
    """Options of `dci`."""

    regressor: Literal["gradient_boosting", "extra_trees"] | None = None
    """What predicts the factors; values are only comparable under the same one. Boosting, as in
    published tables, takes minutes when factors have many values; extra trees take seconds.
    Absent: extra trees, with `--full` boosting."""
    protocol: Literal["gantk", "dlib"] = "gantk"
    """Ours, or that of disentanglement_lib: boosting, fitted to 10,000 samples and judged on 5,000,
    with dead codes among the columns."""

    @model_validator(mode="after")
    def _regressor_is_that_of_the_protocol(self) -> DciOptions:
        if self.protocol == "dlib" and self.regressor == "extra_trees":
            raise ValueError("the protocol dlib has the regressor gradient_boosting")
        return self


class ControllabilityOptions(JudgedOptions):
    """Options of `controllability`."""

    factors: list[str] = Field(default_factory=list)
    """Factors of the data set to measure; empty: all that are scored."""
    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to hold against them, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Generated samples; absent: 10,000, or as the effort says."""
    bins: Bins = 20
    """Bins of codes and factors that are numbers or angles; categories are never binned."""
    binning: Literal["width", "quantile"] = "width"
    """Bins of equal width, as in published tables, or of equal frequency."""
    regressor: Literal["gradient_boosting", "extra_trees"] = "extra_trees"
    """What predicts the factors for D, C and I; values are only comparable under the same one."""
    reliable: Annotated[float, Field(ge=0, le=1)] = 0.95
    """Least quality of the probe on real samples it has not seen (R2, or accuracy); one factor
    below it voids the aggregates."""


class FactorVaeOptions(FactorsOptions):
    """Options of `factor_vae`."""

    bins: Bins = 20
    """Bins within which a factor that is a number or an angle counts as held."""
    protocol: Protocol = "gantk"
    """Samples a vote, votes, pruning: ours, or those of disentanglement_lib or InfoGAN-CR."""


class GeneratedClusteringOptions(JudgedOptions):
    """Options of `generated_clustering`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Discrete latents to name, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Generated samples of each category; absent: 1,000, or as the effort says."""
    reliable: Annotated[float, Field(ge=0, le=1)] = 0.95
    """Least accuracy of the classifier on real samples it has not seen; below it all scores are
    void."""


class InfomecOptions(FactorsOptions):
    """Options of `infomec`."""

    bins: Bins = 20
    """Bins of factors that are numbers or angles, and of codes that are angles."""


class ClassicOptions(FactorsOptions):
    """Options of `classic`."""

    bins: Bins = 20
    """Bins of codes and factors that are numbers or angles, where a score needs values."""
    protocol: Protocol = "gantk"
    """How the BetaVAE score is taken: ours (codes in units of their deviation), or as in
    disentanglement_lib or InfoGAN-CR."""


class IndependenceOptions(RealCodesOptions):
    """Options of `independence`."""

    bins: Bins = 20
    """Bins of codes that are numbers or angles."""


class UsageOptions(RealCodesOptions):
    """Options of `usage`."""


class UdrOptions(Options):
    """Options of `udr`."""

    samples: ByEffort = None
    """Real samples to read, held-out ones where the data set has them, at most all; absent: 20,000,
    or as the effort says."""
    similarity: Literal["spearman", "lasso"] = "spearman"
    """What two codes have in common: ranks, or the coefficients of a sparse linear model that
    predicts the one run's codes from the other's."""
    alpha: Annotated[float, Field(gt=0, le=10)] | None = None
    """Penalty of the sparse model, for `similarity = "lasso"` alone; absent: 0.1."""
    alive: Annotated[float, Field(ge=0, le=10)] = 0.01
    """Nats that a code must say of a sample, on average; below it, the code is left out."""

    @model_validator(mode="after")
    def _no_idle_penalty(self) -> Self:
        if self.alpha is not None and self.similarity != "lasso":
            raise ValueError('alpha has no effect without similarity = "lasso"')
        return self


class ModelCentralityOptions(Options):
    """Options of `model_centrality`."""

    samples: ByEffort = None
    """Samples that each run makes and all others read; absent: 5,000, or as the effort says."""
    images: Annotated[int, Field(ge=2, le=10_000)] = 64
    """Samples of a vote, which share the value of a code."""
    votes: Annotated[int, Field(ge=10, le=1_000_000)] = 1_000
    """Votes to learn what each code of the reader names; half as many more judge it."""
    bins: Bins = 10
    """Equally probable bins within which a code that is a number or an angle counts as held."""


class ActivenessOptions(Options):
    """Options of `activeness`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to move, groups or members; empty: all that are inferred. Noise may be named too."""
    bases: Annotated[int, Field(ge=2, le=10_000)] = 64
    """Samples from which each code is moved."""


class VariationOptions(Options):
    """Options of `variation_predictability`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to tell apart, groups or members; empty: all that are inferred."""
    pairs: ByEffort = None
    """Pairs of samples, half of them to train on; absent: 4,000, or as the effort says."""
    epochs: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Most passes over the pairs to train on."""


class PathLengthOptions(JudgedOptions):
    """Options of `path_length`."""

    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to move, groups or members, none of them discrete; empty: all that are not, noise
    too."""
    samples: ByEffort = None
    """Paths of each, two samples a path; absent: 2,000, or as the effort says."""
    distance: Literal["pixels", "features"] = "pixels"
    """Squared distance of samples, or of what a probe trained on factors or labels makes of
    them."""
