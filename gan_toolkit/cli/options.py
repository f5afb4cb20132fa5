"""Options that change a recipe: `--variant`, `--set`, `--unset`."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gan_toolkit.cli import completing
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.recipe import Override

NO_VARIANT = "base"
SEED = click.IntRange(0, 2**63 - 1)
"""As in a recipe."""
Command = TypeVar("Command", bound=Callable[..., Any])


def recipe_changes(command: Command) -> Command:
    """Add the options that change a recipe, as `variants`, `settings` and `removals`."""
    variant = click.option(
        "--variant",
        "variants",
        multiple=True,
        metavar="NAME",
        shell_complete=completing.variants,
        help="Apply a variant of the recipe; 'base' for none.",
    )
    return variant(value_changes(command))


def value_changes(command: Command) -> Command:
    """Add the options that change values of a recipe, as `settings` and `removals`."""
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=completing.settings,
        help="Change one value; VALUE is TOML, so a text stands in quotes.",
    )
    removal = click.option(
        "--unset",
        "removals",
        multiple=True,
        metavar="KEY",
        shell_complete=completing.removals,
        help="Take a value or a table away, before anything is --set.",
    )
    return setting(removal(command))


def effort_options(command: Command) -> Command:
    """Add the options that say how much measuring may spend, as `effort`."""
    fast = click.option("--fast", "effort", flag_value="fast", help="A look: fewer samples.")
    full = click.option("--full", "effort", flag_value="full", help="For a table: more samples.")
    return fast(full(command))


def named_components(texts: Sequence[str], switch: str) -> dict[str, str]:
    """Read `NAME` or `NAME:KEY=VALUE,…`: the options, left as TOML, by the name.

    Raises UsageError for another form, or a name that is given twice to `switch`.
    """
    names = [text.partition(":")[0] for text in texts]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{switch} {name} is given twice; its options once, with commas")
    return dict(_named_component(text, switch) for text in texts)


def _named_component(text: str, switch: str) -> tuple[str, str]:
    import tomllib

    name, colon, options = text.partition(":")
    if not name.isidentifier() or (colon and "=" not in options):
        raise UsageError(f"{switch} {text}: write NAME or NAME:KEY=VALUE, with commas between")
    try:
        tomllib.loads(f"options = {{{options}}}")
    except (ValueError, RecursionError):
        raise UsageError(
            f'{switch} {text}: {options} is not TOML; a text stands in quotes, as in key="text"'
        ) from None
    return name, options


def overrides_from(
    settings: Sequence[str], removals: Sequence[str], fixed: Mapping[str, Any] | None = None
) -> list[Override]:
    """Return the changes in the order they are applied; `fixed` are values of options of ours."""
    from gan_toolkit.recipe import Override

    given = {key: value for key, value in (fixed or {}).items() if value is not None}
    return [
        *(Override(text, unset=True) for text in removals),
        *(Override(text) for text in settings),
        # A JSON number or text is a TOML one.
        *(Override(f"{key}={json.dumps(value)}") for key, value in given.items()),
    ]


def recipe_source(text: str) -> str:
    """Take what names a recipe; of what is no regular file, which may never end, only `-`."""
    with suppress(OSError, ValueError):  # any text is a question, a long one too
        if stat.S_IFMT(Path(text).stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
            raise UsageError(f"{text} is not a regular file; a recipe is one, or - for stdin")
    return text


def without_base(variants: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variants to apply; `base` is the word for none and stands alone."""
    if NO_VARIANT in variants and len(variants) > 1:
        raise UsageError(f"--variant {NO_VARIANT} means no variant, and stands alone")
    return () if variants == (NO_VARIANT,) else variants


def toml_value(text: str, place: str) -> Any:
    """Read one TOML value; UsageError shows how a text must be quoted."""
    import tomllib

    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        table = {}
    if set(table) != {"value"}:
        raise UsageError(
            f"{place}: {text} is not a TOML value; a number, or a text in quotes: '\"{text}\"'"
        )
    return table["value"]
