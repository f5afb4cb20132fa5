"""From an exception to one line on stderr and an exit code: the only place that knows both."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from gan_toolkit.cli.session import Session
from gan_toolkit.cli.streams import is_terminal, let_go, nobody_reads
from gan_toolkit.cli.text import command, echo, put_json
from gan_toolkit.errors import (
    DeviceError,
    ExitCode,
    GantkError,
    Interrupted,
    PluginError,
    Preempted,
    RankError,
    RecipeError,
    StorageError,
    UsageError,
)
from gan_toolkit.signals import Stop

CLOSED_PIPE = 141
"""What a shell shows of a tool that SIGPIPE ended; we get no SIGPIPE, and end the same way."""
_STORAGE = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO,
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip
_MEMORY_WORDS = ("can't allocate memory", "out of memory")


def failing(call: Callable[[], Any], session: Session) -> int:
    """Call, and return the exit code; whatever was raised is explained on stderr."""
    try:
        code = call()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = ExitCode.RECIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the end of every error's way
        closed = isinstance(error, BrokenPipeError) and nobody_reads()
        code = CLOSED_PIPE if closed else _report(error, session)
    let_go()
    return code if isinstance(code, int) else ExitCode.DONE


def known(error: BaseException) -> GantkError | None:
    """Return what the user can act on: the error itself, or what a system's error means."""
    if isinstance(error, PluginError) and error.__cause__ is not None:
        return _of_the_machine(error.__cause__) or error  # it met the plugin by chance
    if isinstance(error, GantkError):
        return error
    if isinstance(error, click.ClickException):
        return UsageError(_usage(error))
    if isinstance(error, Stop):
        return Preempted(f"stopped by {error}")
    if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
        return Interrupted("stopped at once; what was saved before is whole")
    return _of_the_machine(error)


def lines_of(error: GantkError) -> list[str]:
    """Return an error in one line, or one for each problem of a recipe."""
    if not isinstance(error, RecipeError):
        return [" ".join(str(error).splitlines()) or type(error).__name__]
    lines = [str(problem) for problem in error.problems]
    if len(lines) > 1:
        lines.append(str(error).splitlines()[-1])
    return [" ".join(line.splitlines()) for line in lines]


def _of_the_machine(error: BaseException) -> GantkError | None:
    if isinstance(error, OSError) and error.errno in _STORAGE:
        where = f"{error.filename}: " if error.filename else ""
        return StorageError(f"{where}{error.strerror}; make room or choose another folder")
    if _is_out_of_memory(error):
        first = (str(error).splitlines() or ["the system gave no more"])[0].partition(". ")[0]
        return DeviceError(
            f"out of memory ({first}); try a smaller run.batch_size with a larger run.accumulate, "
            "or another --device"
        )
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and any(words in text for words in _MEMORY_WORDS)


def _report(error: BaseException, session: Session) -> int:
    found = known(error)
    code = ExitCode.UNEXPECTED if found is None else found.exit_code
    if not _speaks(session, found, code, str(found or error)):
        return int(code)
    if isinstance(error, KeyboardInterrupt) and is_terminal(sys.stderr):
        click.echo(err=True)  # the terminal has written ^C
    if session.verbosity > 1 and not isinstance(found, Interrupted | Preempted):
        for line in "".join(traceback.format_exception(error)).splitlines():
            echo(line)
    first = (str(error).splitlines() or ["no message"])[0]
    lines = [f"unexpected {type(error).__name__}: {first}"] if found is None else lines_of(found)
    own = "" if isinstance(found, RecipeError) else f"gantk: {_rank(session)}"
    for line in lines:
        echo(own + line + (f"; {_where(session)}" if found is None else ""))
    if session.run is not None and isinstance(found, Interrupted | Preempted):
        saved = "" if session.saved_at is None else f"saved at step {session.saved_at:,}; "
        echo(f"{saved}resume with: {command('resume', session.run)}")
    if session.events:
        _tell_end(session, code, "\n".join(lines))
    return int(code)


def _speaks(session: Session, found: GantkError | None, code: ExitCode, cause: str) -> bool:
    """Return whether it is for this process to tell: of several that end, one does."""
    if isinstance(found, RankError) and found.told:
        return False
    return session.ranks is None or session.ranks.speaks(int(code), cause)


def _rank(session: Session) -> str:
    """Name the process, unless it is the one that speaks anyway."""
    return (
        "" if session.ranks is None or session.ranks.is_first else f"rank {session.ranks.index}: "
    )


def _tell_end(session: Session, code: ExitCode, cause: str) -> None:
    """Write the last object of a run that did not end well."""
    stopped = code in (ExitCode.PREEMPTED, ExitCode.INTERRUPTED)
    run = {} if session.run is None else {"run": str(session.run)}
    end = {"event": "end", "outcome": "stopped" if stopped else "failed", **run}
    with suppress(OSError):
        put_json(end | {"exit_code": int(code), "cause": cause})


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    help_at = f"; see: {context.command_path} --help" if context else ""
    return f"{text.rstrip('.')}{help_at}"


def _where(session: Session) -> str:
    """Say where the traceback is."""
    if session.run is None:
        return "this is a fault of ours: -vv shows where"
    return f"traceback in {session.run / 'log.txt'}"
