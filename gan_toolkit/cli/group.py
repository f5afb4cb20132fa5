"""A group of commands that helps with a name it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from gan_toolkit.errors import PluginError, did_you_mean


class Group(click.Group):
    """Like click's, with our words for a command that does not exist, and with plugins' commands.

    No plugin is looked at for a command of ours.
    """

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command: ours, or one that a plugin added here."""
        return super().get_command(ctx, name) or self._added(ctx).get(name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, ours first."""
        return [*super().list_commands(ctx), *sorted(self._added(ctx))]

    def added_to(self, group: str, ctx: click.Context) -> Mapping[str, click.Command]:
        """Return what plugins added to one of our groups; only the root knows."""
        del group, ctx
        return {}

    def suspects(self, ctx: click.Context) -> list[str]:
        """Return why plugins add none of their commands; only the root knows."""
        del ctx
        return []

    def _added(self, ctx: click.Context) -> Mapping[str, click.Command]:
        above = ctx.find_root()
        root = above.command
        if not isinstance(root, Group) or root is self:
            return {}
        return root.added_to(self.name or "", above)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        UsageError with the nearest name when there is none, PluginError when a plugin that could
        not add its commands may have it.
        """
        name = str(args[0])
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known: Sequence[str] = self.list_commands(ctx)
            said = f"no command is named {name!r}"
            root = ctx.find_root()
            if isinstance(root.command, Group) and (suspects := root.command.suspects(root)):
                raise PluginError("; ".join([said, *suspects]) + did_you_mean(name, known))
            raise click.UsageError(f"{said}{did_you_mean(name, known)}", ctx)
        return super().resolve_command(ctx, args)
