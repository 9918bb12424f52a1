"""`mlapi smoke`: calls every model of a running API with its sample."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import DEFAULT_CONFIG, json_option, state_flag, state_option
from centralized_ml_api.cli.request import (
    FIRST_ERROR_STATUS,
    UnreachableError,
    choose_address,
    explain_failures,
    is_text,
    key_option,
    load_sample_body,
    post,
)
from centralized_ml_api.cli.targets import running_config
from centralized_ml_api.errors import MlApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.cli.request import Body
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

Verdict = Literal["ok", "failed", "skipped"]

_NOT_SERVED_STATUS = 501
_SHOWN_CHARACTERS = 60
_SHOWN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one model answered.

    `said` is how the answer begins, or why there is none. `status` is that of HTTP, None where no answer
    came. `milliseconds` counts until the last byte of the answer.
    """

    name: str
    verdict: Verdict
    said: str
    status: int | None = None
    milliseconds: int | None = None
    content_type: str = ""
    size_bytes: int | None = None


@click.command()
@click.argument("url", required=False)
@key_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config with the models and samples. Default: the one that runs here, with URL "
    "config/models.json.",
)
@state_option
@json_option
def smoke(url: str | None, key: str | None, config: Path | None, state: Path, *, as_json: bool) -> int:
    """Call every model with its sample, one after the other.

    Without URL, the models of the API that runs here. A model without a sample, or one that is not served
    there (501), is skipped, with the reason. Exit status 1 when a model failed, or none answered.
    """
    from centralized_ml_api.cli.loading import load_plan_and_warn

    address = choose_address(url, state)
    plan = load_plan_and_warn(config or (DEFAULT_CONFIG if url else running_config(state)))
    outcomes = _call_all(plan, address, key, shown=not as_json)
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    passed = bool(verdicts["ok"]) and not verdicts["failed"]
    if as_json:
        models = [asdict(outcome) for outcome in outcomes]
        output.data_json({"url": address, "ok": passed, "models": models})
        return int(not passed)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count)
    output.talk(counts or "the config lists no model")
    failed = next((outcome.name for outcome in outcomes if outcome.verdict == "failed"), None)
    again = state_flag(state)
    if url is not None:
        output.next_command(f"mlapi call NAME BODY --url {address} shows a whole answer")
    elif failed:
        output.next_command(f"mlapi logs {failed}{again}")
    else:
        output.next_command(f"mlapi call NAME{again} shows a whole answer")
    return int(not passed)


def _call_all(plan: ApiPlan, address: str, key: str | None, *, shown: bool) -> list[Outcome]:
    """Returns each model's outcome; prints it as soon as it is known."""
    width = max((len(deployment.name) for deployment in plan.deployments), default=0)
    outcomes = []
    for deployment in plan.deployments:
        outcome = call_model(deployment, plan.folders, address, key)
        outcomes.append(outcome)
        if shown:
            output.data(render_outcome(outcome, width))
    return outcomes


def call_model(
    deployment: ModelDeployment, folders: Sequence[Path], address: str, key: str | None
) -> Outcome:
    """Sends the entry's sample to the API.

    Args:
        deployment: the entry.
        folders: where relative paths start.
        address: of the API, without a slash at its end.
        key: of the team, if there is one.

    Raises:
        UnreachableError: nothing listens at the address.
        UsageError: the sample's file cannot be read.
    """
    body = load_sample_body(deployment, folders)
    if body is None:
        return Outcome(deployment.name, "skipped", "it has no sample; add `sample` to the config")
    try:
        return _send(deployment.name, f"{address}{deployment.path}", body, key)
    except UnreachableError:
        raise  # what holds for all models is said once
    except MlApiError as error:
        return Outcome(deployment.name, "failed", error.message)


def _send(name: str, url: str, body: Body, key: str | None) -> Outcome:
    started = time.monotonic()
    answer = post(url, body, key)
    with explain_failures(url):
        content = answer.read()
    milliseconds = round((time.monotonic() - started) * 1000)
    kind = _on_one_line(answer.headers.get("Content-Type", ""))
    said = _beginning(content, kind) if answer.status < FIRST_ERROR_STATUS else _error_message(content, kind)
    return Outcome(name, judge(answer.status), said, answer.status, milliseconds, kind, len(content))


def judge(status: int) -> Verdict:
    """Returns what the status of an answer means for the model. Pure."""
    if status == _NOT_SERVED_STATUS:
        return "skipped"
    return "failed" if status >= FIRST_ERROR_STATUS else "ok"


def render_outcome(outcome: Outcome, width: int) -> str:
    """Returns one line of a table; `width` is that of the longest name. Pure."""
    status = outcome.status or ""
    took = "" if outcome.milliseconds is None else f"{outcome.milliseconds} ms"
    kind = f"{outcome.content_type}: " if outcome.verdict == "ok" and outcome.content_type else ""
    return (
        f"{outcome.name:{width}}  {outcome.verdict:7}  {status:3}  {took:>8}  {kind}{outcome.said}".rstrip()
    )


def _error_message(content: bytes, content_type: str) -> str:
    """Returns the message of an error of the API's shape, otherwise how the answer begins."""
    try:
        return _on_one_line(str(json.loads(content)["error"]["message"]))
    except (ValueError, LookupError, TypeError):
        return _beginning(content, content_type)


def _beginning(content: bytes, content_type: str) -> str:
    """Returns the first characters on one line, or the first bytes in hex where it is not text."""
    if not is_text(content_type, content):
        return content[:_SHOWN_BYTES].hex(" ")
    return _on_one_line(content.decode(errors="replace"))[:_SHOWN_CHARACTERS]


def _on_one_line(text: str) -> str:
    """Returns the text without what would move the cursor: others wrote it."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
