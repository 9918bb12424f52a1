"""Revises a config file: checks an edit, saves it, and moves the end of the event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.document import Document, load_document
from centralized_ml_api.config.edit import save_text, set_value
from centralized_ml_api.config.load import check_text
from centralized_ml_api.errors import ConfigError, UsageError
from centralized_ml_api.record import record


@record
class Until:
    """An instant as it was meant: `instant` itself, or `later` than the present end, or `from_now`."""

    instant: datetime | None = None
    later: timedelta = timedelta(0)
    from_now: bool = False

    def resolve(self, ends: datetime | None, now: datetime) -> datetime:
        """Returns the instant, to the second, in the zone of `ends` unless it has its own. Pure.

        Without an end, or after it, `+2h` counts from now as `2h` does.

        Raises:
            UsageError: It is later than any instant that can be written.
        """
        if self.instant is not None:
            return self.instant
        here = now.astimezone(ends.tzinfo if ends else UTC)
        start = here if self.from_now or ends is None or ends < now else ends
        try:
            return (start + self.later).replace(microsecond=0)
        except OverflowError:
            raise UsageError("the end would be after the year 9999", fix="choose an earlier end") from None


@record
class MovedEnd:
    """A config whose event ends at another instant; nothing is saved yet.

    Attributes:
        config: The file.
        document: What was read from it.
        text: The new text.
        before: When the event ended; None where that was not written, or could not be read.
        after: When it ends now.
    """

    config: Path
    document: Document
    text: str
    before: datetime | None
    after: datetime

    def check_is_later(self, now: datetime, fix: str) -> None:
        """Checks that the event has not ended yet at its new end.

        Raises:
            UsageError: It has; `fix` says what to do.
        """
        if self.after <= now:
            raise UsageError(f"{write_instant(self.after)} is in the past", fix=fix)

    def check(self) -> None:
        """Checks that the config has no errors with the new end.

        Raises:
            ConfigError: It has errors.
        """
        check_edit(self.config, self.text)

    def save(self) -> None:
        """Replaces the file.

        Raises:
            ConfigError: The config has errors.
            UsageError: The file cannot be written, or somebody else changed it meanwhile.
        """
        save_edit(self.config, self.document, self.text)


def move_end(config: Path, until: Until, now: datetime) -> MovedEnd:
    """Builds the text of a config whose event ends at another instant; the rest of it stays as it is.

    Args:
        config: The file.
        until: The new end.
        now: The present instant.

    Raises:
        ConfigError: The file cannot be read.
        UsageError: The new end is later than any instant that can be written.
    """
    document = load_document(config)
    before = _find_end(document)
    after = until.resolve(before, now)
    text = set_value(document, ("event", "ends"), write_instant(after))
    return MovedEnd(config, document, text, before, after)


def write_instant(instant: datetime) -> str:
    """Returns the instant in its own zone, as people write it. Pure."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def check_edit(config: Path, text: str) -> None:
    """Checks that the config has no errors with the new text.

    Raises:
        ConfigError: It has errors; their locations are those of the new text.
    """
    problems = check_text(config, text, now=datetime.now(UTC))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=text)


def save_edit(config: Path, document: Document, text: str) -> None:
    """Replaces the file with the new text.

    Args:
        config: The file.
        document: What was read from it, to notice a change by somebody else.
        text: The new text.

    Raises:
        ConfigError: The new text has errors.
        UsageError: The file cannot be written, or somebody else changed it meanwhile.
    """
    check_edit(config, text)
    save_text(config, document.text, text)


def _find_end(document: Document) -> datetime | None:
    event = document.value.get("event") if isinstance(document.value, dict) else None
    ends = event.get("ends") if isinstance(event, dict) else None
    return parse_instant(ends) if isinstance(ends, str) else None
