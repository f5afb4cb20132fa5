"""The example is a distribution of its own: `tests/packaging` installs it and runs its tests."""

collect_ignore = ["example"]
