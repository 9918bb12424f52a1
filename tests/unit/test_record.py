"""A record is the frozen data class with slots that the standard decorator makes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar

import pytest

from centralized_ml_api.record import record


@record
class Point:
    """A place."""

    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, compare=False)
    kind: str = field(default="point", init=False, repr=False)
    notes: list[str] = field(default_factory=list, init=False, compare=False)

    MOST: ClassVar[int] = 7

    @property
    def sum(self) -> int:
        """Both together."""
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class StandardPoint:
    """The same, by the standard decorator."""

    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, compare=False)
    kind: str = field(default="point", init=False, repr=False)
    notes: list[str] = field(default_factory=list, init=False, compare=False)


@record
class Solid(Point):
    """A place in space, not below the ground."""

    z: int = 0

    def __post_init__(self) -> None:
        if self.z < 0:
            raise ValueError(self.z)


@record
class OwnEquality:  # noqa: PLW1641  # the decorator adds a hash
    """Equal to all others of its kind."""

    x: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnEquality)

    def __repr__(self) -> str:
        return "own"


@pytest.mark.parametrize(
    ("positional", "named"), [((1,), {}), ((1, 2), {}), ((), {"x": 1, "y": 2}), ((1,), {"names": ["a"]})]
)
def test_a_record_is_made_shown_compared_and_hashed_like_a_data_class(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = Point(*positional, **named), StandardPoint(*positional, **named)
    assert repr(ours) == repr(theirs).replace("StandardPoint", "Point")
    assert asdict(ours) == asdict(theirs)
    assert hash(ours) == hash(theirs)
    assert ours == Point(*positional, **named) != replace(ours, x=9)
    other_class: object = theirs
    assert ours != other_class
    assert [each.name for each in fields(ours)] == ["x", "y", "names", "kind", "notes"]
    assert (ours.sum, Point.MOST) == (ours.x + ours.y, 7)
    assert is_dataclass(Point)


def test_a_default_factory_is_called_for_each() -> None:
    assert Point(1).names is not Point(1).names


def test_what_is_missing_or_unknown_is_named_as_python_does() -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) got an unexpected keyword argument 'w'"):
        Point(1, w=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["x", "unknown"])
def test_nothing_of_it_can_change(name: str) -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(point, name, 2)
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
        delattr(point, name)
    assert not hasattr(point, "__dict__")


def test_copies_and_pickles_are_equal() -> None:
    point = Solid(1, 2, ["a"], z=3)
    assert copy.copy(point) == copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point  # noqa: S301


def test_a_record_may_extend_another_and_check_itself() -> None:
    solid = Solid(1, z=3)
    assert repr(solid) == "Solid(x=1, y=0, names=[], notes=[], z=3)"
    assert solid != Point(1)
    with pytest.raises(ValueError, match="-1"):
        replace(solid, z=-1)


def test_its_own_methods_stay() -> None:
    assert OwnEquality(1) == OwnEquality(2)
    assert repr(OwnEquality(1)) == "own"
    assert hash(OwnEquality(1)) == hash((1,))


def test_patterns_match_by_position() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_a_method_is_compiled_when_it_is_first_called() -> None:
    @record
    class Fresh:
        """Not used yet."""

        x: int

    deferred = vars(Fresh)["__init__"]
    assert Fresh(1) == Fresh(1)
    assert vars(Fresh)["__init__"] is not deferred
