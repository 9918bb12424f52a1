"""The environment of a model server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = "MLAPI_"


def build_environment(ours: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """What a model server sees: the user's own variables, then those of the config, which win.

    Variables that start with `MLAPI_` are about this program, keys among them, and are left out.
    """
    inherited = {name: value for name, value in ours.items() if not name.startswith(_OURS)}
    return {**inherited, **configured}
