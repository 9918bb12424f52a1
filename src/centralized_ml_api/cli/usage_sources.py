"""Where `mlapi usage` has its numbers from."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.errors import NotRunningError, StartError

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.plan.usage.types import UsageTable


@dataclass(frozen=True, slots=True)
class Sources:
    """What the flags name."""

    config: Path
    target: Literal["local", "aws"]
    state: Path
    region: str | None
    stack: str


def load_usage(sources: Sources, since: datetime | None) -> UsageTable:
    """The table of one target since an instant; None for all times.

    Raises:
        NotRunningError: nothing was ever served with this state folder.
        StartError: the counts cannot be read.
        DeployError: AWS refused, or there is no such stack.
    """
    return _load_aws(sources, since) if sources.target == "aws" else _load_local(sources.state, since)


def _load_local(state: Path, since: datetime | None) -> UsageTable:
    from centralized_ml_api.local.usage.collector import UsageCollector  # noqa: PLC0415  # one target alone

    collector = UsageCollector.of_state(state.absolute())
    if not collector.has_any:
        raise NotRunningError(
            f"nothing was called with the state folder {state.absolute()} yet",
            fix="start it with: mlapi up (or name the folder: --state; for what is deployed: --target aws)",
        )
    try:
        return collector.load_table(since)
    except (sqlite3.Error, OSError) as error:
        raise StartError(
            f"the calls in {collector.store.path} cannot be counted: {error}",
            fix="look at the disk and at who owns the folder; nothing is lost until it works again",
        ) from error


def _load_aws(sources: Sources, since: datetime | None) -> UsageTable:
    from centralized_ml_api.cli.aws_target import check_installed  # noqa: PLC0415  # one target alone

    check_installed()
    from centralized_ml_api.aws.clients import AwsClients  # noqa: PLC0415
    from centralized_ml_api.aws.usage import load_table  # noqa: PLC0415

    return load_table(AwsClients(sources.region), sources.stack, since)
