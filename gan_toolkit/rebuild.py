"""From a model file to live parts: names through the registry, shapes compared, weights last.

A file may be anybody's. What it names must be registered here; what it claims is built without
memory first and compared, name by name, with what the file holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from torch import Tensor, nn

from gan_toolkit.assemble import Assembly
from gan_toolkit.building import BuilderError
from gan_toolkit.errors import PluginError, RecipeError, StorageError
from gan_toolkit.files import printable
from gan_toolkit.interfaces import Batch, Dataset, Factor, Regulariser
from gan_toolkit.latents import LatentSpace
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Chosen, Recipe, RunOptions
from gan_toolkit.recipe.checking import NAME
from gan_toolkit.recipe.components import ComponentReader
from gan_toolkit.recipe.environment import expand
from gan_toolkit.recipe.extending import merge_documents
from gan_toolkit.recipe.reading import read_mapping
from gan_toolkit.recipe.requirements import trouble_of
from gan_toolkit.recipe.used import Used
from gan_toolkit.registry import Registry, UnknownComponent
from gan_toolkit.tensorfile import TensorFacts, describe, read_header

_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.complex64: "C64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Rebuilt:
    """The parts a model file described."""

    latents: LatentSpace
    generator: nn.Module
    critic: nn.Module | None = None
    regularisers: Mapping[str, Regulariser] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """The tables that described them."""
    skipped: tuple[str, ...] = ()

    def modules(self) -> dict[str, nn.Module]:
        """Return the modules by the beginning of their tensors' names."""
        named = {f"regularisers.{name}": module for name, module in self.regularisers.items()}
        critic = {} if self.critic is None else {"critic": self.critic}
        return {"generator": self.generator, **critic, **named}


def rebuild(path: Path, host: PluginHost) -> Rebuilt:
    """Build the parts of a model file and fill in their weights.

    Raises PluginError when nobody here offers the latents or the generator, StorageError for
    whatever else is wrong with the file. Other parts that nobody offers are skipped.
    """
    note = describe(path)
    with _at(path):
        plan = _plan(note["recipe"], host)
        built = _compared(plan, note["facts"], host, read_header(path).tensors)
        _fill(path, built)
        _refuse_broken(built)
    return replace(built, facts=note["facts"], recipe=note["recipe"], skipped=plan.skipped)


def rebuild_untrained(path: Path, host: PluginHost) -> Rebuilt:
    """Build the parts of a model file with weights that are drawn anew, always the same ones.

    Raises as `rebuild` does. The seed is not that of the training, which the file doesn't name.
    """
    note = describe(path)
    with _at(path):
        plan = _plan(note["recipe"], host)
        return plan.build(_DescribedData(note["facts"]["data"]), host.registry)


def rebuild_from(
    tensors: Mapping[str, Tensor],
    recipe: Mapping[str, Any],
    facts: Mapping[str, Any],
    host: PluginHost,
    place: Path,
) -> Rebuilt:
    """Build parts from tensors that are in memory, named as in a model file; see `rebuild`.

    `recipe` and `facts` are those of a model file, and `place` is what an error names.
    """
    with _at(place):
        plan = _plan(recipe, host)
        known = {name: _facts(tensor) for name, tensor in tensors.items()}
        built = _compared(plan, facts, host, known)
        for part, module in built.modules().items():
            module.load_state_dict({n: tensors[f"{part}.{n}"] for n in module.state_dict()})
        _refuse_broken(built)
    return replace(built, facts=dict(facts), recipe=dict(recipe), skipped=plan.skipped)


def _compared(
    plan: _Plan, facts: Mapping[str, Any], host: PluginHost, tensors: Mapping[str, TensorFacts]
) -> Rebuilt:
    """Build the parts of a plan, once an outline without memory fits the tensors."""
    data = _DescribedData(facts["data"])
    with torch.device("meta"):
        outline = plan.build(data, host.registry)
    _compare(outline, plan.skipped, tensors)
    return plan.build(data, host.registry)


