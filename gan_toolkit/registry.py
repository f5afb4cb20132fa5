"""What plugins offer: one record per component, looked up by kind and name.

Nothing a record points to is imported before `Component.load`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from gan_toolkit.errors import PluginError, did_you_mean
from gan_toolkit.recipe.keys import keys_of
from gan_toolkit.recipe.options import NoOptions, Options
from gan_toolkit.sources import Source

KINDS = (
    "latent",
    "generator",
    "critic",
    "objective",
    "regulariser",
    "dataset",
    "augment",
    "optimiser",
    "schedule",
    "averaging",
    "measure",
    "comparison",
    "panel",
    "tracker",
    "exporter",
)

HERE = "here"
"""Who offers what was defined in this process."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_BUILD = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_NOT_TOML = (tuple, set, frozenset, bytes, complex, Path)


class RegistrationError(ValueError):
    """A plugin registers something that can't be; its author must mend it."""


class UnreadableVersion(LookupError):
    """Options are of a version of their component that can't be read here."""


class UnknownComponent(LookupError):
    """Nobody offers a component of this kind and name."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"no {kind} is named {name!r}{did_you_mean(name, known, cutoff=0.5)}")
        self.kind = kind
        self.name = name
        self.known = known


@dataclass(frozen=True)
class Component:
    """What a recipe can name in `use`."""

    kind: str
    name: str
    options: type[Options]
    build: str
    """`package.module:Name` of what is called with the options; imported by `load`."""
    version: int = 1
    summary: str = ""
    aliases: tuple[str, ...] = ()
    migrate: Mapping[int, Migration] = field(default_factory=dict, hash=False)
    """For a version n, what turns its options into those of version n + 1."""
    source: Source | None = None
    """Of a data set: where its files come from, if it reads any."""
    trial: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Options that checks build it with, where a default is missing or too large to be quick."""
    plugin: str = ""
    """Who offers it; set by the host."""
    made: Callable[..., Any] | None = field(default=None, hash=False)
    """What builds it, if that was defined in this process and no text need find it."""

    @property
    def pinned(self) -> str:
        """The name with the version, as resolved recipes write it."""
        return f"{self.name}@{self.version}"

    def migrated(self, options: Mapping[str, Any], version: int) -> dict[str, Any]:
        """Return options of `version` as those of this one.

        Raises UnreadableVersion for one that can't be read here, PluginError when a step fails.
        """
        needs = f"needs {self.name} version {version}, installed is {self.version}"
        if version > self.version:
            raise UnreadableVersion(needs)
        read = dict(options)
        for number in range(version, self.version):
            step = self.migrate.get(number)
            if step is None:
                raise UnreadableVersion(f"{needs}, which can't read it")
            try:
                read = dict(step(dict(read)))
            except Exception as error:
                raise PluginError(
                    f"plugin {self.plugin!r}: {self.kind} {self.name!r} can't "
                    f"migrate version {number} ({type(error).__name__}: {error})"
                ) from error
        return read

    def load(self) -> Callable[..., Any]:
        """Import what builds it; PluginError names the plugin and the text when it can't be."""
        if self.made is not None:
            return self.made
        module, _, name = self.build.partition(":")
        try:
            builder = getattr(importlib.import_module(module), name)
        except Exception as error:
            cause = str(error).partition("\n")[0]
            raise PluginError(
                f"plugin {self.plugin!r}: {self.kind} {self.name!r} can't be built from "
                f"{self.build!r} ({type(error).__name__}: {cause})"
            ) from error
        if not callable(builder):
            raise PluginError(
                f"plugin {self.plugin!r}: {self.kind} {self.name!r}: {self.build!r} can't be called"
            )
        return builder


