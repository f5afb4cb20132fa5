"""Which of several runs to keep, without labels: the arithmetic of UDR and ModelCentrality.

Matrices in, scores out; `udr` and `centrality` fill the matrices.
"""

from __future__ import annotations

import numpy as np

from gantk_measures.statistics import Numbers


def udr_pair(similarity: Numbers) -> float:
    """Return how far the codes of two runs are each other's, up to order: 1 is best.

    Duan et al. 2019, averaged as their code does it. `similarity` (A, B) is not negative:
    |Spearman| or |Lasso coefficient| between codes of run A and of run B, dead codes dropped. Half
    the mean over columns, plus half the mean over rows, of largest^2 / sum.
    """
    return float((_singled_out(similarity) + _singled_out(similarity.T)) / 2)


def _singled_out(rows: Numbers) -> float:
    sums = rows.sum(axis=1)
    largest = rows.max(axis=1) ** 2
    return float(np.divide(largest, sums, out=np.zeros(len(sums)), where=sums > 0).mean())


def udr(pairs: Numbers) -> Numbers:
    """Return the score of each of M runs from `udr_pair` of each two, (M, M): the median."""
    return np.array([np.median(np.delete(row, place)) for place, row in enumerate(pairs)])


def model_centrality(agreement: Numbers) -> Numbers:
    """Return the score of each of M runs, (M,); the largest is the one to keep (Lin et al. 2020).

    `agreement` [i, j] is the FactorVAE score of run i's reader on run j's samples, whose codes are
    the factors; the diagonal is not read. The mean over others of both directions.
    """
    both = (agreement + agreement.T) / 2
    np.fill_diagonal(both, 0.0)
    return both.sum(axis=1) / (len(both) - 1)
