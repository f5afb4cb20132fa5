"""The command line, `gantk`: one file a command group, loaded when its command is called."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line and leave the process with an exit code."""
    # Threads that spin at barriers take eight times as long when another process has a core, and
    # no longer when none has; the variable counts only if it is set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from gan_toolkit.cli.root import cli
    from gan_toolkit.cli.session import Session

    cli(prog_name="gantk", obj=Session(owns_process=True))
