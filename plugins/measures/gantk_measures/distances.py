"""How far apart two sets of features lie: Fréchet and kernel distance.

N real and M generated samples of D features.
"""

from __future__ import annotations

import numpy as np

from gantk_measures.statistics import Numbers

BLOCKS = 10


def frechet(real: Numbers, generated: Numbers) -> float:
    """Return the squared Fréchet distance of normals fitted to (N, D) and (M, D), at least 0.

    Heusel et al. 2017 (arXiv 1706.08500), equation 6: |m - m'|^2 + `normals_apart` of the
    covariances. Of finite sets it is too large, by about as much as two sets of that size from
    one distribution are apart: compare values of equal N and M only.
    """
    gap = real.mean(axis=0) - generated.mean(axis=0)
    covariances = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (real, generated))
    return float(gap @ gap) + normals_apart(*covariances)


def normals_apart(first: Numbers, second: Numbers) -> float:
    """Return the squared Wasserstein distance of two centred normals of given covariance (D, D).

    tr (A + B - 2 (A^1/2 B A^1/2)^1/2), at least 0. That product is symmetric, so that its root is
    real; the root of A B may come out complex.
    """
    values, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0))
    return max(float(np.trace(first) + np.trace(second) - 2 * roots.sum()), 0.0)


def kernel_distance(real: Numbers, generated: Numbers) -> float:
    """Return the unbiased squared maximum mean discrepancy of (N, D) and (M, D).

    Bińkowski et al. 2018 (arXiv 1801.01401): kernel (x · y / D + 1)^3, no sample paired with
    itself. Of two sets from one distribution the mean is 0, so that half of the values are
    negative.
    """
    within = (_mean_of_pairs(_kernel(part, part)) for part in (real, generated))
    return float(sum(within) - 2 * _kernel(real, generated).mean())


def kernel_distances(real: Numbers, generated: Numbers, blocks: int = BLOCKS) -> Numbers:
    """Return the kernel distance of disjoint blocks of N rows of both, (blocks,).

    Blocks share no sample, so that their spread says how far the mean may be off.
    """
    parts = (np.array_split(part, blocks) for part in (real, generated))
    return np.array([kernel_distance(*pair) for pair in zip(*parts, strict=True)])


def _kernel(first: Numbers, second: Numbers) -> Numbers:
    kernel: Numbers = (first @ second.T / first.shape[1] + 1) ** 3
    return kernel


def _mean_of_pairs(kernel: Numbers) -> float:
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))
