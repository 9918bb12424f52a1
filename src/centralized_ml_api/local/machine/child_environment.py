"""What the processes that this one starts see of its environment: everything but the keys of providers.

The variables stay in this process, which reads them; a server, a package's installation or the gateway would
only pass them on, to code that others wrote and to whoever may look at that process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = "MLAPI_"
_WITHHELD: set[str] = set()


def withhold(variable: str) -> None:
    """Keeps an environment variable from every process that is started from now on."""
    _WITHHELD.add(variable)


def list_withheld() -> list[str]:
    """Returns the variables that no child sees."""
    return sorted(_WITHHELD)


def inherited_environment() -> dict[str, str]:
    """Returns the variables that a child may see."""
    return {name: value for name, value in os.environ.items() if name not in _WITHHELD}


def sidecar_environment() -> dict[str, str]:
    """Returns the variables that a helper of the gateway sees: none of AWS, which it never calls."""
    return {name: value for name, value in inherited_environment().items() if not name.startswith("AWS_")}


def build_environment(ours: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """Builds what a model server sees: the user's own variables, then those of the config, which win.

    Variables that start with `MLAPI_` are about this program, keys among them, and are left out.
    """
    inherited = {name: value for name, value in ours.items() if not name.startswith(_OURS)}
    return {**inherited, **configured}
