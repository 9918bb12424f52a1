"""Putting functions into moto's classes: in one place, since a type checker rightly refuses each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def replace_attribute(owner: object, name: str, value: Any) -> None:
    """Gives a class or module another attribute: a method, a property, a static method."""
    setattr(owner, name, value)


def replace_class_method(owner: type, name: str, function: Callable[..., Any]) -> None:
    """Gives a class another class method, which takes the class first."""
    setattr(owner, name, classmethod(function))


def function_of(owner: type, name: str) -> Callable[..., Any]:
    """What a class method was made of, to be called with the class first."""
    function: Callable[..., Any] = getattr(owner, name).__func__
    return function
