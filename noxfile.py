"""The checks: `nox -s lint types imports tests docs package`; --no-venv uses what is there."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "imports", "tests", "docs", "package"]
nox.options.reuse_existing_virtualenvs = True
PACKAGES = ["gan_toolkit", *sorted(map(str, Path("plugins").glob("*/gantk_*")))]


def install(session: nox.Session) -> None:
    """Install the toolkit with what its checks need, unless this environment has it."""
    if session.virtualenv.is_sandboxed:
        session.install("-e", ".[dev]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and banned names."""
    install(session)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the core and of every plugin."""
    install(session)
    session.run("mypy", *PACKAGES)


@nox.session
def imports(session: nox.Session) -> None:
    """The layers: imports go down only."""
    install(session)
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """What the README calls the test command."""
    install(session)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """What pages show is true, links lead somewhere, and the site is built without a warning."""
    install(session)
    session.run("python", "-m", "pytest", "-q", "tests/docs")
    session.run("python", "-m", "sphinx", "-W", "docs", "site")


@nox.session
def package(session: nox.Session) -> None:
    """The wheel works without the sources beside it."""
    install(session)
    session.run("python", "-m", "pytest", "-q", "tests/packaging", "-m", "slow or not slow")


@nox.session
def gpu(session: nox.Session) -> None:
    """What needs a CUDA device."""
    install(session)
    session.run("python", "-m", "pytest", "-m", "gpu", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Everything, the slow tests included."""
    install(session)
    session.run("python", "-m", "pytest", "-m", "not gpu", *session.posargs, env=dict(os.environ))
