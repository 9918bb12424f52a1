"""Renders the entries of the troubleshooting page for failures that have none written by hand. Pure."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures.known import FAILURES

if TYPE_CHECKING:
    from collections.abc import Collection

    from centralized_ml_api.aws.failures.failure import Failure

_WIDTH = 120
_MARKUP = re.compile(r"[<*]")


def render_entries(written: Collection[str]) -> str:
    """Renders one entry, in Markdown, for each failure whose heading is not among those written by hand."""
    entries = (_render(failure) for failure in FAILURES if heading_of(failure) not in written)
    return "\n" + "".join(f"{entry}\n" for entry in entries)


def heading_of(failure: Failure) -> str:
    """Returns the heading of a failure's entry, whose anchor is the failure's id."""
    return failure.id.replace("-", " ").capitalize()


def _render(failure: Failure) -> str:
    said = f"{_sentence(failure.title)} {_sentence(failure.fix)}"
    if failure.docs:
        said += f" [AWS's page]({failure.docs})"
    return f"## {heading_of(failure)}\n\n{_wrap(said)}\n"


def _sentence(text: str) -> str:
    """Makes a sentence of a title or a fix; what Markdown would take for markup is escaped."""
    escaped = _MARKUP.sub(lambda mark: "\\" + mark[0], text)
    return f"{escaped[0].upper()}{escaped[1:]}."


def _wrap(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
