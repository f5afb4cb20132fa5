"""Two codes at once: one varies across, one down, everything else stands still."""

from __future__ import annotations

from torch import Tensor

from gan_toolkit import Dataset, Grid, LatentSpace, Panel, Picture, View
from gantk_panels.sheet import Cells, headings_of, sheet


class PairGrid(Panel):
    """Every pair of values of two codes, for one draw of all else. Needs images."""

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        across: str,
        down: str,
        rows: int = 9,
        columns: int = 9,
    ) -> None:
        self._across, self._down = _one(latents, across), _one(latents, down)
        if self._across == self._down:
            raise ValueError(f"across and down are both {across}; a pair needs two latents")
        if len(data.sample_shape) != 3:
            raise ValueError(f"a pair grid shows images; the samples of {data.name} are points")
        self._rows, self._columns = rows, columns

    def draw(self, view: View) -> list[Picture]:
        """Return one picture, in `pairs/<across>-<down>`."""
        across = view.space[self._across].grid(self._columns)
        down = view.space[self._down].grid(self._rows)
        subtitle = f"{self._across} varies across, {self._down} down; all else stands still"
        if not all([*across.trained, *down.trained]):
            subtitle += "; the bars mark the trained range"
        cells = Cells(
            view.generate(self._latents(view, across, down)),
            len(across.labels),
            headings_of(across),
            headings_of(down),
        )
        return [
            Picture(
                f"pairs/{self._across}-{self._down}",
                sheet(cells, title=view.title, subtitle=subtitle),
                f"{self._across} across, {self._down} down. {view.title}",
            )
        ]

    def _latents(self, view: View, across: Grid, down: Grid) -> Tensor:
        wide, high = len(across.labels), len(down.labels)
        latent = view.space.sample(1, view.rng("pair_grid")).repeat(wide * high, 1)
        latent[:, view.space.columns(self._across)] = across.values.to(latent).repeat(high, 1)
        downwards = down.values.to(latent).repeat_interleave(wide, dim=0)
        latent[:, view.space.columns(self._down)] = downwards
        return latent


def _one(latents: LatentSpace, name: str) -> str:
    members = latents.group(name)
    if len(members) > 1:
        raise ValueError(f"{name} is a group; name a member, such as {members[0]}")
    return members[0]
