"""`extends`: a recipe and those it builds on, merged in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_toolkit.errors import Problem, RecipeError, UsageError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.expectation import found
from gan_toolkit.recipe.finding import named_recipe
from gan_toolkit.recipe.merging import Origin, Tree
from gan_toolkit.recipe.paths import KeyPath
from gan_toolkit.recipe.reading import Document, read_file
from gan_toolkit.recipe.tokens import MAX_TOKENS

MAX_LEVELS = 10
MAX_DOCUMENTS = 100
STRIDE = 1 << 32
"""Between the orders of two documents; more than a document has lines."""

_NAME = re.compile(r"(\w[\w.-]+:)?\w[\w-]*")
"""Of a recipe that comes with the toolkit, or `plugin:recipe`; a file ends in .toml."""


def merge_documents(document: Document, host: PluginHost) -> Tree:
    """Return `document` merged over all it extends; RecipeError when one can't be read."""
    family = _Family(host)
    family.add(document, ())
    family.tree.origins[()] = _origin(document, (), family.count)
    return family.tree


def _origin(document: Document, path: KeyPath, number: int) -> Origin:
    place, line = document.place(path)
    return Origin(place, number * STRIDE + line, document.folder, document.shown)


@dataclass
class _Family:
    host: PluginHost
    tree: Tree = field(default_factory=Tree)
    count: int = 0
    words: int = 0

    def add(self, document: Document, above: tuple[Document, ...]) -> None:
        chain = (*above, document)
        self.words += document.words
        if self.words > MAX_TOKENS:  # each may be read again and again
            raise _refused(chain[0], f"more than {MAX_TOKENS} words and signs in all")
        for name in _extended(document):
            path = self._find(name, document)
            parent = read_file(path)
            _refuse_circle(parent, chain)
            if len(chain) > MAX_LEVELS:
                raise _refused(chain[0], f"more than {MAX_LEVELS} levels {_shown(chain)}")
            self.add(parent, chain)
        self.count += 1
        if self.count > MAX_DOCUMENTS:
            raise _refused(document, f"more than {MAX_DOCUMENTS} recipes in all")
        number = self.count
        table = {key: value for key, value in document.table.items() if key != "extends"}
        self.tree.merge(table, lambda path: _origin(document, path, number))

    def _find(self, name: str, document: Document) -> Path:
        path = document.folder / name
        if "\0" not in name and path.is_file():
            return path
        if not _NAME.fullmatch(name):
            raise _refused(document, f"there is no file {found(name)} in {document.folder}")
        try:
            return named_recipe(name, self.host)
        except UsageError as error:
            raise _refused(document, str(error)) from None


def _extended(document: Document) -> list[str]:
    given: Any = document.table.get("extends", [])
    names = given if isinstance(given, list) else [given]
    for name in names:
        if not isinstance(name, str):
            raise _refused(document, f"{found(name)} is not a text; a file or an array of files")
    return names


def _refuse_circle(parent: Document, chain: tuple[Document, ...]) -> None:
    for start, document in enumerate(chain):
        if document.shown == parent.shown:
            circle = _shown((*chain[start:], parent))
            raise _refused(document, f"circle {circle}; remove one of them")


def _shown(chain: tuple[Document, ...]) -> str:
    return " -> ".join(document.shown for document in chain)


def _refused(document: Document, text: str) -> RecipeError:
    place, _ = document.place(("extends",))
    return RecipeError([Problem(0, place, "extends", text)])
