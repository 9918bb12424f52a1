"""How verbs change the user's config: nothing is written that would not be a config without errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.config.edit import save_text
from centralized_ml_api.config.load import check_text
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.document import Document


def check_edit(config: Path, text: str) -> None:
    """Returns when the config has no error with that text.

    Raises:
        ConfigError: it has; the places are those of the new text.
    """
    problems = check_text(config, text, now=datetime.now(UTC))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=text)


def save_edit(config: Path, document: Document, text: str) -> None:
    """Puts the new text in place of what was read.

    Raises:
        ConfigError: it would have errors.
        UsageError: the file cannot be written, or somebody else changed it meanwhile.
    """
    check_edit(config, text)
    save_text(config, document.text, text)
