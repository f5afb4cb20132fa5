"""The keys the core itself reads: at the top, in `[run]`, and in the table of any component."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gan_toolkit.recipe.options import NoOptions, Options, Scheduled

FORMAT = 1
"""The format of recipes we read and write."""

KIND_OF_TABLE = {
    "data": "dataset",
    "generator": "generator",
    "critic": "critic",
    "objective": "objective",
    "averaging": "averaging",
}
"""The kind a top-level table chooses from."""

KIND_OF_SECTION = {
    "augments": "augment",
    "latents": "latent",
    "regularisers": "regulariser",
    "optimisers": "optimiser",
    "panels": "panel",
    "measures": "measure",
    "trackers": "tracker",
}
"""The kind that the named tables of a section choose from."""

KIND_OF_REQUEST = {"comparisons": "comparison", "exporters": "exporter"}
"""The kind that a section of a command chooses from; in a recipe it has no place."""

PLAYERS = ("generator", "critic")

Interval = Annotated[int, Field(ge=1)]
Step = Annotated[int, Field(ge=0)]


class Head(Options):
    """What a recipe says of itself."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    """The format of the recipe."""
    name: Annotated[str, Field(min_length=1)]
    """What the recipe is called."""
    summary: str = ""
    """What it shows, in one line."""
    requires: Annotated[list[str], Field(max_length=100)] = Field(default=[])
    """Plugins it needs, with versions, such as "alpha>=0.2"."""


class Around(Options):
    """What leads to other recipes: the reader takes these away before it reads the rest."""

    extends: str | list[str] = Field(default=[])
    """Recipes this one builds on: files, or names of `gantk recipe list`."""
    variants: dict[str, dict[str, Any]] = Field(default={})
    """Changes in the shape of a recipe, by name, for `--variant`."""


class Choosing(Options):
    """What every table that chooses a component says."""

    use: str
    """Which component; also as `name@version` or `plugin:name`."""


class RunOptions(Options):
    """`[run]`: how long, how much at a time, on what, and how often to look."""

    steps: Annotated[int, Field(ge=1, le=10**9)]
    """Steps of the generator."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)]
    """Samples in a batch."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """What every random draw follows from."""
    device: str = Field(
        default="auto", pattern=r"^(auto|cpu|cuda(:\d{1,3})?)$", examples=["auto", "cpu", "cuda:1"]
    )
    """Where to train: "auto", "cpu", "cuda" or "cuda:<index>"."""
    precision: Literal["auto", "f32", "tf32", "bf16"] = "auto"
    """Numbers the networks compute with; "auto" takes bf16 where the hardware has it, else f32.
    "tf32" is f32 whose products are rounded to 10 bits, on CUDA."""
    compile: Literal["off", "kernels", "graphs"] = "off"
    """Compile the networks with torch.compile; "graphs" also replays them as CUDA graphs. It takes
    10 s to minutes at the start, and on a CPU the step is rarely faster: `gantk bench` tells."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads on the CPU; 0: as many as torch takes."""
    deterministic: bool = False
    """Use only kernels that give the same result every time, and stop where there is none."""
    critic_steps: Annotated[int, Field(ge=1, le=1000)] = 1
    """Critic steps for each step of the generator."""
    batch_norm: Literal["synchronised", "local"] = "synchronised"
    """What batch norms look at where several ranks share a batch: all of it, or their own share."""
    accumulate: Annotated[int, Field(ge=1, le=1024)] = 1
    """Batches whose gradients are summed up before a player moves."""
    log_every: Interval = 50
    """Steps from one record of the metrics to the next."""
    checkpoint_every: Interval = 1000
    """Steps from one checkpoint to the next."""
    keep_checkpoints: Annotated[int, Field(ge=1, le=10_000)] = 2
    """Checkpoints to keep."""
    evaluate_every: Step = 0
    """Steps from one evaluation to the next; 0: at the end only."""
    on_divergence: Literal["stop", "skip", "rollback"] = "stop"
    """What to do when a loss or gradient is not finite: end the run, leave that move out, or go
    back to the newest checkpoint and on with other batches and draws."""
    max_skips: Annotated[int, Field(ge=1, le=1000)] = 10
    """Moves that may be left out in any 1,000 steps; one more ends the run."""
    max_rollbacks: Annotated[int, Field(ge=1, le=1000)] = 3
    """Times that a run may go back; then it ends."""
    rollback_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor on every learning rate after each rollback."""
    on_alarm: Literal["off", "note", "stop"] = "note"
    """What to do when a run looks ill though all is finite (samples alike, one player wins, a code
    is ignored, a loss jumps): nothing, and nothing is watched; say so; save and end the run."""


class Keys(Options):
    """What a component may say that a recipe can do without."""

    enabled: bool = True
    """Whether the table counts; false is as if it were not there."""


class LatentKeys(Keys):
    """What every latent may say."""

    count: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Make that many alike, named `<name>.0`, `<name>.1`, …; absent: one, named `<name>`."""


class RegulariserKeys(Keys):
    """What every regulariser may say."""

    weight: Scheduled = 1.0
    """Factor on the term."""
    every: Interval = 1
    """Steps from one use of the term to the next."""
    start: Step = 0
    """The first step that uses it."""
    stop: Step | None = None
    """The first step that no longer uses it; absent: never."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop = {self.stop}: it would never act; above start = {self.start}")
        return self


class PanelKeys(Keys):
    """What every panel may say."""

    every: Interval | None = None
    """Steps from one picture to the next; absent: at the end only."""


class MeasureKeys(Keys):
    """What every measure may say."""

    every: Step = 0
    """Steps from one measurement to the next; 0: with `run.evaluate_every` and at the end."""


_OF_KIND: dict[str, type[Options]] = {
    "augment": Keys,
    "latent": LatentKeys,
    "regulariser": RegulariserKeys,
    "panel": PanelKeys,
    "measure": MeasureKeys,
    "tracker": Keys,
    "averaging": Keys,
}


def keys_of(kind: str) -> type[Options]:
    """Return the core's own keys in a table of `kind`, `use` not among them."""
    return _OF_KIND.get(kind, NoOptions)


def from_the_future(found: object) -> str:
    """Return what is said of a format that is newer than ours, or nothing when it is not."""
    if type(found) is not int or found <= FORMAT:
        return ""
    return f"format {found} is newer than {FORMAT}; a newer gan-toolkit reads it"
