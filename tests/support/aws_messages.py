"""Real messages of AWS and of the CDK, each with its public source and the known failure that explains it.

The words are the services' own; account numbers, names and request ids are neutral. One file a family, as in
`centralized_ml_api.aws.failures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parents[1] / "unit/aws/failures/messages"


@dataclass(frozen=True, slots=True)
class AwsMessage:
    """One message; `failure` is the id of what explains it."""

    failure: str
    source: str
    text: str


def load_messages() -> list[AwsMessage]:
    """Returns all messages, family by family."""
    return [
        AwsMessage(failure, message["source"], message["message"])
        for file in sorted(_FOLDER.glob("*.yaml"))
        for failure, messages in yaml.safe_load(file.read_text(encoding="utf-8")).items()
        for message in messages
    ]
