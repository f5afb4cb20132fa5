"""Materials of models: Wavefront MTL files to one grey each, and the lines OBJ and MTL share."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from gan_toolkit import DataError
from gantk_worlds.mesh_files import MeshFiles

PLAIN = 0.7
"""Grey of what has no material."""
_LUMA = (0.299, 0.587, 0.114)
_LARGEST_COLOUR = 1e6
_LARGEST_TEXTURE = 1 << 25  # pixels
LONGEST_NAME = 1000
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TGA")


def read_mtl(files: MeshFiles, name: str) -> dict[str, float]:
    """Return the grey of each material: the mean of its texture, or else its diffuse colour.

    DataError naming file and line if one of them can't be read. A texture that is not among
    `files` does not count.
    """
    greys: dict[str, float] = {}
    textures: dict[str, float] = {}
    textured = set()
    material = ""
    for line, word, rest in commands(files.read(name)):
        if word == "newmtl":
            material = rest
            greys.setdefault(material, PLAIN)
        elif word == "Kd" and material not in textured:
            greys[material] = _diffuse(rest, f"{files.path}: {name}:{line}")
        elif word == "map_Kd" and (found := _texture_named(files, name, rest)):
            if found not in textures:
                textures[found] = _mean(files, found)
            greys[material] = textures[found]
            textured.add(material)
    return greys


def commands(data: bytes) -> Iterator[tuple[int, str, str]]:
    """Yield number, first word and rest of each line; a backslash at its end joins the next."""
    joined, start = "", 0
    # Line by line: a list of lines could be many times larger than the file.
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="latin-1", newline=None)
    for number, line in enumerate(map(str.rstrip, lines), start=1):
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        word, _, rest = (joined + line).replace("\t", " ").strip().partition(" ")
        if word:
            yield start, word, rest.strip()
        joined, start = "", 0


def shortened(text: str) -> str:
    """Return a text to be quoted in an error, however long it was."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _diffuse(text: str, place: str) -> float:
    words = text.split()[:3]
    if words and words[0] in {"spectral", "xyz"}:
        return PLAIN  # colours of a kind that nobody uses
    try:
        colour = [float(word) for word in words]
    except ValueError:
        colour = []
    # One number stands for all three. A comparison with NaN is false.
    if len(colour) not in {1, 3} or not all(abs(part) <= _LARGEST_COLOUR for part in colour):
        raise DataError(f"{place}: Kd {shortened(text)}: a colour is three numbers from 0 to 1")
    return _luma(colour if len(colour) == 3 else colour * 3)


def _texture_named(files: MeshFiles, name: str, text: str) -> str | None:
    # Options may stand before the name, and the name may hold blanks.
    words = text[:LONGEST_NAME].split()
    names = (files.near(name, " ".join(words[place:])) for place in range(len(words)))
    return next(filter(None, names), None)


def _mean(files: MeshFiles, name: str) -> float:
    data = io.BytesIO(files.read(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of files it doesn't trust
            with Image.open(data, formats=_FORMATS) as image:
                if image.width * image.height > _LARGEST_TEXTURE:
                    raise ValueError(f"{image.width:,} x {image.height:,} pixels are too many")
                image.draft("RGB", (64, 64))
                pixels = np.asarray(image.convert("RGBA"), np.float64)
    except Exception as error:  # damaged bytes make decoders raise almost anything
        raise DataError(f"{files.path}: {name} can't be read as a texture: {error}") from error
    return _luma((pixels[..., :3].mean(axis=(0, 1)) / 255).tolist())


def _luma(colour: list[float]) -> float:
    grey = sum(weight * part for weight, part in zip(_LUMA, colour, strict=True))
    return min(max(grey, 0.0), 1.0)
