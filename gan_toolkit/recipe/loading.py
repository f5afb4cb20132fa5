"""Loading a recipe: read, extend, vary, override, check."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_toolkit.errors import Problem, RecipeError, did_you_mean
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.checking import BAD_NAME, NAME, TOP_KEYS, check, choose
from gan_toolkit.recipe.chosen import Recipe
from gan_toolkit.recipe.expectation import found
from gan_toolkit.recipe.extending import STRIDE, merge_documents
from gan_toolkit.recipe.finding import find_recipe
from gan_toolkit.recipe.merging import Origin, Tree
from gan_toolkit.recipe.messages import unknown_key
from gan_toolkit.recipe.overrides import BadOverride, Override, read_override
from gan_toolkit.recipe.paths import KeyPath, dotted
from gan_toolkit.recipe.reading import Document, read_file, read_mapping

Source = str | Path | Mapping[str, Any]

_LAST = STRIDE * STRIDE  # problems of overrides come after those of files
_OF_FILES = {"format", "extends", "requires", "variants"}


def load_recipe(
    source: Source,
    host: PluginHost,
    *,
    variants: Sequence[str] = (),
    overrides: Sequence[Override] = (),
    environ: Mapping[str, str] = os.environ,
) -> Recipe:
    """Read a recipe from a path, a name, `-` or a mapping.

    Values, weakest first: defaults, what it extends, the file, variants, overrides. Raises
    RecipeError with all that is wrong, UsageError when there is no such recipe.
    """
    return _Loading(_read(source, host), host, environ).recipe(variants, overrides)


def load_tables(
    tables: Mapping[str, Any],
    host: PluginHost,
    keys: Sequence[str],
    *,
    overrides: Sequence[Override] = (),
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Read the tables and sections `keys` of a recipe that may lack the others.

    Returns a `Chosen` for each table, a dictionary of them for each section. Raises RecipeError
    with all that is wrong in these.
    """
    return _Loading(read_mapping(tables), host, environ).tables(keys, overrides)


def check_variants(
    source: Source, host: PluginHost, *, environ: Mapping[str, str] = os.environ
) -> list[Recipe]:
    """Return the recipe and each of its variants; RecipeError has what is wrong in any of them."""
    document = _read(source, host)
    problems: list[Problem] = []
    recipes: list[Recipe] = []
    for name in (None, *_offered(merge_documents(document, host))):
        applied = () if name is None else (name,)
        try:
            recipes.append(_Loading(document, host, environ).recipe(applied, ()))
        except RecipeError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise RecipeError(problems, document.shown)
    return recipes


def _read(source: Source, host: PluginHost) -> Document:
    if isinstance(source, Mapping):
        return read_mapping(source)
    return read_file(find_recipe(source, host))


def _offered(tree: Tree) -> list[str]:
    variants = tree.table.get("variants")
    return list(variants) if isinstance(variants, dict) else []


class _Loading:
    """One recipe on its way; `problems` gathers what is wrong."""

    def __init__(self, document: Document, host: PluginHost, environ: Mapping[str, str]) -> None:
        self.document = document
        self.host = host
        self.environ = environ
        self.tree = merge_documents(document, host)
        self.problems: list[Problem] = []

    def recipe(self, variants: Sequence[str], overrides: Sequence[Override]) -> Recipe:
        offered = _offered(self.tree)
        self._apply_variants(variants)
        self._apply_overrides(overrides)
        facts = {
            "variants": tuple(offered),
            "applied": tuple(variants),
            "source": self.document.shown,
            "text": self.document.text,
        }
        recipe, problems = check(self.tree, self.host, self.environ, facts)
        if recipe is None or self.problems:
            raise RecipeError([*self.problems, *problems], self.document.shown)
        return recipe

    def tables(self, keys: Sequence[str], overrides: Sequence[Override]) -> dict[str, Any]:
        self._apply_overrides(overrides)
        chosen, problems = choose(self.tree, self.host, self.environ, keys)
        if self.problems or problems:
            raise RecipeError([*self.problems, *problems], self.document.shown)
        return chosen

    def _apply_overrides(self, overrides: Sequence[Override]) -> None:
        numbers: Counter[str] = Counter()
        for order, override in enumerate(overrides):
            numbers[override.switch] += 1
            place = f"{override.switch} #{numbers[override.switch]}"
            self._override(override, Origin(place, _LAST + order, Path.cwd()))

    def _apply_variants(self, wanted: Sequence[str]) -> None:
        variants = self.tree.table.pop("variants", {})
        origins = dict(self.tree.origins)
        if not isinstance(variants, dict):
            self._complain(("variants",), f"{found(variants)} is not a table; named tables")
            return
        for name, table in variants.items():
            if not NAME.fullmatch(name):
                self._complain(("variants", name), BAD_NAME)
            elif not isinstance(table, dict):
                self._complain(("variants", name), f"{found(table)} is not a table; overrides")
        for name in wanted:
            if name not in variants:
                known = ", ".join(sorted(variants)) or "none"
                text = f"no variant is named {name!r}; known: {known}{did_you_mean(name, variants)}"
                self.problems.append(Problem(_LAST, "--variant", "", text))
            elif isinstance(variants[name], dict):
                self._apply(name, variants[name], origins)

    def _apply(self, name: str, table: dict[str, Any], origins: Mapping[KeyPath, Origin]) -> None:
        for key in table.keys() & _OF_FILES:
            text = unknown_key(key, TOP_KEYS - _OF_FILES)
            self._complain(("variants", name, key), text)
        allowed = {key: value for key, value in table.items() if key not in _OF_FILES}
        self.tree.merge(allowed, lambda path: origins["variants", name, *path])

    def _override(self, override: Override, origin: Origin) -> None:
        try:
            path, value = read_override(override)
        except BadOverride as error:
            self._object(origin, error.path, str(error))
            return
        if path[0] in _OF_FILES:
            self._object(origin, dotted(path), "belongs to the file; it can't be set from outside")
        elif override.unset:
            if not self.tree.remove(path) and not override.if_there:
                self._object(origin, dotted(path), self._absent(path))
        else:
            for key in reversed(path):
                value = {key: value}
            self.tree.merge(value, lambda _: origin)

    def _absent(self, path: KeyPath) -> str:
        table: Any = self.tree.table
        for key in path[:-1]:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        return unknown_key(path[-1], table if isinstance(table, dict) else ())

    def _complain(self, path: KeyPath, text: str) -> None:
        origin = self.tree.origin(path)
        self._object(origin, dotted(path), text)

    def _object(self, origin: Origin, path: str, text: str) -> None:
        self.problems.append(Problem(origin.order, origin.place, path, text))
