"""Configs that are each broken in one known way: all must be refused with a location inside the file."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.document import SourceText
from centralized_ml_api.config.document.json_reader import read_json
from centralized_ml_api.config.fields import keys_of, kind_at
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem

PROCESSES = 2
GARBAGE = ("}", "]", '"', "@", "'", ":", "{", "[", "\\", "nul", "01")
REQUIRED = frozenset({"name", "integration", "type", "code", "permissions", "timeout", "engine", "run"})
FREE_FORM = frozenset({"sample", "environment", "tags"})
_LETTERS = "abcxyzABC_-.$ 09éß漢😀\u202e\t\0\"'\\/{}[]:,"


@dataclass(slots=True)
class Refusals:
    """How broken configs were handled: `accepted`, `crashed` and `misplaced` should all be 0."""

    configs: int = 0
    accepted: int = 0
    crashed: int = 0
    misplaced: int = 0
    examples: list[str] = field(default_factory=list)

    def __add__(self, other: Refusals) -> Refusals:
        """Adds two counts."""
        return Refusals(
            self.configs + other.configs,
            self.accepted + other.accepted,
            self.crashed + other.crashed,
            self.misplaced + other.misplaced,
            self.examples + other.examples,
        )


def refuse_many(good: Path, count: int, now: datetime) -> Refusals:
    """Breaks a good config `count` times and loads the results, in two processes.

    Raises:
        ConfigError: The good config is not valid.
    """
    load_config(good, now=now)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(_refuse, good, count // PROCESSES, seed, now) for seed in range(PROCESSES)]
        return sum((part.result() for part in parts), Refusals())


def _refuse(good: Path, count: int, seed: int, now: datetime) -> Refusals:
    text, refusals = good.read_text(encoding="utf-8"), Refusals()
    random = Random(seed)  # noqa: S311  # the same every time
    for _ in range(count):
        broken, suffix = break_config(text, random)
        path = good.with_name(f"broken-{seed}{suffix}")
        path.write_bytes(broken.encode())
        refusals.configs += 1
        if fault := _find_fault(path, broken, now):
            setattr(refusals, fault, getattr(refusals, fault) + 1)
            refusals.examples.append(f"{fault}: {broken}")
    return refusals


def _find_fault(path: Path, text: str, now: datetime) -> str:
    """Returns the name of the count to increment; empty if the config was refused properly."""
    try:
        load_config(path, now=now)
    except ConfigError as error:
        return "" if all(is_inside(problem, text) for problem in error.problems) else "misplaced"
    except Exception:  # noqa: BLE001  # finding these is the purpose
        return "crashed"
    return "accepted"


def is_inside(problem: Problem, text: str) -> bool:
    """Returns whether the problem's location is in the text."""
    location, lines = problem.location, text.split("\n")
    if not 1 <= location.line <= len(lines):
        return False
    width = max(len(lines[location.line - 1]), 1)
    return 1 <= location.column <= width and location.column - 1 + location.length <= width


def break_config(good_text: str, random: Random) -> tuple[str, str]:
    """Breaks a good config: deletes, renames, duplicates or retypes a part, or damages the text.

    Returns the text and the suffix of the file. Undamaged JSON may become `.yaml`, because it is also YAML.
    """
    damage = random.choice([*_DAMAGED, *_CHANGED])
    document = read_json(SourceText("good.json", good_text))
    if damage in _DAMAGED:
        return _DAMAGED[damage](good_text, document, random), ".json"
    value = copy.deepcopy(json.loads(good_text))
    _CHANGED[damage](value, document, random)
    text = json.dumps(value, indent=random.choice([None, 2]), ensure_ascii=random.random() < 0.5)  # noqa: PLR2004
    return text, random.choice([".json", ".json", ".yaml"])


def _places(document: Document) -> list[NodePath]:
    """Returns the paths that the format gives a meaning: none inside samples, environments, tags."""
    return [path for path in document.values if path and not FREE_FORM & set(path[:-1])]


def _keyed(document: Document) -> list[NodePath]:
    return [path for path in _places(document) if isinstance(path[-1], str)]


def _at(value: Any, path: NodePath) -> Any:
    for step in path:
        value = value[step]
    return value


def _delete(value: Any, document: Document, random: Random) -> None:
    path = random.choice([path for path in _keyed(document) if path[-1] in REQUIRED])
    del _at(value, path[:-1])[path[-1]]


def _rename(value: Any, document: Document, random: Random) -> None:
    path = random.choice(_keyed(document))
    kind = kind_at(document, path[:-1])
    known = keys_of(kind) if kind else {}
    name = "".join(random.choice(_LETTERS) for _ in range(random.randint(1, 12)))
    name = f"{name}-" if name in known else name
    _at(value, path[:-1])[name] = _at(value, path[:-1]).pop(path[-1])


def _retype(value: Any, document: Document, random: Random) -> None:
    """Replaces a value by one of another type, which its key does not accept."""
    path = random.choice([path for path in _places(document) if path[-1] != "sample"])
    before = _at(value, path)
    values: list[Any] = [None, [[]], {"x": {}}, True]
    _at(value, path[:-1])[path[-1]] = random.choice(
        [other for other in values if type(other) is not type(before)]
    )


def _leave_range(value: Any, document: Document, random: Random) -> None:
    path = random.choice([path for path in _keyed(document) if type(_at(value, path)) is int])
    none = [] if path[-1] == "min_capacity" else [0]  # there may be no instance
    _at(value, path[:-1])[path[-1]] = random.choice([*none, -1, -random.getrandbits(60), 10**10, 10**30])


def _double(text: str, document: Document, random: Random) -> str:
    path = random.choice(_keyed(document))
    start, _ = document.keys[path]
    return f"{text[:start]}{json.dumps(path[-1])}: 1, {text[start:]}"


def _insert(text: str, document: Document, random: Random) -> str:
    place = random.choice(sorted(start for start, _ in document.values.values()))
    return text[:place] + random.choice(GARBAGE) + text[place:]


def _truncate(text: str, _document: Document, random: Random) -> str:
    return text[: random.randrange(len(text.rstrip()))]


_CHANGED: dict[str, Callable[[Any, Document, Random], None]] = {
    "delete": _delete,
    "rename": _rename,
    "retype": _retype,
    "range": _leave_range,
}
_DAMAGED: dict[str, Callable[[str, Document, Random], str]] = {
    "double": _double,
    "insert": _insert,
    "truncate": _truncate,
}
