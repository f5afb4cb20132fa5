"""`requires = ["alpha>=0.2"]`: plugins or distributions a recipe needs, with versions."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from gan_toolkit import __version__
from gan_toolkit.discovery import normal
from gan_toolkit.errors import ExitCode
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe.expectation import found


def unmet(requires: list[str], host: PluginHost) -> Iterator[tuple[str, ExitCode]]:
    """Yield, for each requirement that isn't met, why, and the exit code."""
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            requirement = None
        if requirement is None or requirement.url or requirement.marker or requirement.extras:
            remedy = 'a plugin with versions, such as "alpha>=0.2"'
            yield f"{found(text)} is not a requirement; {remedy}", ExitCode.RECIPE
        elif why := _why_unmet(requirement, host):
            yield why, ExitCode.PLUGIN


def trouble_of(record: PluginRecord) -> str:
    """Return why a plugin is not there, or nothing when it is, or was never asked for."""
    if record.status in ("failed", "incompatible"):
        return f"plugin {record.name!r} failed to load ({record.reason})"
    if record.status == "skipped":
        return f"plugin {record.name!r} was skipped ({record.reason})"
    if record.status == "blocked" and record.reason.startswith("blocked"):
        return f"plugin {record.name!r} is {record.reason}"
    return ""


def _why_unmet(requirement: Requirement, host: PluginHost) -> str:
    asked = f"the recipe asks for {requirement}"
    if normal(requirement.name) == "gan-toolkit":
        version = __version__
    else:
        record = _record(requirement.name, host)
        if record is None:
            return f"{requirement.name} is not installed; {asked}"
        if why := trouble_of(record):
            return f"{why}; {asked}; see: gantk plugins info {record.name}"
        if record.status != "loaded":
            return f"plugin {record.name!r} is not loaded ({record.reason}); {asked}"
        version = record.version
    try:
        good = not requirement.specifier or requirement.specifier.contains(version, True)
    except InvalidVersion:
        good = False
    return "" if good else f"{requirement.name} {version or '(no version)'} is installed; {asked}"


def _record(name: str, host: PluginHost) -> PluginRecord | None:
    by_name = host.record_of(name) or host.record_of(name.replace("-", "_"))
    if by_name is not None:
        return by_name
    same = [r for r in host.records if r.distribution and r.distribution == normal(name)]
    return next((r for r in same if r.status == "loaded"), same[0] if same else None)
