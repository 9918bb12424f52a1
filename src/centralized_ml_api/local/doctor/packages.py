"""Whether the environments of python models can be built."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from centralized_ml_api.plan.engines import ENGINES
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from centralized_ml_api.config.schema import Local

CHECK = "packages"
_NEEDED = {"venv": "install your system's package of it, such as python3-venv", "pip": "python -m ensurepip"}


def check(served: Sequence[Local]) -> Iterator[Finding]:
    """For a config with models that have packages: whether their packages can be installed."""
    if not any(ENGINES[one.engine].installs_packages for one in served):
        return
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    for name in missing:
        title = f"{name} is missing: python models need it"
        yield Finding(CHECK, "error", title, fix=_NEEDED[name])
    if not missing:
        yield Finding(CHECK, "ok", "venv and pip are here, for the packages of python models")