class Registry:
    """All components on offer."""

    def __init__(self) -> None:
        self._components: dict[tuple[str, str], Component] = {}
        self._owner = ""

    def add(
        self,
        kind: str,
        name: str,
        *,
        options: type[Options] = NoOptions,
        build: str,
        version: int = 1,
        summary: str = "",
        aliases: tuple[str, ...] = (),
        migrate: Mapping[int, Migration] | None = None,
        source: Source | None = None,
        trial: Mapping[str, Any] | None = None,
    ) -> None:
        """Offer a component; RegistrationError when it can't be taken."""
        component = Component(
            kind,
            name,
            options,
            build,
            version,
            summary,
            tuple(aliases),
            dict(migrate or {}),
            source,
            dict(trial or {}),
            self._owner,
        )
        self._take_in(component)

    def offer(
        self,
        kind: str,
        name: str,
        build: Callable[..., Any],
        *,
        options: type[Options] = NoOptions,
        summary: str = "",
    ) -> None:
        """Offer what was defined in this process, such as in a cell of a notebook.

        The same again replaces it: the cell was edited. Other processes know nothing of it, so that
        a run that uses it can be resumed, and its model loaded, only where it was offered anew.
        RegistrationError when it can't be taken, or a plugin has the name.
        """
        text = getattr(build, "__qualname__", type(build).__name__)
        component = Component(kind, name, options, text, summary=summary, plugin=HERE, made=build)
        self._take_in(component)

    def _take_in(self, component: Component) -> None:
        _check(component)
        kind, names = component.kind, (component.name, *component.aliases)
        for known_as in names:
            there = self._components.get((kind, known_as))
            if there and not (there.made and component.made):
                owner = there.plugin or "another plugin"
                raise RegistrationError(
                    f"{kind} {known_as!r} is already registered by {owner}; block one of the two"
                )
        for known_as in names:
            self._components[kind, known_as] = component

    def get(self, kind: str, name: str) -> Component:
        """Return a component by its name or an alias; UnknownComponent when nobody offers it."""
        component = self._components.get((kind, name))
        if component is None:
            raise UnknownComponent(kind, name, self.names(kind))
        return component

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted, without aliases."""
        return [component.name for component in self.all(kind)]

    def all(self, kind: str | None = None) -> list[Component]:
        """Return the components of a kind, or of all kinds in their order, sorted by name."""
        unique = {(c.kind, c.name): c for c in self._components.values() if kind in (None, c.kind)}
        return sorted(unique.values(), key=lambda c: (KINDS.index(c.kind), c.name))

    @contextmanager
    def owned_by(self, plugin: str) -> Iterator[None]:
        """Set down what is added inside as offered by `plugin`."""
        before, self._owner = self._owner, plugin
        try:
            yield
        finally:
            self._owner = before

    def snapshot(self) -> Mapping[tuple[str, str], Component]:
        """Return what `restore` takes."""
        return dict(self._components)

    def restore(self, snapshot: Mapping[tuple[str, str], Component]) -> None:
        """Forget what was added since the snapshot."""
        self._components = dict(snapshot)


def _check(component: Component) -> None:
    kind, name = component.kind, component.name
    if kind not in KINDS:
        raise RegistrationError(
            f"no kind is named {kind!r}; known: {', '.join(sorted(KINDS))}"
            f"{did_you_mean(kind, KINDS)}"
        )
    for known_as in (name, *component.aliases):
        if not _NAME.fullmatch(known_as):
            raise RegistrationError(
                f"{kind} {known_as!r}: a name is lower-case letters, digits and _, letter first"
            )
    if component.made is None and not _BUILD.fullmatch(component.build):
        raise RegistrationError(
            f"{kind} {name!r}: build is 'package.module:Name'; found {component.build!r}"
        )
    if type(component.version) is not int or component.version < 1:
        raise RegistrationError(f"{kind} {name!r}: version is an integer of at least 1")
    _check_options(component)


def _check_options(component: Component) -> None:
    who = f"{component.kind} {component.name!r}"
    model = component.options
    if not (isinstance(model, type) and issubclass(model, Options)):
        raise RegistrationError(f"{who}: options must be a subclass of gan_toolkit.Options")
    taken = {"use", "enabled", *keys_of(component.kind).model_fields}
    for name, place in model.model_fields.items():
        if (place.alias or name) in taken:
            raise RegistrationError(f"{who}: option {name!r} is a key of the core; rename it")
        for found in _not_toml(place.annotation):
            raise RegistrationError(
                f"{who}: option {name!r} is a {found}, which TOML has not; "
                "use list, dict or RecipePath"
            )


def _not_toml(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation) or annotation
    if origin in _NOT_TOML:
        yield origin.__name__
    for inner in get_args(annotation):
        if isinstance(inner, type) or get_origin(inner) is not None:
            yield from _not_toml(inner)
