"""Whether the keys of teams that a state folder has can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = "keys"


def check(state: Path) -> Iterator[Finding]:
    """One finding; none where there are no keys yet: `mlapi up` makes them."""
    try:
        records = KeyStore(state).load()
    except StartError as error:
        yield Finding(CHECK, "error", error.message, fix=error.fix)
        return
    if records:
        yield Finding(CHECK, "ok", "the keys of teams can be read", f"{len(records)} teams in {state}")
