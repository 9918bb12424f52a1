"""Sends one request to an API, wherever it runs: its body, address, key, and what can go wrong."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.http import AUTHORITY_PATH
from centralized_ml_api.api.keys import KEY_HEADER
from centralized_ml_api.cli.targets import running_config, running_status
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.config.resolve import resolve_folder
from centralized_ml_api.errors import ConfigError, MlApiError, UsageError
from centralized_ml_api.plan.sample import JSON, media_type_of, sample_file_of, sample_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import urllib3

    from centralized_ml_api.plan.types import ModelDeployment

CONNECT_SECONDS = 10
ANSWER_SECONDS = 65
FIRST_ERROR_STATUS = 400
_ADDRESS = re.compile(r"https?://[\w.:@%~/\[\]-]+", re.IGNORECASE)


class UnreachableError(MlApiError):
    """Nothing listens at the address."""


@dataclass(frozen=True, slots=True)
class Api:
    """Where calls go: an address without a slash at its end, a key, and what to do when nobody answers.

    `state` and `config` are those of an API that runs here, and `fingerprint` is that of its certificate: it
    may be for a name by which this machine does not know itself. `authority_fingerprint` is that of the
    authority that callers must trust first, where that is the API's own.
    """

    address: str
    key: str | None
    fix: str
    state: Path | None = None
    config: Path | None = None
    fingerprint: str = ""
    authority_fingerprint: str = ""

    @property
    def authority_url(self) -> str:
        """Where the certificate of the API's own authority can be fetched without trusting it."""
        return f"http{self.address.removeprefix('https')}{AUTHORITY_PATH}"

    def with_key_for(self, name: str) -> Api:
        """Returns the API with the key of a team that may call a model, where it runs here and has teams."""
        if self.key or self.state is None or self.config is None:
            return self
        return replace(self, key=_find_key(self.state, self.config, name))


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, its media type, and that of the answer where it is known."""

    content: bytes
    media_type: str
    accept: str = ""


def load_sample_body(deployment: ModelDeployment, folders: Sequence[Path]) -> Body | None:
    """Returns the entry's sample as a body; None without a sample.

    Args:
        deployment: The entry.
        folders: Where relative paths of files start.

    Raises:
        UsageError: The sample's file cannot be read.
    """
    content = _load_content(deployment, folders)
    # API Gateway gives bytes as base64 to callers that do not ask for their type.
    return None if content is None else Body(content, media_type_of(deployment), deployment.about.gives or "")


def load_file(file: Path) -> bytes:
    """Returns the content of a file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", fix="check its path, and that you may read it"
        ) from error


def ask(method: str, url: str, api: Api, body: Body | None = None) -> urllib3.BaseHTTPResponse:
    """Returns the answer, its body not yet read; a redirect is not followed, so the key goes nowhere else.

    Args:
        method: Such as POST.
        url: The address with the path of the model.
        api: Whose key is sent.
        body: What is sent.

    Raises:
        UnreachableError: Nothing listens at the address.
        MlApiError: The connection broke, or no answer came in time.
    """
    import urllib3

    sent = body or Body(b"", "")
    headers = {"Content-Type": sent.media_type, "Accept": sent.accept, KEY_HEADER: api.key or ""}
    with explain_failures(url, api.fix):
        return open_pool(api.fingerprint).request(
            method,
            url,
            body=sent.content or None,
            headers={name: value for name, value in headers.items() if value},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            preload_content=False,
            redirect=False,
        )


def open_pool(fingerprint: str) -> urllib3.PoolManager:
    """Returns connections to one API; with a fingerprint, only to a server that has this certificate."""
    import urllib3

    if not fingerprint:
        return urllib3.PoolManager(retries=False)
    return urllib3.PoolManager(retries=False, cert_reqs="CERT_NONE", assert_fingerprint=fingerprint)


@contextmanager
def explain_failures(url: str, fix: str) -> Iterator[None]:
    """Turns what goes wrong with a connection in the block into errors with that fix.

    Raises:
        UnreachableError: Nothing listens at the address.
        MlApiError: The connection broke, or nothing came in time.
    """
    import urllib3

    try:
        yield
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise UnreachableError(f"{url} does not answer: {error}", fix=fix) from error
    except urllib3.exceptions.SSLError as error:
        raise MlApiError(
            f"{url} has a certificate that is not trusted here: {error}",
            fix="if it is of an authority of its own, set SSL_CERT_FILE to that authority's ca.pem",
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise MlApiError(f"{url} does not answer: {error}", fix=fix) from error


def choose_api(url: str | None, key: str | None, state: Path) -> Api:
    """Returns where to send: `url`, or without it the API that runs here.

    Args:
        url: The address; None for the API that runs here.
        key: The team's key; None for calls without one.
        state: The state folder of the API that runs here.

    Raises:
        UsageError: `url` is not the address of an API.
        NotRunningError: No API runs here, or its gateway is starting.
    """
    if url is not None:
        return Api(check_address(url), key, "check the address, and that the API runs there")
    status = running_status(state)
    return Api(
        status.address,
        key,
        f"see what runs: {command('status', *state_flags(state))}",
        state,
        running_config(state),
        status.fingerprint,
        status.authority_fingerprint,
    )


def reachable_api(state: Path) -> Api:
    """Returns the API that runs here as other machines reach it, if they do.

    Raises:
        NotRunningError: Nothing runs here, or its gateway is starting.
    """
    from centralized_ml_api.local.machine.ports import reachable_urls

    api = choose_api(None, None, state)
    host = running_status(state).host
    return replace(api, address=next(iter(reachable_urls(host, api.address)), api.address))


def check_address(url: str) -> str:
    """Returns the address of an API without a slash at its end; nothing in it means anything to a shell.

    Raises:
        UsageError: It is not one.
    """
    if _ADDRESS.fullmatch(url) is None:
        raise UsageError(
            f"{url!r} is not the address of an API", fix="write an address such as http://127.0.0.1:8080"
        )
    return url.rstrip("/")


def is_text(content_type: str, content: bytes) -> bool:
    """Returns whether an answer can be shown on a terminal. Pure."""
    main = content_type.partition(";")[0].strip().lower()
    if main.startswith("text/") or main.endswith(("json", "xml", "x-www-form-urlencoded", "event-stream")):
        return True
    return not main and b"\0" not in content


def _take_key(context: click.Context, option: click.Parameter, key: str | None) -> str | None:
    """Returns the key without white space around it; refuses, unshown, one that no header can carry."""
    del context, option
    stripped = (key or "").strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise UsageError(
            "the key contains characters that no key has", fix="copy it again from your organizer"
        )
    return stripped or None


KEY_VARIABLE = "MLAPI_KEY"

key_option = click.option(
    "--key", envvar=KEY_VARIABLE, callback=_take_key, help=f"Send this team's key. Default: {KEY_VARIABLE}."
)


def _load_content(deployment: ModelDeployment, folders: Sequence[Path]) -> bytes | None:
    file = sample_file_of(deployment)
    if file:
        return load_file(resolve_folder(file.path, folders))
    sample = sample_of(deployment)
    if sample is None:
        return None
    if isinstance(sample, str) and media_type_of(deployment) != JSON:
        return sample.encode()
    return json.dumps(sample).encode()


def _find_key(state: Path, config: Path, name: str) -> str | None:
    """Returns the key of the first team that may call the model; None where the config lists no team.

    Raises:
        StartError: The file of keys cannot be read.
    """
    from centralized_ml_api.local.keys import KeyStore
    from centralized_ml_api.local.run.reload import load_plan

    keys = {
        record.team: record.key for record in KeyStore(state).load() or () if record.listed and record.key
    }
    if not keys:
        return None
    try:
        event = load_plan(config).event
        allowed = [team.name for team in event.admit(keys).teams if team.may_call(name)]
    except ConfigError:  # an edit that is not applied
        allowed = []
    return next((keys[team] for team in (*allowed, *keys) if team in keys), None)
