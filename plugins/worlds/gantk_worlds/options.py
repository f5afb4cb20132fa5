"""What a recipe may say about each world."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gan_toolkit import Options, RecipePath

Azimuths = Literal["continuous", "31"]
Elevations = Literal["two", "continuous"]
Licence = Literal["any", "cc0"]
_MOST = 10_000_000  # all factors are drawn at once: some hundred bytes of memory a sample
Count = Annotated[int, Field(ge=1, le=_MOST)]
HeldOut = Annotated[int, Field(ge=0, le=_MOST)]
Seed = Annotated[int, Field(ge=0)]
Spread = Annotated[float, Field(ge=0)]
Look = Literal["scored", "mnist"]


class ChairsOptions(Options):
    """Options of `chairs`; all but `source`, `root` and `size` concern rendered chairs only."""

    source: Literal["auto", "real", "meshes", "synthetic"] = "auto"
    """The real renders, other people's models rendered here, or chairs made up and rendered here;
    auto: real if their files are found, else synthetic."""
    root: RecipePath | None = None
    """Folder of the real renders, or of `chair_meshes`; without it `GANTK_DATA`, else `data`."""
    licence: Licence = "any"
    """Which models may be used if the source is meshes: any, or only those under CC0."""
    size: Annotated[int, Field(ge=16, le=256)] = 64
    """Height and width of the samples in pixels."""
    count: Count = 20_000
    """How many chairs to render for training."""
    held_out: HeldOut = 2_000
    """How many more to render for measures; training never sees them."""
    seed: Seed = 0
    """Which chairs; the seed of the run does not change the data."""
    ss: Annotated[int, Field(ge=1, le=8)] = 2
    """Chairs are drawn so many times larger and averaged."""
    azimuths: Azimuths = "continuous"
    """Any angle of the full turn, or the 31 of the real set."""
    elevations: Elevations = "two"
    """20 or 30 degrees, as in the real set, or anything between."""
    models: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """Draw so many chairs once and show them in many poses; without it, each sample is a chair of
    its own."""
    free_width: bool = True
    """Whether each sample has a width of its own; false: a model keeps its width, as in the real
    set."""
    cache: RecipePath | None = None
    """Folder in which rendered chairs are kept; without it `GANTK_CACHE`, else the user's cache."""


class RoomsOptions(Options):
    """Options of `rooms`."""

    size: Annotated[int, Field(ge=16, le=256)] = 64
    """Height and width of the samples in pixels."""
    grid: bool = False
    """Whether to train on all 480,000 pictures, in the order of 3DShapes; else they are drawn."""
    count: Count | None = None
    """How many rooms to render for training; without it 20,000, or all of the grid."""
    held_out: HeldOut = 2_000
    """How many more to draw for measures. There are only 480,000 pictures: of these, 4 % are also
    among 20,000 for training, and all are in the grid."""
    seed: Seed = 0
    """Which rooms; the seed of the run does not change the data."""
    ss: Annotated[int, Field(ge=1, le=8)] = 2
    """Rooms are drawn so many times larger and averaged."""
    cache: RecipePath | None = None
    """Folder in which rendered rooms are kept; without it `GANTK_CACHE`, else the user's cache."""


class FacesOptions(Options):
    """Options of `faces`."""

    source: Literal["auto", "real", "synthetic"] = "auto"
    """The real renders, or faces rendered here; auto: real if its files are found."""
    root: RecipePath | None = None
    """Folder of the real set; without it `GANTK_DATA`, else `data`."""
    size: Annotated[int, Field(ge=16, le=256)] = 32
    """Height and width of the samples in pixels."""
    count: Count = 20_000
    """How many faces to render for training."""
    held_out: HeldOut = 2_000
    """How many more to render for measures; training never sees them."""
    seed: Seed = 0
    """Which faces; the seed of the run does not change the data."""
    ss: Annotated[int, Field(ge=1, le=8)] = 2
    """Faces are drawn so many times larger and averaged."""
    ground: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The grey behind the faces, from 0, black, to 1, white."""
    cache: RecipePath | None = None
    """Folder in which rendered faces are kept; without it `GANTK_CACHE`, else the user's cache."""


