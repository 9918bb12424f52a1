"""The base class of every part of the file, and what may be said of a field beside its type.

Plain Python: what a verb of the command line imports must not take long, and pydantic takes longer than all
else together. `shape` reads values by these classes; it makes models of pydantic of them where it has to word
what is wrong, or to describe the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, dataclass_transform, get_args, get_origin

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRED: Any = object()
"""The default of a field that has none."""


class Field:
    """What a field may be besides its type, and what users read of it; all of it is optional.

    Args:
        description: For the reference and for editors.
        examples: Values that are right; the first is shown.
        alias: The key in the file, where it is not the name.
        json_schema_extra: What only the JSON Schema says, because a rule with a better message checks it.
        pattern: Of a string: a regular expression that must be found in it.
        ge: Of a number: the least.
        gt: Of a number: it must be more.
        le: Of a number: the most.
        min_length: Of a string or an array.
        max_length: The same.
    """

    __slots__ = (
        *("alias", "description", "examples", "ge", "gt", "json_schema_extra"),
        *("le", "max_length", "min_length", "pattern"),
    )

    def __init__(
        self,
        *,
        description: str | None = None,
        examples: list[Any] | None = None,
        alias: str | None = None,
        json_schema_extra: dict[str, Any] | None = None,
        pattern: str | None = None,
        ge: float | None = None,
        gt: float | None = None,
        le: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.description = description
        self.examples = examples
        self.alias = alias
        self.json_schema_extra = json_schema_extra
        self.pattern = pattern
        self.ge = ge
        self.gt = gt
        self.le = le
        self.min_length = min_length
        self.max_length = max_length

    def given(self) -> dict[str, Any]:
        """Returns what is said, by its name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


class Tag:
    """The name of one kind of value among several."""

    __slots__ = ("tag",)

    def __init__(self, tag: str) -> None:
        self.tag = tag


class Discriminator:
    """What tells the kinds of values apart: the key that has the tag, or a function that returns it."""

    __slots__ = ("by",)

    def __init__(self, by: str | Callable[[Any], str]) -> None:
        self.by = by


@record
class WrittenField:
    """A field of a class: its name and key, its type without what is said of it, its default.

    `annotated` is the whole type; `default` is `REQUIRED` where there is none.
    """

    name: str
    key: str
    annotated: Any
    annotation: Any
    default: Any
    description: str | None
    examples: list[Any] | None
    patterns: tuple[str, ...]
    json_schema_extra: Mapping[str, Any]

    @property
    def is_required(self) -> bool:
        """Whether the file must have the key."""
        return self.default is REQUIRED


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Written:
    """A part of the file, which never changes. Its fields are its annotations.

    The constructor takes them by name, and does not look at their types.
    """

    _fields: ClassVar[dict[str, WrittenField]]

    def __init__(self, **values: Any) -> None:
        own = vars(self)
        for name, field in type(self).fields_by_name().items():
            if name in values:
                own[name] = values.pop(name)
            elif field.is_required:
                raise TypeError(f"{type(self).__name__} needs {name}")
            else:
                own[name] = field.default.copy() if isinstance(field.default, (list, dict)) else field.default
        if values:
            raise TypeError(f"{type(self).__name__} has no {next(iter(values))}")

    @classmethod
    def fields_by_name(cls) -> dict[str, WrittenField]:
        """Returns the fields, those of the last base class first."""
        if "_fields" not in vars(cls):
            cls._fields = {
                name: _build_field(name, annotated, getattr(cls, name, REQUIRED))
                for base in reversed(cls.__mro__)
                if issubclass(base, Written) and base is not Written
                for name, annotated in base.__annotations__.items()
                if not _is_of_the_class(annotated)
            }
        return cls._fields

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to {name!r}: {type(self).__name__} never changes")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete {name!r}: {type(self).__name__} never changes")


def _is_of_the_class(annotated: Any) -> bool:
    origin: Any = get_origin(annotated)
    return origin is ClassVar


def _build_field(name: str, annotated: Any, default: Any) -> WrittenField:
    annotation, *said = get_args(annotated) if get_origin(annotated) is Annotated else (annotated,)
    about = [each for each in said if isinstance(each, Field)]

    def find(attribute: str) -> Any:
        return next((value for each in about if (value := getattr(each, attribute)) is not None), None)

    return WrittenField(
        name,
        find("alias") or name,
        annotated,
        annotation,
        default,
        find("description"),
        find("examples"),
        tuple(each.pattern for each in about if each.pattern),
        find("json_schema_extra") or {},
    )
