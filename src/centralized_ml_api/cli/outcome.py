"""How one model answers its sample: called, judged, in one line."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.cli.request import (
    FIRST_ERROR_STATUS,
    UnreachableError,
    explain_failures,
    is_text,
    post,
)
from centralized_ml_api.cli.sample_body import load_sample_body
from centralized_ml_api.errors import MlApiError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.cli.sample_body import Body
    from centralized_ml_api.plan.types import ModelDeployment

Verdict = Literal["ok", "failed", "skipped"]

NOT_SERVED_STATUS = 501
SHOWN_CHARACTERS = 60
SHOWN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one model answered.

    `said` is how the answer begins, or why there is none. `status` is HTTP's, None where no answer came;
    `milliseconds` counts until the answer's last byte.
    """

    name: str
    verdict: Verdict
    said: str
    status: int | None = None
    milliseconds: int | None = None
    content_type: str = ""
    size_bytes: int | None = None


def call_model(
    deployment: ModelDeployment, folders: Sequence[Path], address: str, key: str | None
) -> Outcome:
    """Sends the entry's sample to the API at `address`; `folders` are where relative paths start.

    Raises:
        UnreachableError: nobody listens at the address.
        UsageError: the sample's file cannot be read.
    """
    body = load_sample_body(deployment, folders)
    if body is None:
        return Outcome(deployment.name, "skipped", "it has no sample; add `sample` to the config")
    try:
        return _send(deployment.name, f"{address}{deployment.path}", body, key)
    except UnreachableError:
        raise  # what holds for all of them is said once
    except MlApiError as error:
        return Outcome(deployment.name, "failed", error.message)


def render_outcome(outcome: Outcome, width: int) -> str:
    """One line of a table; `width` is that of the longest name."""
    status = outcome.status or ""
    took = "" if outcome.milliseconds is None else f"{outcome.milliseconds} ms"
    kind = f"{outcome.content_type}: " if outcome.verdict == "ok" and outcome.content_type else ""
    return (
        f"{outcome.name:{width}}  {outcome.verdict:7}  {status:3}  {took:>8}  {kind}{outcome.said}".rstrip()
    )


def _send(name: str, url: str, body: Body, key: str | None) -> Outcome:
    started = time.monotonic()
    answer = post(url, body, key)
    with explain_failures(url):
        content = answer.read()
    milliseconds = round((time.monotonic() - started) * 1000)
    kind = _on_one_line(answer.headers.get("Content-Type", ""))
    said = _beginning(content, kind) if answer.status < FIRST_ERROR_STATUS else _message(content, kind)
    return Outcome(name, _judge(answer.status), said, answer.status, milliseconds, kind, len(content))


def _judge(status: int) -> Verdict:
    if status == NOT_SERVED_STATUS:
        return "skipped"
    return "failed" if status >= FIRST_ERROR_STATUS else "ok"


def _message(content: bytes, content_type: str) -> str:
    """What an error of the API's shape says, else how the answer begins."""
    try:
        return _on_one_line(str(json.loads(content)["error"]["message"]))
    except (ValueError, LookupError, TypeError):
        return _beginning(content, content_type)


def _beginning(content: bytes, content_type: str) -> str:
    """Its first characters on one line, or its first bytes in hex where it is no text."""
    if not is_text(content_type, content):
        return content[:SHOWN_BYTES].hex(" ")
    return _on_one_line(content.decode(errors="replace"))[:SHOWN_CHARACTERS]


def _on_one_line(text: str) -> str:
    """Without what would move the cursor: the text is not ours."""
    return "".join(one if one.isprintable() else " " for one in " ".join(text.split()))
