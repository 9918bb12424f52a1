"""Each key of the format, with values of every kind: refused in words or taken, and never a crash."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.fields import engines, keys_of
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.schema import Config, LocalServing, Written
from centralized_ml_api.errors import ConfigError
from support.schema_kinds import find_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

VALUES: tuple[Any, ...] = (True, 10**30, "x", [], [None, 3, "x", {"y": 1}, [[]]], {"x": {}})


def build_objects(kind: type[Written]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields, for each key of `kind` and below it, the key and an object that has one of `VALUES` there."""
    for key, field in keys_of(kind).items():
        for value in VALUES:
            yield key, {key: value}
        if key == "local":
            for own, serving in build_servings():
                yield own, {key: serving}
            continue
        inner = list(dict.fromkeys(find_kinds(field.annotation)))
        in_list = "list[" in str(field.annotation)
        for each in inner:
            for own, built in build_objects(each):
                if in_list:
                    yield own, {key: [built]}
                if not in_list or len(inner) > 1:
                    yield own, {key: built}


def build_servings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields that of every engine; the keys that all have, once."""
    for own, built in build_objects(LocalServing):
        yield own, {"engine": "url", **built}
    for name, engine in engines().items():
        for own, built in build_objects(engine):
            if own not in LocalServing.fields_by_name():
                yield own, {"engine": name, **built}


def test_every_key_takes_or_refuses_every_kind_of_value(project: Path, now: datetime) -> None:
    path, tried = project / "config/odd.json", set()
    for key, config in build_objects(Config):
        path.write_text(json.dumps({"models": [], "endpoints": [], **config}))
        tried.add(key)
        with contextlib.suppress(ConfigError):
            load_config(path, now=now)
    assert {"speaks", "engine", "weights", "permissions", "price", "key", "domain"} <= tried
