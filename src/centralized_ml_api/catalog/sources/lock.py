"""`jumpstart.lock.json`: versions and specs pinned beside a config, so that the same comes out every time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.facts import Fidelity, Source
from centralized_ml_api.catalog.failures import LockError
from centralized_ml_api.catalog.rules.versions import matches, newest_first
from centralized_ml_api.catalog.sources.source import Found
from centralized_ml_api.catalog.spec import Spec, prune

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOCK_NAME = "jumpstart.lock.json"
_FORMAT = 1
_FIX = "mlapi lock"


@dataclass(frozen=True, slots=True)
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
        """What is to be locked: only the part of the spec that the rules read."""
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
    """The models of a lock file; `path` is for messages."""

    def __init__(self, path: Path, models: tuple[Locked, ...]) -> None:
        self._path = path
        self.models = models

    def find(self, model_id: str, wanted: str) -> Found:
        """The pinned spec of a model in a version that is wanted.

        Raises:
            LockError: the lock does not have it: it was made for another config, or for an older state of it.
        """
        of_model = [one for one in self.models if one.model_id == model_id]
        versions = {one.version: one for one in of_model if matches(one.version, wanted)}
        if not versions:
            raise _drifted(self._path, model_id, wanted, of_model)
        locked = versions[newest_first(versions)[0]]
        return Found(locked.spec, "lock", locked.fidelity)


def load_lock(path: Path) -> Lock | None:
    """The lock file, or None where there is none.

    Raises:
        LockError: it cannot be read, or was changed by something else than `mlapi lock`.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LockError(f"{path} cannot be read: {error}", fix=_FIX) from error
    return Lock(path, tuple(_locked(path, one) for one in _models(path, document)))


def render_lock(models: Iterable[Locked]) -> str:
    """The text of a lock file, in the order of the models. Pure: the same models give the same text."""
    document = {"format": _FORMAT, "models": [asdict(one) for one in models]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _models(path: Path, document: Any) -> list[Any]:
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list) or document.get("format") != _FORMAT:
        raise LockError(f"{path} is not in a form that is known here", fix=_FIX)
    return models


def _locked(path: Path, written: Any) -> Locked:
    try:
        locked = Locked(**written)
    except TypeError as error:
        raise LockError(f"{path} is not in a form that is known here: {error}", fix=_FIX) from error
    if locked.sha256 != _digest(locked.spec):
        raise LockError(
            f"{path} was changed by hand: what it says of {locked.model_id} is not what was locked", fix=_FIX
        )
    return locked


def _drifted(path: Path, model_id: str, wanted: str, locked: list[Locked]) -> LockError:
    have = f"it has {', '.join(one.version for one in locked)}" if locked else "it has no version of it"
    return LockError(
        f"{path.name} does not cover {model_id} {wanted}: {have}",
        found=f"{model_id} {wanted}; {have}",
        expected=f"what {path.name} covers, as long as that file is there",
        fix="`mlapi lock` writes it anew",
    )


def _digest(spec: Any) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
