"""`mlapi call`: one request."""

from __future__ import annotations

import json
import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.errors import MlApiError, NotRunningError, UsageError

if TYPE_CHECKING:
    import urllib3

TIMEOUT_SECONDS = 65
KEY_HEADER = "x-api-key"


@click.command()
@click.argument("name")
@click.argument("body", required=False)
@click.option("--url", help="The API's address; without it, the one that runs here.")
@click.option("--key", envvar="MLAPI_KEY", help="The team's key, or set MLAPI_KEY.")
@click.option("--stream", is_flag=True, help="Print what comes as it comes.")
@state_option
def call(name: str, body: str | None, url: str | None, key: str | None, state: Path, *, stream: bool) -> int:
    """Call the model NAME with BODY: JSON or text, @FILE, or - for standard input.

    Without BODY the model's sample is sent. A binary answer is saved to a file.
    """
    sent, content_type = (
        load_body(body) if body is not None else load_sample(name, state, remote=url is not None)
    )
    headers = {"Content-Type": content_type} | ({KEY_HEADER: key} if key else {})
    if stream:
        headers["Accept"] = "text/event-stream"
    answer = _post(f"{(url or _address(state)).rstrip('/')}/{name}", sent, headers)
    with_body_shown = _show_as_it_comes if stream else _show
    with_body_shown(answer, name)
    return int(answer.status >= 400)  # noqa: PLR2004  # HTTP's errors begin there


def load_body(written: str) -> tuple[bytes, str]:
    """The bytes to send and their content type: a file's by its name, else JSON when it parses, else text.

    Raises:
        UsageError: the file cannot be read.
    """
    if written == "-":
        return _guess_type(sys.stdin.buffer.read())
    if not written.startswith("@"):
        return _guess_type(written.encode())
    file = Path(written[1:])
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", fix="write @ and the path of a file"
        ) from error
    by_name = mimetypes.guess_type(file.name)[0]
    return (content, by_name) if by_name else _guess_type(content)


def load_sample(name: str, state: Path, *, remote: bool) -> tuple[bytes, str]:
    """The sample of an entry of the config that runs here.

    Raises:
        UsageError: there is none, or no entry of that name.
        NotRunningError: nothing runs here, so there is no config to look into.
    """
    from centralized_ml_api.cli.loading import load_plan_and_warn  # noqa: PLC0415  # only without a body
    from centralized_ml_api.plan.sample import sample_of  # noqa: PLC0415

    if remote:
        raise UsageError(
            "with --url a body is needed", fix=f"mlapi call {name} '{{…}}' --url …, or @file, or -"
        )
    plan = load_plan_and_warn(Path(_run_config(state)))
    deployment = plan.deployment(name)
    if deployment is None:
        names = ", ".join(entry.name for entry in plan.deployments)
        raise UsageError(f"there is no model {name!r}", fix=f"choose one of: {names}")
    sample = sample_of(deployment)
    if sample is None:
        raise UsageError(
            f"{name} has no sample",
            fix=f"give a body: mlapi call {name} '{{…}}', or add `sample` to the config",
        )
    return json.dumps(sample).encode(), "application/json"


def _run_config(state: Path) -> str:
    from centralized_ml_api.local.state_folder import StateFolder  # noqa: PLC0415

    return StateFolder(state).load_run().config


def _address(state: Path) -> str:
    from centralized_ml_api.local.control import ControlClient  # noqa: PLC0415  # only without --url
    from centralized_ml_api.local.state_folder import StateFolder  # noqa: PLC0415

    address = ControlClient(StateFolder(state).load_run()).status().address
    if not address:
        raise NotRunningError("the gateway is just starting", fix="try again in a moment")
    return address


def _guess_type(content: bytes) -> tuple[bytes, str]:
    try:
        json.loads(content)
    except ValueError:
        pass
    else:
        return content, "application/json"
    try:
        content.decode()
    except UnicodeDecodeError:
        return content, "application/octet-stream"
    return content, "text/plain; charset=utf-8"


def _post(url: str, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    import urllib3  # noqa: PLC0415  # only this verb pays for it

    try:
        return urllib3.PoolManager(retries=False).request(
            "POST",
            url,
            body=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            preload_content=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise MlApiError(f"{url} does not answer: {error}", fix="see what runs: mlapi status") from error


def _show_as_it_comes(answer: urllib3.BaseHTTPResponse, name: str) -> None:
    del name
    for piece in answer.stream(amt=None):
        output.data_bytes(piece)
        output.flush()


def _show(answer: urllib3.BaseHTTPResponse, name: str) -> None:
    content, content_type = answer.read(), answer.headers.get("Content-Type", "")
    if answer.status >= 400:  # noqa: PLR2004  # HTTP's errors begin there
        output.talk(f"{answer.status} {answer.reason or ''}".rstrip())
    if _is_text(content_type, content):
        output.data(content.decode(errors="replace"))
    else:
        file = save(content, name, content_type)
        output.talk(f"{len(content)} bytes of {content_type or 'unknown type'} saved to {file}")


def save(content: bytes, name: str, content_type: str) -> Path:
    """Writes a new file in the current folder, named after the model; never over an existing one."""
    ending = mimetypes.guess_extension(content_type.partition(";")[0].strip()) or ".bin"
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


def _is_text(content_type: str, content: bytes) -> bool:
    main = content_type.partition(";")[0].strip().lower()
    if main.startswith("text/") or main.endswith(("json", "xml", "x-www-form-urlencoded", "event-stream")):
        return True
    return not main and b"\0" not in content
