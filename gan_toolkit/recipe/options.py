"""What the options of a component are made of: a strict base and the types the reader knows.

An options model holds TOML types: bool, int, float, str, Literal, list, dict and other options
models. A docstring under each field becomes help text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Choice(ABC):
    """A table with `use`, read: what stands in options in place of a number.

    The reader makes its subclass `gan_toolkit.recipe.Chosen`; the run makes a live object of it.
    """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the table with every value, as a resolved recipe writes it."""


class Options(BaseModel):
    """Base of the options of every component: strict, frozen, nothing unknown, nothing infinite."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _let_choices_pass(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        """Spare a schedule the bounds of the number it stands for: only the run knows its values.

        Being outermost, this works wherever an author writes the bounds.
        """
        if isinstance(value, Choice) and info.field_name is not None:
            place = cls.model_fields[info.field_name]
            if any(isinstance(mark, MaySchedule) for mark in marks_of(place)):
                return value
        return handler(value)


class NoOptions(Options):
    """The options of a component that leaves nothing to choose."""


@dataclass(frozen=True)
class Reference:
    """Marks names of tables of this recipe: `Annotated[list[str], Reference("latents")]`.

    On a text, a list of texts, or a dict, whose keys are then checked.
    """

    section: str
    """The section the tables stand in, such as "latents" or "regularisers"."""


@dataclass(frozen=True)
class MaySchedule:
    """Marks a number that may be a schedule instead; see `Scheduled`."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate as a number; `Options` lets a schedule pass before it comes here."""
        return handler(float)


Scheduled = Annotated[float | Choice, MaySchedule()]
"""A number, or a schedule table such as `{ use = "alpha", over = 100 }`.

Bounds are those of the number: `Annotated[Scheduled, Field(gt=0)]`.
"""


@dataclass(frozen=True)
class Relative:
    """Marks a path that belongs to the folder of the file it stands in; see `RecipePath`."""


RecipePath = Annotated[str, Relative()]
"""A path: a relative one is completed with the folder of the file it stands in."""


class EnvironmentText(str):
    """A text in which `${env:NAME}` was replaced; `written` is how it stood in the recipe."""

    __slots__ = ("written",)

    written: str

    def __new__(cls, value: str, written: str) -> EnvironmentText:
        """Remember `written` beside the value."""
        text = super().__new__(cls, value)
        text.written = written
        return text


@dataclass(frozen=True)
class Secret:
    """A text that only the environment holds: `${env:NAME}`, and written back as just that."""

    reference: str
    _value: str = field(repr=False, compare=False)

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    @classmethod
    def _read(cls, value: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, EnvironmentText) and is_reference(value.written):
            return cls(value.written, str(value))
        raise PydanticCustomError(
            "secret", "a secret never stands in a recipe; a reference such as ${env:NAME}"
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read from an expanded reference only."""
        return core_schema.no_info_plain_validator_function(cls._read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe it to editors."""
        return {"type": "string", "pattern": r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$"}


def is_reference(text: str) -> bool:
    """Return whether `text` is one `${env:NAME}` and nothing beside it."""
    name = text.removeprefix("${env:").removesuffix("}")
    return text == f"${{env:{name}}}" and name.isidentifier() and name.isascii()


def marks_of(place: FieldInfo) -> Iterator[Any]:
    """Yield the marks on a field, those inside `X | None` included."""
    yield from flat_metadata(place.metadata)
    for member in members_of(place.annotation):
        if get_origin(member) is Annotated:
            yield from flat_metadata(get_args(member)[1:])


def members_of(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, None left out; of anything else, itself."""
    if get_origin(annotation) in (Union, UnionType):
        return tuple(member for member in get_args(annotation) if member is not type(None))
    return (annotation,)


def flat_metadata(metadata: Any) -> Iterator[Any]:
    """Yield metadata one by one, what a `Field(…)` carries included."""
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark
