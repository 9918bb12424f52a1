"""All checks on serving a config on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.load import examine_config
from centralized_ml_api.local.doctor import disk, keys, memory, packages, platform, port
from centralized_ml_api.local.weights.cache import cache_root
from centralized_ml_api.plan.finding import build_config_findings

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.plan.finding import Finding


def examine(path: Path, wanted_port: int, state: Path, now: datetime) -> list[Finding]:
    """Everything that is found, at once: the config's problems do not hide those of the machine."""
    config, problems = examine_config(path, now=now)
    served = [one.local for one in config.entries if one.local] if config else []
    return [
        *build_config_findings(path, problems),
        *platform.check(),
        *port.check(wanted_port),
        *keys.check(state),
        *memory.check(served),
        *packages.check(served),
        *disk.check(cache_root(None)),
    ]
