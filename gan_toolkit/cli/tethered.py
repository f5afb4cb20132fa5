"""The command line as a sweep calls it: it stops on words that come over standard input."""

from __future__ import annotations

import os
import sys

from gan_toolkit.cli import main
from gan_toolkit.sweep.process import obey


def tethered() -> None:
    """Listen to the worker of the sweep, then be the command line."""
    pipe = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    obey(pipe)
    main()


if __name__ == "__main__":
    tethered()
