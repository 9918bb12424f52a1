"""Whether the programs of the local target run on this platform."""

from __future__ import annotations

import importlib.util
import platform
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECK = "platform"
_PACKAGES = {"awslambdaric": "runs the functions", "xllamacpp": "runs the language models"}


def check() -> Iterator[Finding]:
    """One finding for Envoy, one for each package that is missing."""
    here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    try:
        yield Finding(CHECK, "ok", f"Envoy runs here: {find_envoy()}", here)
    except StartError as error:
        yield Finding(CHECK, "error", error.message, here, error.fix)
    for package, purpose in _PACKAGES.items():
        if importlib.util.find_spec(package) is None:
            fix = "pip install 'centralized-ml-api[local]'"
            yield Finding(CHECK, "error", f"{package} is missing: it {purpose}", here, fix)
