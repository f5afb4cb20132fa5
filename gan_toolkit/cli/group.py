"""A group of commands that helps with a name it does not know."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gan_toolkit.errors import did_you_mean


class Group(click.Group):
    """Like click's, with our words for a command that does not exist."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; UsageError with the nearest name when there is none."""
        name = str(args[0])
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known: Sequence[str] = self.list_commands(ctx)
            raise click.UsageError(f"no command is named {name!r}{did_you_mean(name, known)}", ctx)
        return super().resolve_command(ctx, args)
