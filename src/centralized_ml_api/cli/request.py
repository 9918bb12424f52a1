"""One request to an API, wherever it runs: shared by the verbs that send some."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.errors import MlApiError, NotRunningError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3

    from centralized_ml_api.cli.sample_body import Body

CONNECT_SECONDS = 10
ANSWER_SECONDS = 65
FIRST_ERROR_STATUS = 400
KEY_HEADER = "x-api-key"
_ADDRESS = re.compile(r"https?://[\w.:@%~/\[\]-]+", re.IGNORECASE)
FIX = "see what runs: mlapi status"


class UnreachableError(MlApiError):
    """Nothing could be connected to at the address."""


def _take_key(context: click.Context, option: click.Parameter, key: str | None) -> str | None:
    """The key without the white space around it; one that no header can carry is refused, and not shown."""
    del context, option
    stripped = (key or "").strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise UsageError("the key has characters that no key has", fix="copy it anew from your organizer")
    return stripped or None


key_option = click.option(
    "--key", envvar="MLAPI_KEY", callback=_take_key, help="The team's key, or set MLAPI_KEY."
)


def post(url: str, body: Body, key: str | None) -> urllib3.BaseHTTPResponse:
    """The answer, its body not yet read; a redirect is not followed, so the key goes nowhere else.

    Raises:
        UnreachableError: nobody listens at the address.
        MlApiError: the connection broke, or no answer came in time.
    """
    import urllib3  # noqa: PLC0415  # only the verbs that call pay for it

    headers = {"Content-Type": body.media_type, "Accept": body.accept, KEY_HEADER: key or ""}
    with explain_failures(url):
        return urllib3.PoolManager(retries=False).request(
            "POST",
            url,
            body=body.content,
            headers={name: value for name, value in headers.items() if value},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            preload_content=False,
            redirect=False,
        )


@contextmanager
def explain_failures(url: str) -> Iterator[None]:
    """What goes wrong with a connection while it is used in the block, as errors of ours.

    Raises:
        UnreachableError: nobody listens at the address.
        MlApiError: the connection broke, or nothing came in time.
    """
    import urllib3  # noqa: PLC0415  # only the verbs that call pay for it

    try:
        yield
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise UnreachableError(f"{url} does not answer: {error}", fix=FIX) from error
    except urllib3.exceptions.HTTPError as error:
        raise MlApiError(f"{url} does not answer: {error}", fix=FIX) from error


def choose_address(url: str | None, state: Path) -> str:
    """Where to send: `url`, or without it the API that runs here; no slash at its end.

    Raises:
        UsageError: `url` is no address of the web.
        NotRunningError: no API runs here, or it is just starting.
    """
    if url is None:
        return running_address(state)
    return check_address(url)


def check_address(url: str) -> str:
    """The address of an API; no slash at its end, and nothing in it that a shell would act on.

    Raises:
        UsageError: it is none.
    """
    if _ADDRESS.fullmatch(url) is None:
        raise UsageError(f"{url!r} is no address of an API", fix="write it as http://… or https://…")
    return url.rstrip("/")


def running_address(state: Path) -> str:
    """The address of the API that runs here.

    Raises:
        NotRunningError: none does, or it is just starting.
    """
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415
    from centralized_ml_api.local.run.control import ControlClient  # noqa: PLC0415  # only for a local target

    address = ControlClient(StateFolder(state).load_run()).status().address
    if not address:
        raise NotRunningError("the gateway is just starting", fix="try again in a moment")
    return address


def running_config(state: Path) -> Path:
    """The config that is served here.

    Raises:
        NotRunningError: none is.
    """
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415  # only for a local target

    return Path(StateFolder(state).load_run().config)


def is_text(content_type: str, content: bytes) -> bool:
    """Whether an answer can be shown on a terminal."""
    main = content_type.partition(";")[0].strip().lower()
    if main.startswith("text/") or main.endswith(("json", "xml", "x-www-form-urlencoded", "event-stream")):
        return True
    return not main and b"\0" not in content
