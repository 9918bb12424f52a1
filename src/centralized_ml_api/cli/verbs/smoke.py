"""`mlapi smoke`: calls every model of a running API with its sample."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.aws_words import explain_answer, render_explanation
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.request import (
    FIRST_ERROR_STATUS,
    KEY_VARIABLE,
    UnreachableError,
    ask,
    choose_api,
    explain_failures,
    is_text,
    key_option,
)
from centralized_ml_api.cli.served import load_planned, load_served
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.cli.verbs.logs import has_log
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import MlApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.cli.request import Api, Body
    from centralized_ml_api.cli.served import ServedModel
    from centralized_ml_api.local.status import LocalStatus

Verdict = Literal["ok", "failed", "skipped"]

_NOT_SERVED_STATUS = 501
_SHOWN_CHARACTERS = 60
_SHOWN_BYTES = 8
_START_SECONDS = 120.0
_LOOK_SECONDS = 0.5


class Waitable(Protocol):
    """What can be waited for: `ControlClient`."""

    def status(self) -> LocalStatus:
        """Returns how it is now."""
        ...


class Clock(Protocol):
    """Tells the time and waits: the module `time`."""

    def monotonic(self) -> float:
        """Returns seconds that only ever grow."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Waits."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one model answered.

    `said` is how the answer begins, or why there is none. `status` is that of HTTP, None where no answer
    came. `milliseconds` counts until the last byte of the answer. `meaning` explains what AWS said in it.
    """

    name: str
    verdict: Verdict
    said: str
    status: int | None = None
    milliseconds: int | None = None
    content_type: str = ""
    size_bytes: int | None = None
    meaning: str = ""


@click.command()
@click.argument("url", required=False)
@key_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Take the models and samples from this config. Default: what the API says of itself.",
)
@state_option
@json_option
def smoke(url: str | None, key: str | None, config: Path | None, state: Path, *, as_json: bool) -> int:
    """Call every model with its sample, one after the other.

    Without URL, it calls the API that runs here: it waits for models that are still starting and, where calls
    need a key, uses those of its teams. A model without a sample, or one that is not served there (501), is
    skipped, with the reason. The exit status is 1 when a model failed, or none answered.
    """
    api = choose_api(url, key, state)
    if url is None:
        client = connect(state)
        wait_settled(client, output.talk)
        if edit := client.status().unapplied:
            output.talk(f"Warning: {edit.sentence}")
    models = load_planned(load_plan_and_warn(config)) if config else load_served(api)
    outcomes = _call_all(models, api, shown=not as_json)
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    passed = bool(verdicts["ok"]) and not verdicts["failed"]
    if as_json:
        answers = [asdict(outcome) for outcome in outcomes]
        output.data_json({"url": api.address, "ok": passed, "models": answers})
        return int(not passed)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count)
    output.talk(counts or "the API has no model")
    for meaning in dict.fromkeys(outcome.meaning for outcome in outcomes if outcome.meaning):
        output.talk(meaning)
    words = _next_words(outcomes, api, state)
    if words:
        output.next_command(command(*words))
    return int(not passed)


def _next_words(outcomes: Sequence[Outcome], api: Api, state: Path) -> tuple[str, ...]:
    """Returns the command that reads the first failure's log, or shows a whole answer; may be empty."""
    first = {outcome.verdict: outcome.name for outcome in reversed(outcomes)}
    if api.state is None:
        key_is_known = api.key is None or KEY_VARIABLE in os.environ
        return ("call", first["ok"], "--url", api.address) if "ok" in first and key_is_known else ()
    flags = state_flags(state)
    if "failed" in first:
        return ("logs", first["failed"], *flags) if has_log(state, first["failed"]) else ("status", *flags)
    return ("call", first["ok"], *flags) if "ok" in first else ("status", *flags)


def wait_settled(
    client: Waitable, say: Callable[[str], None], *, seconds: float = _START_SECONDS, clock: Clock = time
) -> None:
    """Returns when no model is starting any more, or after `seconds`.

    Args:
        client: Of the API that runs here.
        say: Is told once what is waited for.
        seconds: The longest wait.
        clock: Waits between two looks.
    """
    deadline = clock.monotonic() + seconds
    waiting = client.status().still_starting
    if waiting:
        say(f"Waiting for what is still starting: {', '.join(waiting)}")
    while waiting and clock.monotonic() < deadline:
        clock.sleep(_LOOK_SECONDS)
        waiting = client.status().still_starting


def _call_all(models: Sequence[ServedModel], api: Api, *, shown: bool) -> list[Outcome]:
    """Returns each model's outcome; prints it as soon as it is known."""
    width = max((len(model.name) for model in models), default=0)
    outcomes = []
    for model in models:
        outcome = call_model(model, api.with_key_for(model.name))
        outcomes.append(outcome)
        if shown:
            output.data(render_outcome(outcome, width))
    return outcomes


def call_model(model: ServedModel, api: Api) -> Outcome:
    """Sends the model's sample to the API.

    Raises:
        UnreachableError: Nothing listens at the address.
    """
    if model.sample is None:
        return Outcome(model.name, "skipped", "it has no sample; add `sample` to the config")
    try:
        return _send(model.name, f"{api.address}{model.path}", model.sample, api)
    except UnreachableError:
        raise  # what holds for all models is said once
    except MlApiError as error:
        return Outcome(model.name, "failed", error.message)


def _send(name: str, url: str, body: Body, api: Api) -> Outcome:
    started = time.monotonic()
    answer = ask("POST", url, api, body)
    with explain_failures(url, api.fix):
        content = answer.read()
    milliseconds = round((time.monotonic() - started) * 1000)
    kind = _on_one_line(answer.headers.get("Content-Type", ""))
    verdict = judge(answer.status)
    said = _beginning(content, kind) if verdict == "ok" else _error_message(content, kind)
    failure = explain_answer(content) if verdict == "failed" else None
    meaning = render_explanation(failure) if failure else ""
    return Outcome(name, verdict, said, answer.status, milliseconds, kind, len(content), meaning)


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
