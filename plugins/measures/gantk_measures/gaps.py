"""What follows from the information between codes and factors.

`information` is (J, K), code by factor, in nats; `entropies` is H(factor), (K,). Every function
takes any J and K; where a second code or factor is missing, its information is 0.
"""

from __future__ import annotations

import numpy as np

from gantk_measures.statistics import Indices, Numbers

INFORMS = 1e-9
"""Nats up to which a code informs of nothing: what is left of rounding."""


def informative(information: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which codes inform of any factor, (J,)."""
    return information.max(axis=1, initial=0.0) > INFORMS


def mig(information: Numbers, entropies: Numbers) -> Numbers:
    """Return the mutual information gap of each factor, (K,); their mean is MIG.

    [I of the best code - I of the second] / H(factor) (Chen et al. 2018, equation 8). It does not
    see a best code that carries other factors as well, see `dcimig`.
    """
    best, second = _two_largest(information.T)
    return (best - second) / entropies


def mig_sup(information: Numbers, entropies: Numbers) -> Numbers:
    """Return the gap of each code over factors of I / H(factor), (J,) (Li et al. 2020)."""
    best, second = _two_largest(information / entropies)
    return best - second


def dcimig(information: Numbers, entropies: Numbers) -> float:
    """Return the gaps of codes over factors, the best one for each factor, over the sum of H.

    3CharM of Sepliarskaia et al. 2019. A factor that no code prefers contributes nothing.
    """
    best, second = _two_largest(information)
    gained = np.zeros(len(entropies))
    np.maximum.at(gained, information.argmax(axis=1), best - second)
    return float(gained.sum() / entropies.sum())


def jemmig(shared: Numbers, codes: Numbers, factors: Numbers, bins: Indices) -> Numbers:
    """Return 1 - JEMMIG / (H(factor) + log bins) of each factor, (K,): 1 is best, 0 is worst.

    JEMMIG = H(best code, factor) - I of the best + I of the second (Do and Tran 2020, section 5.2;
    lower is better). The joint entropy charges a code for what else it carries. `shared` is (J, K),
    `codes` H(code) (J,), `bins` the levels of each code (J,): a category has its own number.
    """
    best, second = _two_largest(shared.T)
    chosen = shared.argmax(axis=0)
    joint = codes[chosen] + factors - best
    return 1 - (joint - best + second) / (factors + np.log(bins[chosen]))


def modularity(information: Numbers) -> Numbers:
    """Return 1 - sum of other I^2 / (best I^2 (K - 1)) of each code, (J,) (Ridgeway, Mozer 2018).

    NaN for a code that informs of nothing: it is neither modular nor not, and is to be named.
    Needs two factors.
    """
    squares = np.where(informative(information)[:, None], information, np.nan) ** 2
    best = squares.max(axis=1)
    return 1 - (squares.sum(axis=1) - best) / (best * (information.shape[1] - 1))


def infom(normalised: Numbers) -> float:
    """Return InfoM of I / H(factor), (J, K): does each code inform of one factor only?

    (mean over codes of largest / sum - 1/K) / (1 - 1/K), Hsu et al. 2023; codes that inform of
    nothing are left out. 1 is best, 0 means every code informs of all factors alike; NaN when K
    is 1 or no code informs.
    """
    live = normalised[informative(normalised)]
    return _concentration(live)


def infoc(normalised: Numbers) -> float:
    """Return InfoC of I / H(factor), (J, K): is each factor in one code only? See `infom`.

    NaN when there is one code, or no factor is in any.
    """
    live = normalised[informative(normalised)].T
    return _concentration(live[informative(live)])


def _concentration(rows: Numbers) -> float:
    if not len(rows) or rows.shape[1] < 2:
        return float("nan")
    even = 1 / rows.shape[1]
    return float(((rows.max(axis=1) / rows.sum(axis=1)).mean() - even) / (1 - even))


def _two_largest(rows: Numbers) -> tuple[Numbers, Numbers]:
    """Return the largest and second largest of each row; 0 where there are not so many."""
    padded = np.pad(rows, ((0, 0), (0, 2)))
    ordered = np.sort(padded, axis=1)
    return ordered[:, -1], ordered[:, -2]
