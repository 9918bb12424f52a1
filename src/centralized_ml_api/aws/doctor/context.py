"""What the checks look at: a config as far as it can be read, and AWS in one region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.config.load import examine_config
from centralized_ml_api.config.schema import Config, ModelEntry
from centralized_ml_api.errors import Problem

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """A deployment that is planned. `config` is None where the file is not even shaped like a config."""

    path: Path
    clients: AwsClients
    stack: str
    config: Config | None
    problems: tuple[Problem, ...]
    qualifier: str | None = None

    @property
    def models(self) -> list[ModelEntry]:
        """Returns the models to deploy; none where the config cannot be read."""
        return list(self.config.models) if self.config else []


def load_context(
    path: Path, clients: AwsClients, stack: str, now: datetime, qualifier: str | None = None
) -> DoctorContext:
    """Reads the config, but does not stop at its problems: AWS may have others.

    Args:
        path: The config.
        clients: Of the region of the deployment.
        stack: Its name.
        now: The present instant, with a zone.
        qualifier: Of the account's bootstrap for the CDK, None for the CDK's own.
    """
    config, problems = examine_config(path, now=now, region=clients.region)
    return DoctorContext(path, clients, stack, config, problems, qualifier)
