"""The root command: a table of names, each loaded when it is called for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

import gan_toolkit
from gan_toolkit.cli.failures import failing
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.session import Session, shared

SECTIONS: dict[str, dict[str, str]] = {
    "Train": {
        "run": "gan_toolkit.cli.run:run",
        "resume": "gan_toolkit.cli.run:resume",
        "sweep": "gan_toolkit.cli.sweep:sweep",
    },
    "Look at what was learnt": {
        "sample": "gan_toolkit.cli.sample:sample",
        "traverse": "gan_toolkit.cli.sample:traverse",
        "evaluate": "gan_toolkit.cli.evaluate:evaluate",
        "compare": "gan_toolkit.cli.compare:compare",
        "report": "gan_toolkit.cli.report:report",
        "export": "gan_toolkit.cli.export:export",
        "info": "gan_toolkit.cli.info:info",
        "runs": "gan_toolkit.cli.runs:runs",
    },
    "See what there is": {
        "recipe": "gan_toolkit.cli.recipe:recipe",
        "components": "gan_toolkit.cli.components:components",
        "data": "gan_toolkit.cli.data:data",
        "plugins": "gan_toolkit.cli.plugins:plugins",
    },
    "Set up": {
        "doctor": "gan_toolkit.cli.doctor:doctor",
        "bench": "gan_toolkit.cli.bench:bench",
        "completion": "gan_toolkit.cli.completion:completion",
    },
}
_HOMES = {name: home for section in SECTIONS.values() for name, home in section.items()}
_OTHERS = "From plugins"
COMPLETE = "_GANTK_COMPLETE"
"""The variable in which a shell asks what can stand at the cursor."""


class _Raised(Exception):
    """Carries past click what it would answer itself, by an empty line and a code of its own."""


@contextmanager
def _past_click() -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, EOFError, KeyboardInterrupt) as error:
        raise _Raised from error


class Root(Group):
    """A group whose own commands are imported on use, and which plugins may add to.

    A command that a plugin adds as "data check" stands in the group `data`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, ours in the order of the sections, then those of plugins."""
        self._take_in_plugins(ctx)
        return [*_HOMES, *sorted(name for name in self.commands if " " not in name)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command: ours without a look at any plugin."""
        home = _HOMES.get(name)
        if home is not None:
            module, _, attribute = home.partition(":")
            found: click.Command = getattr(importlib.import_module(module), attribute)
            return found
        self._take_in_plugins(ctx)
        return super().get_command(ctx, name)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Take in a command; ValueError when the name is taken, so that nobody replaces another."""
        wanted = name or cmd.name or ""
        if wanted in _HOMES or wanted in self.commands or wanted in self._in_group(wanted):
            raise ValueError(f"the command {wanted!r} exists already")
        super().add_command(cmd, name)

    def added_to(self, group: str, ctx: click.Context) -> Mapping[str, click.Command]:
        """Return what plugins added to one of our groups."""
        self._take_in_plugins(ctx)
        start = f"{group} "
        found = {name: c for name, c in self.commands.items() if name.startswith(start)}
        return {name.removeprefix(start): command for name, command in found.items()}

    def suspects(self, ctx: click.Context) -> list[str]:
        """Return what is wrong with plugins that would add commands, a line each."""
        self._take_in_plugins(ctx)
        return [
            f"plugin {record.name!r} adds none: {note}"
            for record in ctx.ensure_object(Session).host.records
            for note in record.notes
            if note.startswith("gantk_commands ")
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections."""
        names = self.list_commands(ctx)
        sections = {title: list(section) for title, section in SECTIONS.items()}
        sections[_OTHERS] = [name for name in names if name not in _HOMES]
        width = max(map(len, names))
        for title, section in sections.items():
            commands = [(name, self.get_command(ctx, name)) for name in section]
            rows = [(name.ljust(width), c.get_short_help_str(60)) for name, c in commands if c]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line; unless told otherwise, leave the process with its exit code."""
        session = extra.setdefault("obj", Session())
        if COMPLETE in os.environ:
            from gan_toolkit.cli.shells import register

            register()

        def call() -> Any:
            name = prog_name or "gantk"
            try:
                return super(Root, self).main(args, name, complete_var, False, **extra)
            except _Raised as raised:
                carried = raised.__cause__
            assert carried is not None, "it carries something"
            raise carried

        if not standalone_mode:
            return call()
        sys.exit(failing(call, session))

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the arguments before the command's name."""
        with _past_click():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        with _past_click():
            return super().invoke(ctx)

    def _in_group(self, name: str) -> list[str]:
        """Return our commands of the group a name stands in; ValueError if there is no such."""
        above, within, _ = name.partition(" ")
        if not within:
            return []
        group = self.get_command(click.Context(self), above) if above in _HOMES else None
        if not isinstance(group, click.Group):
            raise ValueError(f"there is no group {above!r} for the command {name!r}")
        return [f"{above} {inner}" for inner in group.commands]

    def _take_in_plugins(self, ctx: click.Context) -> None:
        session = ctx.ensure_object(Session)
        if "commands added" not in ctx.meta:
            ctx.meta["commands added"] = True
            self.commands.clear()
            session.host.add_commands(self)


@click.command(
    "gantk",
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Completion for your shell: gantk completion --help",
)
@click.version_option(gan_toolkit.__version__, prog_name="gan-toolkit")
@shared
@click.pass_context
def cli(context: click.Context) -> None:
    """Train GANs whose latent codes mean something, and see that they do.

    Start with `gantk recipe list`, then `gantk run NAME`.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
    context.call_on_close(context.ensure_object(Session).listen())
