"""One component: its options and the facts its builder names become a live object.

A builder receives the options of its component as keyword arguments and, beside them, each fact
that its signature names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gan_toolkit.errors import GantkError, PluginError, Problem, RecipeError
from gan_toolkit.interfaces import Schedule
from gan_toolkit.recipe import Chosen

Facts = Mapping[str, Any]


class BuilderError(PluginError):
    """The code of a component failed while it was built."""


@dataclass(frozen=True)
class Builder:
    """Builds what tables choose, and says which of them is at fault when one can't be."""

    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each table stands, by its dotted path."""
    source: str = ""
    """Where a table stands that is not among them."""

    def build(self, chosen: Chosen, facts: Facts, base: type) -> Any:
        """Return what a table chooses, a `base`.

        Raises RecipeError for what its builder refuses with a ValueError, PluginError for what it
        gets wrong.
        """
        builder = chosen.component.load()
        wanted = inspect.signature(builder).parameters
        known = {name: fact for name, fact in facts.items() if name in wanted}
        options = self.options(chosen)
        if both := sorted(options.keys() & known.keys()):
            raise PluginError(
                f"{described(chosen)} has an option {both[0]!r}, which is the name of something "
                "its builder is given; rename the option"
            )
        part = self.call(chosen, builder, options | known)
        if not isinstance(part, base):
            built = type(part).__name__
            raise PluginError(f"{described(chosen)} built a {built}, not a {base.__name__}")
        return part

    def call(self, chosen: Chosen, builder: Callable[..., Any], arguments: Facts) -> Any:
        """Call a builder; what it raises names the table."""
        try:
            return builder(**arguments)
        except GantkError:
            raise
        except ValueError as error:
            place = self.origins.get(chosen.table, self.source)
            raise RecipeError([Problem(0, place, chosen.table, str(error))]) from error
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise BuilderError(f"{chosen.table}: {described(chosen)} raised {cause}") from error
        except SystemExit as error:
            raise BuilderError(f"{chosen.table}: {described(chosen)} called exit") from error

    def options(self, chosen: Chosen) -> dict[str, Any]:
        """Return the options of a table; a schedule chosen in place of a number is built."""
        fields = type(chosen.options).model_fields
        return {name: self.schedule(getattr(chosen.options, name)) for name in fields}

    def schedule(self, value: Any) -> Any:
        """Return a schedule chosen in place of a number as the schedule; all else as it is."""
        return self.build(value, {}, Schedule) if isinstance(value, Chosen) else value


def described(chosen: Chosen) -> str:
    """Return what a component is called where it is at fault."""
    component = chosen.component
    return f"{component.kind} {component.name!r} of plugin {component.plugin!r}"
