"""What the reader's side compares: codes read off real samples, beside what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from torch import Tensor

from gan_toolkit import Batch, Dataset, Latent, LatentSpace, Score, View
from gantk_measures import cautions
from gantk_measures.anchors import ANCHORS, Anchor, Scores, Values, by_score, told, values_by
from gantk_measures.codes import (
    column_names,
    factor_place,
    factors_of,
    kind_of,
    members,
    scored_factors,
)
from gantk_measures.effort import samples_for
from gantk_measures.guard import broken
from gantk_measures.nothing import nothing
from gantk_measures.reading import LEAST, Reading, Unreadable, reading_of
from gantk_measures.variables import Variable

SAMPLES = 20_000


class KnownFactors:
    """The factors of a data set that codes are held against: the named ones, or all scored."""

    def __init__(self, data: Dataset, names: Sequence[str]) -> None:
        for name in names if data.factors else []:
            factor_place(data, name)
        self._names = names

    def of(self, data: Dataset, batch: Batch) -> Sequence[Variable]:
        """Return their values in a batch; Unreadable if there are none."""
        places = scored_factors(data, self._names if data.factors else [])
        if not places or batch.factors is None:
            raise Unreadable(f"the data set {data.name!r} has no known factors to score")
        return factors_of(batch, places)


class RealCodes:
    """Which codes to read off how many real samples, held-out ones where the data set has them.

    All measures that ask for as many samples see the same ones.
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: Sequence[str],
        samples: int | None,
        factors: KnownFactors | None = None,
    ) -> None:
        self._codes, self._samples, self._factors = members(latents, codes), samples, factors

    def score(
        self,
        view: View,
        headline: str,
        of: Scores,
        anchors: Sequence[Anchor] = ANCHORS,
        values: Values | None = None,
    ) -> list[Score]:
        """Return the scores of what is read; they are void if a factor is constant.

        The first one lists dead codes and constant factors. With nothing to compare there is one
        void score, `headline`. What `anchors` get is found by `values`, as far as it has a name of
        a score; without it as the scores are, and each costs as much.
        """
        try:
            reading = self.read(view)
            scores = of(view, reading)
        except Unreadable as reason:
            return [nothing(headline, str(reason))]
        known = by_score(self._known_readers(view, reading, anchors), values or values_by(of))
        first, *rest = [told(score, known.get(score.name, {}), reading) for score in scores]
        dead = cautions.dead([code.name for code in reading.dead])
        first = replace(first, warnings=(*first.warnings, *dead))
        split = "held-out" if view.data.held_out() is not None else "training"
        return [replace(each, split=split) for each in reading.listed(first, *rest)]

    def _known_readers(
        self, view: View, reading: Reading, anchors: Sequence[Anchor]
    ) -> Iterator[tuple[Anchor, View, Reading]]:
        """Yield what readers of whom one knows what they can give read of the same samples."""
        untrained = view.untrained() if "untrained" in anchors else None
        if untrained is not None:
            with suppress(Unreadable):  # before training every code may be dead
                yield "untrained", untrained, self.read(untrained)
        if "oracle" in anchors and reading.factors:
            yield "oracle", view, replace(reading, codes=reading.factors, dead=())

    def read(self, view: View) -> Reading:
        """Return the reading of a view; Unreadable if there is nothing to compare."""
        held_out = view.data.held_out() is not None
        count = samples_for(view, self._samples, SAMPLES)
        batch, raw = view.read_real(count, held_out=held_out)
        if len(batch.samples) < LEAST:
            raise Unreadable(f"only {len(batch.samples)} real samples; at least {LEAST}")
        factors = self._factors.of(view.data, batch) if self._factors else []
        which = "held-out" if held_out else "training"
        return reading_of(
            self._variables(view, raw),
            factors,
            f"q(c|x) on {len(batch.samples)} real {which} samples",
            where="real samples",
        )

    def _variables(self, view: View, raw: Mapping[str, Tensor]) -> list[Variable]:
        if not view.inferable:
            raise Unreadable("no code is inferred")
        chosen = self._codes or list(view.inferable)
        if silent := [code for code in chosen if code not in view.inferable]:
            raise Unreadable(f"not inferred: {', '.join(silent)}")
        return [
            variable
            for code in chosen
            for variable in variables_of(code, view.space[code], raw[code])
        ]


def variables_of(name: str, latent: Latent, raw: Tensor) -> list[Variable]:
    """Return what raw outputs (N, posterior_width) say of a code, a variable per column.

    Columns of a code of several numbers are named `code[0]`, `code[1]`, …; Unreadable if any raw
    output is not finite.
    """
    refuse_broken(name, raw)
    kind, columns = kind_of(latent), latent.estimate(raw).double().numpy().T
    alone = latent.discrete and len(columns) == 1
    chances = latent.posterior(raw).mean.double().numpy() if alone else None
    return [
        Variable(each, kind, column, chances)
        for each, column in zip(column_names(name, len(columns)), columns, strict=True)
    ]


def refuse_broken(name: str, raw: Tensor) -> None:
    """Raise Unreadable if any raw output (N, W) of a code is not finite."""
    if lost := broken(raw):
        raise Unreadable(f"what is read of {name} is not finite for {lost} of {len(raw)}")
