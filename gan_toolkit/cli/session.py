"""What every command shares: the switches, the plugins, and a voice on stderr."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.streams import results_apart
from gan_toolkit.cli.text import echo

if TYPE_CHECKING:
    from pathlib import Path

    from gan_toolkit.distributed import Ranks
    from gan_toolkit.plugins import PluginHost

Command = TypeVar("Command", bound=Callable[..., Any])


class Session:
    """One call of the command line, from its options to its end.

    `owns_process`: the process ends with it.
    """

    def __init__(self, *, owns_process: bool = False) -> None:
        self.owns_process = owns_process
        self.switches: list[str] = []
        self.verbosity = 0
        self.run: Path | None = None
        """The folder of the run that this call makes or continues, once there is one."""
        self.saved_at: int | None = None
        """The step of the run's newest checkpoint."""
        self.events = False
        """Whether the command tells its events as JSON; then its failure is the last of them."""
        self.settle: Callable[[], None] = lambda: None
        """Makes the exit code certain, whatever signals arrive from now on."""
        self.ranks: Ranks | None = None
        """The processes that train together, once they have met."""
        self.say: Callable[[str], None] = echo
        """Prose for people; a live display puts its own voice here."""

    @cached_property
    def host(self) -> PluginHost:
        """The plugins, loaded on first use; each that failed is named in one line."""
        from gan_toolkit.plugins import load_plugins

        return load_plugins(self.switches)

    def listen(self) -> Callable[[], None]:
        """Let the library's own log messages come out as prose; return what ends it."""
        logger, ear = logging.getLogger("gantk"), Ear(self)
        level = logger.level
        logger.addHandler(ear)
        logger.setLevel(logging.DEBUG if self.verbosity else logging.INFO)

        def deafen() -> None:
            logger.removeHandler(ear)
            logger.setLevel(level)

        return deafen


class Ear(logging.Handler):
    """Passes log records on to a session's voice."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        """Say one message."""
        try:
            self._session.say(record.getMessage())
        except Exception:  # noqa: BLE001 - a message that can't be shown must not end a run
            self.handleError(record)


pass_session = click.make_pass_decorator(Session, ensure=True)


def _add_switches(context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> None:
    context.ensure_object(Session).switches.extend(value)


def _add_verbosity(context: click.Context, _option: click.Parameter, value: int) -> None:
    context.ensure_object(Session).verbosity += value


def shared(command: Command) -> Command:
    """Add the options that are understood before and after the name of a command.

    What plugins print while it works goes to stderr.
    """
    plugins = click.option(
        "-P",
        "--plugin",
        metavar="SWITCH",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_add_switches,
        shell_complete=completing.plugins,
        help="A plugin to leave out (no:NAME), to add (./file.py) or to unblock (NAME).",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        count=True,
        is_eager=True,
        expose_value=False,
        callback=_add_verbosity,
        help="Say more; -vv shows tracebacks.",
    )

    @wraps(command)
    def working(*arguments: Any, **options: Any) -> Any:
        with results_apart():
            return command(*arguments, **options)

    return plugins(verbose(cast("Command", working)))
