"""Whether the programs and packages that serving takes are installed and run on this platform."""

from __future__ import annotations

import importlib.util
import platform
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.extras import build_fix, find_missing
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.plan.bedrock import find_bedrock
from centralized_ml_api.plan.engines import ENGINES
from centralized_ml_api.plan.finding import Finding
from centralized_ml_api.plan.provider import find_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from centralized_ml_api.config.schema import Config, Local

_OURS = {"awslambdaric": "runs the functions", "xllamacpp": "runs the language models"}
_FOR_PACKAGES = {
    "venv": "install your system's package for it, such as python3-venv",
    "pip": "python -m ensurepip",
}


def check_programs(ours: Mapping[str, str] = _OURS) -> Iterator[Finding]:
    """Yields one finding for Envoy, and one for each missing package of `ours`, which says what each does."""
    here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    try:
        yield Finding("platform", "ok", f"Envoy runs here: {find_envoy()}", here)
    except StartError as error:
        yield Finding("platform", "error", error.message, here, error.fix)
    for package in _missing(ours):
        title = f"{package} is missing: it {ours[package]}"
        yield Finding("platform", "error", title, here, build_fix("local"))


def check_packages(served: Sequence[Local], needed: Mapping[str, str] = _FOR_PACKAGES) -> Iterator[Finding]:
    """Yields whether packages of models can be installed; nothing where no model has any.

    Args:
        served: The `local` blocks of the config.
        needed: The modules that installing takes, and what to do when one is missing.
    """
    if not any(ENGINES[local.engine].installs_packages for local in served):
        return
    missing = _missing(needed)
    for name in missing:
        yield Finding("packages", "error", f"{name} is missing: python models need it", fix=needed[name])
    if not missing:
        yield Finding("packages", "ok", "venv and pip are installed; python models need them")


def check_translator(config: Config | None, missing: Sequence[str] | None = None) -> Iterator[Finding]:
    """Yields whether the translator can run; nothing where no provider is called, nor Bedrock.

    By Converse, Bedrock cannot be called without it; others only have fewer APIs.

    Args:
        config: What was read; None if it does not have the shape of a config.
        missing: The modules of the translator that are not installed; looked for by default.
    """
    entries = config.entries if config else ()
    hosted = [serving for entry in entries if (serving := find_provider(entry) or find_bedrock(entry))]
    if not hosted:
        return
    if find_missing("translator") if missing is None else missing:
        title = "Node.js is missing: it translates between clients' and providers' APIs"
        is_needed = any(serving.needs_translator for serving in hosted)
        yield Finding("translator", "error" if is_needed else "warning", title, fix=build_fix("translator"))
    else:
        yield Finding("translator", "ok", "Node.js is installed; it translates between APIs")


def _missing(modules: Mapping[str, str]) -> list[str]:
    return [name for name in modules if importlib.util.find_spec(name) is None]
