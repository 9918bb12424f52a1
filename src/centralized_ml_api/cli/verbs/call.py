"""`mlapi call`: sends one request."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.aws_words import explain_answer, render_explanation
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.output import counted
from centralized_ml_api.cli.request import (
    FIRST_ERROR_STATUS,
    Body,
    ask,
    choose_api,
    explain_failures,
    is_text,
    key_option,
    load_file,
)
from centralized_ml_api.cli.served import load_served
from centralized_ml_api.cli.verbs.logs import has_log
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import MlApiError, UsageError
from centralized_ml_api.plan.sample import BYTES, JSON, guess_ending, guess_media_type

if TYPE_CHECKING:
    import urllib3

    from centralized_ml_api.cli.request import Api


_WRONG_BODY = (400, 415, 422)
_KEYS_ON_AWS = {"text_inputs", "text_input", "inputs"}
"""Under which the containers of JumpStart's language models take a text."""


@click.command()
@click.argument("name")
@click.argument("body", required=False)
@click.option("--url", help="Call the API at this address. Default: that of the API that runs here.")
@key_option
@click.option("--stream", is_flag=True, help="Print the answer while it arrives.")
@state_option
def call(name: str, body: str | None, url: str | None, key: str | None, state: Path, *, stream: bool) -> int:
    """Call the model NAME with BODY, or with its sample.

    BODY is JSON or text, @FILE for the content of a file, or - for standard input. A binary answer is saved
    to a file.
    """
    api = choose_api(url, key, state).with_key_for(name)
    sent = load_body(body) if body is not None else load_sample(name, api)
    address = f"{api.address}/{name}"
    answer = ask("POST", address, api, replace(sent, accept="text/event-stream") if stream else sent)
    failed = answer.status >= FIRST_ERROR_STATUS
    with explain_failures(address, api.fix):
        if failed:
            _show_refusal(answer, name)
        elif stream:
            _stream(answer)
        else:
            _show(answer.read(), answer, name)
    if answer.status in _WRONG_BODY and body is not None:
        _tell_what_it_takes(name, api, sent)
    if failed and url is None:
        words = ("logs", name) if has_log(state, name) else ("status",)
        output.next_command(command(*words, *state_flags(state)))
    return int(failed)


def _tell_what_it_takes(name: str, api: Api, sent: Body) -> None:
    """Shows a body that works, as far as one is known; says where the one that was sent is for AWS."""
    with contextlib.suppress(MlApiError):
        sample = next((model.sample for model in load_served(api) if model.name == name), None)
        if sample and sample.media_type == JSON:
            if _keys(sent) & _KEYS_ON_AWS and not _keys(sample) & _KEYS_ON_AWS:
                output.talk("This body looks like one for the model on AWS; here another server answers.")
            output.talk(f"{name} takes bodies such as: {sample.content.decode()}")
        elif sample:
            output.talk(f"{name} takes {sample.media_type}.")


def _keys(body: Body) -> set[str]:
    """Returns the keys of a body that is an object in JSON."""
    try:
        value = json.loads(body.content)
    except ValueError:
        return set()
    return set(value) if isinstance(value, dict) else set()


def load_body(written: str) -> Body:
    """Returns what to send, of the type of the file's name, otherwise JSON if it parses, otherwise text.

    Raises:
        UsageError: The file cannot be read.
    """
    if written == "-":
        return _guess_type(sys.stdin.buffer.read())
    if not written.startswith("@"):
        return _guess_type(written.encode())
    file = Path(written[1:])
    content, by_name = load_file(file), guess_media_type(file.name)
    return Body(content, by_name) if by_name else _guess_type(content)


def load_sample(name: str, api: Api) -> Body:
    """Returns the sample of a model, from the API's own catalogue.

    Raises:
        UsageError: There is none, or no model of that name.
        UnreachableError: Nothing listens at the address.
        MlApiError: The API has no catalogue.
    """
    models = {model.name: model for model in load_served(api)}
    if name not in models:
        fix = f"choose one of: {', '.join(models)}" if models else "give the key of a team that may call one"
        raise UsageError(f"there is no model {name!r}", fix=fix)
    sample = models[name].sample
    if sample is None:
        raise UsageError(f"{name} has no sample", fix="pass a body, or add `sample` to the config")
    return sample


def _guess_type(content: bytes) -> Body:
    try:
        json.loads(content)
    except ValueError:
        pass
    else:
        return Body(content, JSON)
    try:
        content.decode()
    except UnicodeDecodeError:
        return Body(content, BYTES)
    return Body(content, "text/plain; charset=utf-8")


def _stream(answer: urllib3.BaseHTTPResponse) -> None:
    for piece in answer.stream(amt=None):
        output.data_bytes(piece)
        output.flush()


def _show_refusal(answer: urllib3.BaseHTTPResponse, name: str) -> None:
    content = answer.read()
    output.talk(f"{answer.status} {answer.reason or ''}".rstrip())
    _show(content, answer, name)
    if failure := explain_answer(content):
        output.talk(render_explanation(failure))


def _show(content: bytes, answer: urllib3.BaseHTTPResponse, name: str) -> None:
    content_type = answer.headers.get("Content-Type", "")
    if is_text(content_type, content):
        output.data(content.decode(errors="replace"))
    else:
        file = save(content, name, content_type)
        output.talk(f"Saved {counted(len(content), 'byte')} of {content_type or 'unknown type'} to {file}")


def save(content: bytes, name: str, content_type: str) -> Path:
    """Writes a new file in the current folder, named after the model; never overwrites one.

    Args:
        content: Of the file.
        name: Of the model.
        content_type: Decides the ending.

    Returns:
        The path of the file.
    """
    ending = guess_ending(content_type) or ".bin"
    number = 1
    while True:
        file = Path(f"{name}{ending}" if number == 1 else f"{name}-{number}{ending}")
        try:
            with file.open("xb") as handle:
                handle.write(content)
        except FileExistsError:
            number += 1
        else:
            return file
