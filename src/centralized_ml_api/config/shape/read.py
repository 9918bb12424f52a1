"""A value of the file -> an object of the schema, where the value is plainly right; pure Python, so quick.

This never says what is wrong: whatever differs from the schema, or is so unusual that Python and pydantic
could disagree about it, is for pydantic, which `validate` then asks. A value that is read here is one that
pydantic takes, and the object is the same.
"""

from __future__ import annotations

import math
import re
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Read = Callable[[Any], Any]

Kind = TypeVar("Kind", bound=Written)


class UnsureError(ValueError):
    """The value is wrong, or unusual."""


def read_object(kind: type[Kind], value: Any) -> Kind:
    """Returns the object that a value of the file is.

    Raises:
        UnsureError: The value may be wrong.
    """
    found: Kind = read_value(kind, value)
    return found


def read_value(annotated: Any, value: Any) -> Any:
    """Returns what a value of the file is, read as a type.

    Raises:
        UnsureError: The value may be wrong.
    """
    try:
        return _build_reader(annotated)(value)
    except (UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise UnsureError from error


def _build_reader(annotated: Any) -> Read:
    """Builds the function that reads values of a type."""
    origin, parts = get_origin(annotated), get_args(annotated)
    if annotated in _PLAIN:
        return _PLAIN[annotated]
    if origin in _BUILDERS:
        return _BUILDERS[origin](*parts)
    if isinstance(annotated, type) and issubclass(annotated, Written):
        return _read_written(annotated)
    raise TypeError(f"the schema has no type {annotated!r}")


def _build_annotated(annotation: Any, *said: Any) -> Read:
    by = next((each.by for each in said if isinstance(each, Discriminator)), None)
    read = _build_reader(annotation) if by is None else _read_one_of(get_args(annotation), by)
    for each in said:
        if isinstance(each, Field):
            read = _limit(read, each)
    return read


def _read_string(value: Any) -> Any:
    if type(value) is not str:
        raise UnsureError
    if not value.isascii():
        value.encode()  # raises for half a surrogate pair, which is no text
    return value


def _read_float(value: Any) -> Any:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise UnsureError
    return float(value)


def _read_exactly(kind: type) -> Read:
    def read(value: Any) -> Any:
        return value if type(value) is kind else _refuse()

    return read


_PLAIN: dict[Any, Read] = {
    Any: lambda value: value,
    str: _read_string,
    int: _read_exactly(int),
    float: _read_float,
    bool: _read_exactly(bool),
}


def _read_word(*words: Any) -> Read:
    def read(value: Any) -> Any:
        return value if type(value) is str and value in words else _refuse()

    return read


def _read_list(item: Any) -> Read:
    read_item = _build_reader(item)

    def read(value: Any) -> Any:
        return [read_item(each) for each in value] if type(value) is list else _refuse()

    return read


def _read_dict(key: Any, item: Any) -> Read:
    read_key, read_item = _build_reader(key), _build_reader(item)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise UnsureError
        return {read_key(own): read_item(each) for own, each in value.items()}

    return read


def _read_optional(annotated: Any, none: Any) -> Read:
    """Reads what may be None; the schema has no other union without tags."""
    if none is not NoneType:
        raise TypeError(f"the schema has a union of {annotated!r} and {none!r} without tags")
    read_given = _build_reader(annotated)

    def read(value: Any) -> Any:
        return None if value is None else read_given(value)

    return read


def _read_one_of(kinds: tuple[Any, ...], by: str | Callable[[Any], str]) -> Read:
    """Reads what is of one kind among several, each with its tag."""
    readers = {
        each.tag: _build_later(kind) for kind in kinds for each in get_args(kind) if isinstance(each, Tag)
    }

    def read(value: Any) -> Any:
        if isinstance(by, str):
            members = value if type(value) is dict else {}
            tag = members.get(by)
        else:
            tag = by(value)
        return readers[tag](value) if type(tag) is str and tag in readers else _refuse()

    return read


def _read_written(kind: type[Written]) -> Read:
    if kind not in _READERS:
        _READERS[kind] = _build_written(kind)
    return _READERS[kind]


def _build_written(kind: type[Written]) -> Read:
    fields = kind.fields_by_name().values()
    members = {field.key: (field.name, _build_later(field.annotated)) for field in fields}
    required = [field.name for field in fields if field.is_required]

    def read(value: Any) -> Any:
        if type(value) is not dict or not value.keys() <= members.keys():
            raise UnsureError
        own = {}
        for key, member in value.items():
            name, read_member = members[key]
            own[name] = read_member(member)
        return kind(**own) if all(name in own for name in required) else _refuse()

    return read


_READERS: dict[type[Written], Read] = {}
_BUILDERS: dict[Any, Callable[..., Read]] = {
    Annotated: _build_annotated,
    Literal: _read_word,
    list: _read_list,
    dict: _read_dict,
    Union: _read_optional,
    UnionType: _read_optional,
}


def _build_later(annotated: Any) -> Read:
    """Builds the reader when it is first used: most configs use few fields and few kinds."""
    built: list[Read] = []

    def read(value: Any) -> Any:
        if not built:
            built.append(_build_reader(annotated))
        return built[0](value)

    return read


def _limit(read_any: Read, said: Field) -> Read:
    """Returns the reader, with the limits of a field; those of what may be left out are not of `None`."""
    checks = [*_list_checks(said)]
    if not checks:
        return read_any

    def read(value: Any) -> Any:
        found = read_any(value)
        return found if found is None or all(check(found) for check in checks) else _refuse()

    return read


def _list_checks(said: Field) -> Iterable[Callable[[Any], bool]]:
    """Yields a function for each limit, which returns whether a value keeps it for sure."""
    ge, gt, le, least, most = said.ge, said.gt, said.le, said.min_length, said.max_length
    if said.pattern is not None:
        search = re.compile(said.pattern).search
        # What `$`, `.` and `\s` mean for other characters differs between Python and pydantic.
        yield lambda found: found.isascii() and found.isprintable() and search(found) is not None
    if ge is not None:
        yield lambda found: found >= ge
    if gt is not None:
        yield lambda found: found > gt
    if le is not None:
        yield lambda found: found <= le
    if least is not None:
        yield lambda found: len(found) >= least
    if most is not None:
        yield lambda found: len(found) <= most


def _refuse() -> Any:
    raise UnsureError