@contextmanager
def _at(place: Path) -> Iterator[None]:
    """Name the place in what is wrong with it."""
    try:
        yield
    except BuilderError as error:  # options of a stranger's file may have led there
        raise StorageError(f"{place}: its parts can't be built: {_one_line(error)}") from error
    except PluginError as error:
        raise PluginError(f"{place}: {error}") from error
    except RecipeError as error:
        raise StorageError(f"{place} is damaged: {_one_line(error)}") from error
    except (
        ArithmeticError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
        MemoryError,
    ) as error:
        # Not a bug of ours to be traced: options of a stranger's file led here.
        raise StorageError(f"{place}: its parts can't be built: {_one_line(error)}") from error


class _DescribedData(Dataset):
    """The data set as a model file describes it: a shape, names, factors, no samples."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        classes = facts.get("classes")
        self.name = str(facts.get("name", ""))
        self.source = str(facts.get("source", ""))
        self.sample_shape = tuple(facts["shape"])
        self.classes = tuple(map(str, classes)) if isinstance(classes, list) else ()
        self.factors = tuple(map(_factor, facts.get("factors", ())))

    def __len__(self) -> int:
        return 0

    def batch(self, indices: Tensor) -> Batch:
        raise LookupError(f"a model file holds no samples; {len(indices)} were asked for")

    def fingerprint(self) -> str:
        return ""


def _factor(facts: Mapping[str, Any]) -> Factor:
    return Factor(**{**facts, "values": tuple(facts["values"])})


# --- what to build -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """The tables of a recipe that a model needs; it stands in for the recipe in an assembly."""

    latents: dict[str, Chosen]
    generator: Chosen
    critic: Chosen | None
    regularisers: dict[str, Chosen]
    skipped: tuple[str, ...]
    run: RunOptions = field(default_factory=lambda: RunOptions(steps=1, batch_size=1))
    origins: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def build(self, data: Dataset, registry: Registry) -> Rebuilt:
        """Build the parts on torch's default device, weights as they come."""
        assembly = Assembly(cast("Recipe", self), registry)
        latents = assembly.latents()
        if self.critic is None:
            return Rebuilt(latents, assembly.generator(data, latents))
        networks = assembly.networks(data, latents)
        return Rebuilt(latents, networks.generator, networks.critic, networks.regularisers)


def _plan(recipe: Mapping[str, Any], host: PluginHost) -> _Plan:
    """Choose the components; RecipeError for faulty tables, PluginError for what must be there."""
    tables = _Tables(recipe, host)
    for kind, path in (*tables.section("latents"), ("generator", ("generator",))):
        if not tables.offered(kind, path):
            raise PluginError(tables.lack(kind, path))
    terms = tables.section("regularisers")
    critic: tuple[str, _Path] = ("critic", ("critic",))
    reads = tables.table(critic[1]) is not None and tables.offered(*critic)
    skipped = [
        path for kind, path in (critic, *terms) if not (reads and tables.offered(kind, path))
    ]
    plan = _Plan(
        {path[-1]: tables.choose(kind, path) for kind, path in tables.section("latents")},
        tables.choose("generator", ("generator",)),
        tables.choose(*critic) if reads else None,
        {path[-1]: tables.choose(kind, path) for kind, path in terms if path not in skipped},
        tuple(".".join(path) for path in skipped),
    )
    if tables.reader.problems:
        raise RecipeError(list(tables.reader.problems))
    return plan


_Path = tuple[str, ...]


