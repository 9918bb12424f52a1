"""A download that may have been cut: the bytes so far, and which version of the file they belong to."""

from __future__ import annotations

import json
from pathlib import Path

from centralized_ml_api.record import record


@record
class Head:
    """What a server says before the bytes.

    Attributes:
        resumes_at: First byte of an answer to a range request (206); None when the answer starts at 0.
        total_bytes: Size of the whole file; None when the server does not say.
        validator: A strong ETag or a Last-Modified date; empty when there is none.
        sha256: The digest that the host itself vouches for; None when it does not.
        past_end: The range begins after the file's end (416).
    """

    resumes_at: int | None = None
    total_bytes: int | None = None
    validator: str = ""
    sha256: str | None = None
    past_end: bool = False


@record
class Partial:
    """A file that is not complete; beside it lies the validator of its version."""

    path: Path

    @property
    def _validator_path(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        """How many bytes have come; 0 without a file."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def resumable(self) -> bool:
        """Whether a later request could continue here."""
        return bool(self.size and self._read_validator())

    def resume_headers(self) -> dict[str, str]:
        """Returns the headers that ask for the rest if the file has not changed since; none to start anew.

        Source: RFC 9110, sections 13.1.5 (If-Range) and 14.2 (Range).
        """
        if not self.resumable:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._read_validator()}

    def accepts(self, head: Head) -> bool:
        """Returns whether the bytes after `head` can be used: from the start, or from where this one ends."""
        if head.past_end:
            return False
        if head.resumes_at is None:
            return True
        return head.resumes_at == self.size and head.validator in ("", self._read_validator())

    def begin(self, head: Head) -> int:
        """Prepares for the bytes after an accepted `head`; returns the offset of the first of them.

        Raises:
            OSError: The folder cannot be written.
        """
        if head.resumes_at is not None:
            return head.resumes_at
        self.discard()
        self._validator_path.write_text(json.dumps({"validator": head.validator}))
        return 0

    def discard(self) -> None:
        """Removes what has come."""
        self.path.unlink(missing_ok=True)
        self._validator_path.unlink(missing_ok=True)

    def _read_validator(self) -> str:
        try:
            return str(json.loads(self._validator_path.read_text())["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
