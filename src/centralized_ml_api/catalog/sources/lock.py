"""`jumpstart.lock.json`: pins versions and specs beside a config, so that every run gives the same result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.facts import Fidelity, Source
from centralized_ml_api.catalog.failures import LockError
from centralized_ml_api.catalog.rules.versions import matches, newest_first
from centralized_ml_api.catalog.sources.source import Found
from centralized_ml_api.catalog.spec import Spec, prune
from centralized_ml_api.commands import command
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOCK_NAME = "jumpstart.lock.json"
_FORMAT = 1


@record
class Locked:
    """One model of the lock: `requested` is the version that the config asked for, such as `*`.

    `source` is where the spec was taken from then; `sha256` is of the spec's canonical JSON.
    """

    model_id: str
    requested: str
    version: str
    source: Source
    fidelity: Fidelity
    sha256: str
    spec: Spec

    @classmethod
    def of(cls, found: Found, requested: str) -> Locked:
        """Builds an entry of the lock: only the part of the spec that the rules read."""
        spec = prune(found.spec)
        return cls(
            model_id=spec["model_id"],
            requested=requested,
            version=spec["version"],
            source=found.source,
            fidelity=found.fidelity,
            sha256=_digest(spec),
            spec=spec,
        )


class Lock:
    """The models of a lock file; `path` and `fix` are for messages."""

    def __init__(self, path: Path, models: tuple[Locked, ...], fix: str) -> None:
        self._path = path
        self._fix = fix
        self.models = models

    def find(self, model_id: str, wanted: str) -> Found:
        """Returns the pinned spec of a model in a wanted version.

        Raises:
            LockError: The lock does not have it: it was made for another config, or for an older state of it.
        """
        of_model = [locked for locked in self.models if locked.model_id == model_id]
        versions = {locked.version: locked for locked in of_model if matches(locked.version, wanted)}
        if not versions:
            raise _drifted(self._path, model_id, wanted, of_model, self._fix)
        newest = versions[newest_first(versions)[0]]
        return Found(newest.spec, "lock", newest.fidelity)


def load_lock(path: Path, config: Path | None = None) -> Lock | None:
    """Reads a lock file; None if there is none.

    Args:
        path: The file.
        config: Whose models it locks, for messages; None for the default.

    Raises:
        LockError: It cannot be read, or something other than `mlapi lock` changed it.
    """
    fix = f"write it anew: {command('lock', *([config] if config else []))}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LockError(f"{path} cannot be read: {error}", fix=fix) from error
    return Lock(path, tuple(_locked(path, model, fix) for model in _models(path, document, fix)), fix)


def render_lock(models: Iterable[Locked]) -> str:
    """Renders a lock file, in the order of the models. Pure: the same models give the same text."""
    document = {"format": _FORMAT, "models": [asdict(model) for model in models]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _models(path: Path, document: Any, fix: str) -> list[Any]:
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list) or document.get("format") != _FORMAT:
        raise LockError(f"{path} has an unknown form", fix=fix)
    return models


def _locked(path: Path, written: Any, fix: str) -> Locked:
    try:
        locked = Locked(**written)
    except TypeError as error:
        raise LockError(f"{path} has an unknown form: {error}", fix=fix) from error
    if locked.sha256 != _digest(locked.spec):
        raise LockError(
            f"{path} was changed by hand: its entry for {locked.model_id} is not what was locked", fix=fix
        )
    return locked


def _drifted(path: Path, model_id: str, wanted: str, locked: list[Locked], fix: str) -> LockError:
    have = (
        f"it has {', '.join(entry.version for entry in locked)}"
        if locked
        else "it has no version of that model"
    )
    return LockError(
        f"{path.name} does not cover {model_id} {wanted}: {have}",
        found=f"{model_id} {wanted}; {have}",
        expected=f"what {path.name} covers, as long as that file exists",
        fix=fix,
    )


def _digest(spec: Any) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