class ColourHeadsOptions(Options):
    """Options of `colour_heads`."""

    source: Literal["auto", "real", "synthetic"] = "auto"
    """CelebA, or heads rendered here; auto: real if its files are found."""
    root: RecipePath | None = None
    """Folder of the real set; without it `GANTK_DATA`, else `data`."""
    size: Annotated[int, Field(ge=16, le=256)] = 32
    """Height and width of the samples in pixels."""
    count: Count = 20_000
    """How many heads to render for training."""
    held_out: HeldOut = 2_000
    """How many more to render for measures; training never sees them."""
    seed: Seed = 0
    """Which heads; the seed of the run does not change the data."""
    ss: Annotated[int, Field(ge=1, le=8)] = 2
    """Heads are drawn so many times larger and averaged."""
    cache: RecipePath | None = None
    """Folder in which rendered heads are kept; without it `GANTK_CACHE`, else the user's cache."""


class RingOptions(Options):
    """Options of `ring`."""

    modes: Annotated[int, Field(ge=2, le=1_000)] = 8
    """How many clusters lie on the unit circle."""
    sigma: Spread = 0.02
    """Standard deviation of each coordinate within a cluster."""
    count: Count = 100_000
    """Points for training."""
    held_out: HeldOut = 10_000
    """Points that training never sees."""
    seed: Seed = 0
    """Which points; the seed of the run does not change the data."""


class GridOptions(Options):
    """Options of `grid`."""

    side: Annotated[int, Field(ge=2, le=100)] = 5
    """Clusters in a row; they span -1 to 1."""
    sigma: Spread = 0.0125
    """Standard deviation of each coordinate; papers use 0.05 on a grid from -4 to 4: the same."""
    count: Count = 100_000
    """Points for training."""
    held_out: HeldOut = 10_000
    """Points that training never sees."""
    seed: Seed = 0
    """Which points; the seed of the run does not change the data."""


class StrokesOptions(Options):
    """Options of `strokes`."""

    look: Look = "scored"
    """Rotation, width and thickness over wide ranges and scored, or all of them as in MNIST, known
    but not scored."""
    slant: bool = False
    """Whether digits also lean, as one more scored factor; with look "mnist" they always do."""
    count: Count = 60_000
    """How many digits to draw for training."""
    held_out: HeldOut = 10_000
    """How many more to draw for measures; training never sees them."""
    seed: Seed = 0
    """Which digits; the seed of the run does not change the data."""
    cache: RecipePath | None = None
    """Folder in which drawn digits are kept; without it `GANTK_CACHE`, else the user's cache."""


class HouseNumbersOptions(Options):
    """Options of `house_numbers`."""

    source: Literal["auto", "real", "synthetic"] = "auto"
    """SVHN, or house numbers drawn here; auto: real if its files are found."""
    root: RecipePath | None = None
    """Folder of the real set; without it `GANTK_DATA`, else `data`."""
    count: Count = 50_000
    """How many house numbers to draw for training."""
    held_out: HeldOut = 5_000
    """How many more to draw for measures; training never sees them."""
    seed: Seed = 0
    """Which house numbers; the seed of the run does not change the data."""
    cache: RecipePath | None = None
    """Folder in which drawn pictures are kept; without it `GANTK_CACHE`, else the user's cache."""


class SpritesOptions(Options):
    """Options of `sprites`."""

    size: Annotated[int, Field(ge=16, le=256)] = 64
    """Height and width of the samples in pixels."""
    count: Count | Literal["all"] = 50_000
    """How many sprites to draw at random for training; "all": each of the 737,280 combinations
    once, in the order of dSprites (3 GB at 64 pixels)."""
    held_out: HeldOut = 5_000
    """How many more to draw for measures, at random: some may equal one of training. With count
    "all" there are none."""
    seed: Seed = 0
    """Which sprites; the seed of the run does not change the data. Count "all" needs none."""
    soft: bool = False
    """Grey edges; without it, every pixel is black or white, as in dSprites."""
    cache: RecipePath | None = None
    """Folder in which drawn sprites are kept; without it `GANTK_CACHE`, else the user's cache."""


class StackedDigitsOptions(Options):
    """Options of `stacked_digits`."""

    source: Literal["auto", "real", "synthetic"] = "auto"
    """Digits of MNIST, or ones drawn here; auto: MNIST if its files are found."""
    root: RecipePath | None = None
    """Folder of MNIST; without it `GANTK_DATA`, else `data`."""
    size: Literal[28, 32] = 28
    """Height and width of the samples in pixels; 32: a black border around the digits."""
    count: Count = 50_000
    """How many stacks to make for training, of the digits that are for training."""
    held_out: HeldOut = 10_000
    """How many more to make for measures, of digits that training never sees."""
    seed: Seed = 0
    """Which digits are stacked; the seed of the run does not change the data."""
    cache: RecipePath | None = None
    """Folder in which stacks are kept; without it `GANTK_CACHE`, else the user's cache."""
