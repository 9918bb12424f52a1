"""Records: data classes that cannot change, with slots, and cheap to define.

`@dataclass(frozen=True, slots=True)` compiles seven methods of each class, which takes 0.7 ms. A start
imports more than a hundred classes and calls few of their methods; `@record` compiles each when it is first
called.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Makes the data class that `@dataclass(frozen=True, slots=True)` makes, for a twentieth of the time."""
    own = {name for name in _GENERATE if vars(cls).get(name) is not None}
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name in _GENERATE.keys() - own:
        setattr(made, name, _defer(made, name))
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    made.__getstate__, made.__setstate__ = _get_state, _set_state
    return made  # type: ignore[no-any-return]


def _defer(cls: type, name: str) -> Callable[..., Any]:
    """Returns a method that replaces itself with the generated one when it is called."""

    def method(self: object, *args: Any, **kwargs: Any) -> Any:
        generated = _GENERATE[name](cls)
        setattr(cls, name, generated)
        return generated(self, *args, **kwargs)

    return method


def _generate_init(cls: Any) -> Callable[..., None]:
    """Compiles `__init__`; `dataclass` compiles two more methods with it, and takes four times as long."""
    known: dict[str, Any] = {"set_field": object.__setattr__, "MISSING": MISSING}
    parameters, lines = ["self"], []
    for member in fields(cls):
        name, value, default, own = member.name, member.name, "", ""
        if member.default is not MISSING:
            known[f"default_{name}"] = member.default
            default = own = f"default_{name}"
        elif member.default_factory is not MISSING:
            known[f"make_{name}"] = member.default_factory
            default, own = "MISSING", f"make_{name}()"
            value = f"{own} if {name} is MISSING else {name}"
        if member.init:
            parameters.append(f"{name}={default}" if default else name)
        lines.append(f"set_field(self, {name!r}, {value if member.init else own})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "\n    ".join(lines or ["pass"])
    exec(f"def __init__({', '.join(parameters)}):\n    {body}", known)  # noqa: S102  # names of our fields
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _generate(name: str, option: str) -> Callable[[Any], Callable[..., Any]]:
    """Returns a function that lets `dataclass` generate a method, for a class with the same fields."""

    def generate(cls: Any) -> Callable[..., Any]:
        twin: dict[str, Any] = {member.name: member for member in fields(cls)}
        twin["__annotations__"] = {member.name: member.type for member in fields(cls)}
        options = {"init": False, "repr": False, "eq": False, option: True}
        method: Callable[..., Any] = vars(dataclass(**options)(type(cls.__name__, (), twin)))[name]
        return method

    return generate


_GENERATE = {
    "__init__": _generate_init,
    "__repr__": _generate("__repr__", "repr"),
    "__eq__": _generate("__eq__", "eq"),
    "__hash__": _generate("__hash__", "unsafe_hash"),
}
"""What generates each of the methods that depend on the fields."""


def _refuse_to_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    """Returns the values of the fields, for copies and pickles: the usual way sets attributes."""
    return [getattr(self, member.name) for member in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for member, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, member.name, value)