class _Tables:
    """The tables of a resolved recipe that name the parts of a model."""

    def __init__(self, recipe: Mapping[str, Any], host: PluginHost) -> None:
        keys = ("latents", "generator", "critic", "regularisers")
        kept = {key: _expanded(recipe[key]) for key in keys if key in recipe}
        self.host = host
        self.tree = merge_documents(read_mapping(kept), host)
        self.reader = ComponentReader(self.tree, host)

    def table(self, path: _Path) -> Any:
        """Return the table at a path, or None."""
        found: Any = self.tree.table
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def section(self, key: str) -> list[tuple[str, _Path]]:
        """Return kind and path of each table of a section."""
        tables = self.tree.table.get(key, {})
        if not isinstance(tables, dict) or not all(map(NAME.fullmatch, tables)):
            raise ValueError(f"{key} must be named tables")
        return [(key.removesuffix("s"), (key, name)) for name in tables]

    def offered(self, kind: str, path: _Path) -> bool:
        """Return whether a plugin here offers what a table names; False only if none does."""
        used = Used.read(self._use(path))
        try:
            component = self.host.registry.get(kind, used.name)
        except UnknownComponent:
            return not used.name  # no name at all is a fault of the file
        if used.plugin not in ("", component.plugin):
            return False
        version = used.version
        return not (version.isdecimal() and int(version[:9]) > component.version)

    def lack(self, kind: str, path: _Path) -> str:
        """Say what a table needs, and who might have offered it."""
        suspects = "".join(f"; {t}" for record in self.host.records if (t := trouble_of(record)))
        wanted = f"{'.'.join(path)} needs the {kind} {self._use(path)[:80]!r}"
        return printable(f"{wanted}, which no plugin here offers{suspects}")

    def choose(self, kind: str, path: _Path) -> Chosen:
        """Return what a table chooses; when it is at fault, the reader keeps the problem."""
        return cast("Chosen", self.reader.choose(kind, path, self.table(path)))

    def _use(self, path: _Path) -> str:
        table = self.table(path)
        use = table.get("use") if isinstance(table, dict) else None
        return use if isinstance(use, str) else ""


def _expanded(value: Any) -> Any:
    """Undo the escapes of a written recipe; what asks for the environment is refused."""
    if isinstance(value, dict):
        return {key: _expanded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner) for inner in value]
    return expand(value, {}) if isinstance(value, str) else value


# --- weights -------------------------------------------------------------------------------


def _compare(
    outline: Rebuilt, skipped: tuple[str, ...], tensors: Mapping[str, TensorFacts]
) -> None:
    """Raise ValueError unless the file holds exactly the tensors of the parts, shapes and all."""
    due = {name: _facts(tensor) for name, tensor in _state(outline).items()}
    beginnings = tuple(f"{part}." for part in skipped)
    held = {n: f for n, f in tensors.items() if not (beginnings and n.startswith(beginnings))}
    found = [f"{name} is missing" for name in due.keys() - held.keys()]
    found += [f"{name!r:.80} belongs to no part" for name in held.keys() - due.keys()]
    found += [
        f"{name} is {_shown(held[name])} in the file, {_shown(due[name])} in its recipe"
        for name in due.keys() & held.keys()
        if due[name] != held[name]
    ]
    if found:
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        raise ValueError("; ".join(sorted(found)[:3]) + more)


def _fill(path: Path, built: Rebuilt) -> None:
    try:
        with safetensors.safe_open(path, "pt") as file:
            for part, module in built.modules().items():
                names = {name: f"{part}.{name}" for name in module.state_dict()}
                module.load_state_dict({own: file.get_tensor(n) for own, n in names.items()})
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"the file can't be read: {error}") from error


def _refuse_broken(built: Rebuilt) -> None:
    """Raise ValueError for a weight that is not finite, or a buffer with NaN: all would be NaN.

    A buffer may well be infinite: that is where a running minimum begins.
    """
    for part, module in built.modules().items():
        for name, parameter in module.named_parameters():
            if not parameter.isfinite().all():
                raise ValueError(f"{part}.{name} is not finite")
        for name, buffer in module.named_buffers():
            if buffer.isnan().any():
                raise ValueError(f"{part}.{name} holds NaN")


def _state(built: Rebuilt) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": tensor
        for part, module in built.modules().items()
        for name, tensor in module.state_dict().items()
    }


def _facts(tensor: Tensor) -> TensorFacts:
    return TensorFacts(_DTYPES.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))


def _shown(facts: TensorFacts) -> str:
    return f"{'x'.join(map(str, facts.shape)) or 'scalar'} {facts.dtype}"


def _one_line(error: BaseException) -> str:
    return printable(str(error).partition("\n")[0])
