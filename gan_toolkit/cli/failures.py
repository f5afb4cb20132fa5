"""From an exception to one line on stderr and an exit code: the only place that knows both."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

from gan_toolkit.cli.session import Session
from gan_toolkit.cli.text import echo
from gan_toolkit.errors import (
    DeviceError,
    ExitCode,
    GantkError,
    Interrupted,
    Preempted,
    RecipeError,
    StorageError,
)

_STORAGE = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO,
}  # fmt: skip
_MEMORY_WORDS = ("can't allocate memory", "out of memory")


class Stop(KeyboardInterrupt):
    """The system asks for a stop while no training loop listens.

    Like Ctrl-C it is no Exception, so nothing that contains errors can swallow it.
    """


def failing(call: Callable[[], Any], session: Session) -> int:
    """Call, and return the exit code; whatever was raised is explained on stderr."""
    try:
        code = call()
    except KeyboardInterrupt as error:  # a second one, while the first was being dealt with
        return _report(error, session)
    except click.exceptions.Abort as error:
        return _report(error.__cause__ or error, session)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.RECIPE
    except click.ClickException as error:
        return _report_usage(error)
    except Exception as error:  # noqa: BLE001 - this is the end of every error's way
        return _report(error, session)
    return code if isinstance(code, int) else ExitCode.DONE


def known(error: BaseException) -> GantkError | None:
    """Return what the user can act on: the error itself, or what a system's error means."""
    if isinstance(error, GantkError):
        return error
    if isinstance(error, Stop):
        return Preempted(f"stopped by {error}")
    if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
        return Interrupted("stopped at once; what was saved before is whole")
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
    if session.verbosity > 1 and not isinstance(found, Interrupted | Preempted):
        click.echo("".join(traceback.format_exception(error)), err=True)
    if found is None:
        echo(f"gantk: unexpected {type(error).__name__}: {_first_line(error)}; {_where(session)}")
        return ExitCode.UNEXPECTED
    lines = str(found).splitlines() or [type(found).__name__]
    own = "" if isinstance(found, RecipeError) else "gantk: "
    for line in lines:
        echo(own + line)
    if session.run is not None and isinstance(found, Interrupted | Preempted):
        saved = "" if session.saved_at is None else f"saved at step {session.saved_at:,}; "
        echo(f"{saved}resume with: gantk resume {session.run}")
    return int(found.exit_code)


def _report_usage(error: click.ClickException) -> int:
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    help_at = f"; see: {context.command_path} --help" if context else ""
    echo(f"gantk: {text.rstrip('.')}{help_at}")
    return ExitCode.RECIPE


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no message"])[0]


def _where(session: Session) -> str:
    """Say where the traceback is."""
    if session.run is None:
        return "this is a fault of ours: -vv shows where"
    return f"traceback in {session.run / 'log.txt'}"
