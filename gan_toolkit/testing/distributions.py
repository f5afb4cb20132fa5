"""Plugins laid down as installed distributions: what entry points see, without an installer."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def lay(
    site: Path,
    name: str,
    code: str,
    *,
    entry: str = "",
    target: str = "",
    distribution: str = "",
    version: str = "1.0",
) -> Path:
    """Lay a distribution `gantk-<name>` with a plugin `<name>` in a module `p_<name>` into `site`.

    With a `target`, which is a module that is there already, no module is written. Returns the
    folder of its metadata.
    """
    module = target or f"p_{name}"
    if not target:
        (site / f"{module}.py").write_text(dedent(code))
    distribution = distribution or f"gantk_{name}"
    info = site / f"{distribution}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[gan_toolkit]\n{entry or name} = {module}\n")
    return info
