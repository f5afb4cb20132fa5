"""What every plugin promises: a light module, sound options, and components that keep contracts."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from gan_toolkit.recipe.options import Options
from gan_toolkit.registry import Component, Registry
from gan_toolkit.testing.conformance.kinds import CHECK, checks_of, conformance_of
from gan_toolkit.testing.conformance.trial import options_of, untried


class PluginConformance(ABC):
    """What every plugin promises. pytest also checks each component it offers, as `plugins check`.

    Beside `test_component`, which takes a component by its `trial` options, subclass the class of
    its kind for options that deserve a look.
    """

    @abstractmethod
    def module(self) -> str:
        """Return the name of the entry-point module."""

    def test_offering_loads_no_torch(self) -> None:
        code = f"import sys, {self.module()}; sys.exit('torch' in sys.modules)"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

        done = subprocess.run([sys.executable, "-c", code], check=False, env=environment)

        assert done.returncode == 0, "its module loads torch, or can't be imported by itself"

    def test_builders_take_the_options_and_agree_on_defaults(self) -> None:
        for component in self.offered():
            parameters = inspect.signature(component.load()).parameters
            fields = dict(component.options.model_fields)
            if component.kind == "optimiser":
                del fields["lr"]  # the engine's
            left = ", ".join(sorted(fields.keys() - parameters.keys()))
            assert not left, f"{component.build} does not take the options {left}"
            for name, field in fields.items():
                default = field.get_default(call_default_factory=True, validated_data={})
                own = parameters[name].default
                if not field.is_required() and own is not inspect.Parameter.empty:
                    assert _same_default(own, default), f"{component.build}: {name} is {own!r}"

    def test_every_component_has_a_summary_and_every_option_a_text(self) -> None:
        for component in self.offered():
            assert component.summary, f"{_called(component)} has no summary"
            for name, field in component.options.model_fields.items():
                assert field.description, f"{_called(component)}: option {name!r} has no text"

    def test_whole_numbers_have_a_least_value(self) -> None:
        """A count of -3 is refused where it stands in the recipe, not somewhere in a builder."""
        for component, given in _on_trial(self.offered()):
            for name in _whole_numbers(component.options):
                assert _refuses(given, name, -(10**12)), (
                    f"{_called(component)}: option {name!r} takes any whole number; "
                    "say the least: Annotated[int, Field(ge=...)]"
                )

    def test_options_survive_a_resolved_recipe(self) -> None:
        """Written out and read back they are the same, and a schema for editors can be made."""
        for component, given in _on_trial(self.offered()):
            schema = component.options.model_json_schema(by_alias=True)
            assert schema["additionalProperties"] is False, f"{_called(component)} takes any key"
            assert type(given).model_validate(_written(given)) == given, _called(component)

    def test_component(self, component: Component, check: str) -> None:
        conformance = conformance_of(component, self.registry())
        getattr(conformance, check)()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Let pytest show every check of every component as a test of its own."""
        if {"component", "check"} <= set(metafunc.fixturenames):
            pairs = [(one, check) for one in self.offered() for check in checks_of(one)]
            named = [f"{one.kind}-{one.name}-{check.removeprefix(CHECK)}" for one, check in pairs]
            metafunc.parametrize(("component", "check"), pairs, ids=named)

    def registry(self) -> Registry:
        """Return the plugin's components alone."""
        registry = Registry()
        with registry.owned_by(self.module()):
            offer = getattr(importlib.import_module(self.module()), "gantk_register", None)
            if offer is not None:
                offer(registry)
        return registry

    def offered(self) -> list[Component]:
        """Return its components."""
        return self.registry().all()


def _called(component: Component) -> str:
    return f"{component.kind} {component.name!r}"


def _same_default(own: object, option: object) -> bool:
    """Compare a builder's default with the option's, which is a list or dict where TOML has one."""
    if isinstance(own, tuple):
        own = list(own)
    return own == option or (own is None and not option)


def _whole_numbers(options: type[Options]) -> Iterator[str]:
    """Yield the names of the options that may be a whole number and nothing else."""
    for name, field in options.model_fields.items():
        if _is_whole(field):
            yield name


def _is_whole(field: FieldInfo) -> bool:
    return field.annotation is int or int in get_args(field.annotation)


def _on_trial(components: Iterable[Component]) -> Iterator[tuple[Component, Options]]:
    """Yield components with options; those that need files of the user are left out."""
    return ((one, options_of(one)) for one in components if not untried(one))


def _written(options: Options) -> dict[str, Any]:
    return options.model_dump(by_alias=True, exclude_none=True)


def _refuses(given: Options, name: str, value: int) -> bool:
    key = type(given).model_fields[name].alias or name
    try:
        type(given).model_validate({**_written(given), key: value})
    except ValidationError:
        return True
    return False
