"""The database that the workers of a sweep share: opened, named, and with one kind of error."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from gan_toolkit.errors import StorageError, UsageError

_OPENINGS = 3
"""Tries to open a database, whose tables another worker may be making."""


@contextmanager
def reachable(shown: str) -> Iterator[None]:
    """Turn the errors of a database into a StorageError that names it.

    A trial that was settled meanwhile is left as it is: whoever slept was taken for dead, and
    another has the slot now.
    """
    try:
        yield
    except optuna.exceptions.UpdateFinishedTrialError:
        return
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
        cause = error.__cause__ or error
        first = (str(getattr(cause, "orig", None) or cause).splitlines() or ["no message"])[0]
        remedy = "every worker must reach it, and may write to it"
        if isinstance(cause, ImportError):
            remedy = "install the driver of this database"
        raise StorageError(f"can't use the storage {shown}: {first}; {remedy}") from error


def open_storage(url: str, beat: int, grace: int) -> optuna.storages.RDBStorage:
    """Open the database; when several workers make its tables at once, all but one try again."""
    patient = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    again = 0
    while True:
        try:
            return optuna.storages.RDBStorage(
                url, engine_kwargs=patient, heartbeat_interval=beat, grace_period=grace
            )
        except SQLAlchemyError:
            again += 1
            if again == _OPENINGS:
                raise
            time.sleep(0.2)


@contextmanager
def knowingly() -> Iterator[None]:
    """Heartbeats are experimental in Optuna, and outside of its own loop it warns of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage")
        yield


def url_of(path: Path) -> str:
    """Return the URL of an SQLite file; braces are doubled, since Optuna fills in templates."""
    url = sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string()
    return url.replace("{", "{{").replace("}", "}}")


def without_password(url: str) -> str:
    """Return a URL as it may be shown; UsageError when it is none."""
    try:
        return sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        raise UsageError(
            f"--storage {url}: not the URL of a database; such as sqlite:///sweep.db or "
            "postgresql://user@host/sweeps"
        ) from None
