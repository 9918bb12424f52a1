"""What the processes that this one starts see of its environment: everything but the keys of providers.

The variables stay in this process, which reads them; a server, a package's installation or the gateway would
only pass them on, to code that others wrote and to whoever may look at that process.
"""

from __future__ import annotations

import os

_WITHHELD: set[str] = set()


def withhold(variable: str) -> None:
    """Keeps an environment variable from every process that is started from now on."""
    _WITHHELD.add(variable)


def inherited_environment() -> dict[str, str]:
    """Returns the variables that a child may see."""
    return {name: value for name, value in os.environ.items() if name not in _WITHHELD}


def sidecar_environment() -> dict[str, str]:
    """Returns the variables that a helper of the gateway sees: none of AWS, which it never calls."""
    return {name: value for name, value in inherited_environment().items() if not name.startswith("AWS_")}
