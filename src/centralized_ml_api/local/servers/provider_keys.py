"""Reads a provider's key where the config says that it is kept: a variable, a file, a secret of AWS.

Whoever reads again sees a replaced file or secret. No message has the key or a part of it.
"""

from __future__ import annotations

import math
import os
import stat
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.aws_session import open_session
from centralized_ml_api.config.resolve import candidate_paths, is_file
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.child_environment import withhold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from centralized_ml_api.plan.provider import KeyPlace

SECRET_SECONDS = 60.0
"""Between two looks into Secrets Manager, after a failure too: AWS charges for each."""

IMPATIENT: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 5, "retries": {"max_attempts": 2}}
"""What makes a client of botocore give up within half a minute."""

_THROTTLING = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
)

_LONGEST = 16 * 1024
_OTHERS = 0o077


class KeyReader(Protocol):
    """Reads one key. It may use the network: read in a thread, one at a time."""

    def read(self) -> str:
        """Returns the key as it is now; quick when nothing changed.

        Raises:
            StartError: There is none; the message says why, the fix what to do.
        """
        ...


def open_key(place: KeyPlace, folders: Sequence[Path], region: str | None = None) -> KeyReader:
    """Returns what reads a key; from now on no child process inherits a variable that holds it.

    Args:
        place: Where it is kept.
        folders: Where a relative path of a file may start, in order.
        region: Where a secret is whose ARN does not say it; None for that of the user's AWS settings.
    """
    if place.kind == "env":
        withhold(place.where)
        return _Variable(place.where)
    if place.kind == "file":
        return _File(place.where, folders)
    return KeptSecret(place.where, partial(fetch_secret, region=region))


class _Variable:
    def __init__(self, name: str) -> None:
        self._name = name

    def read(self) -> str:
        found = os.environ.get(self._name)
        if found is None:
            raise StartError(
                f"the variable {self._name}, which should hold the key, is not set",
                fix=f"set {self._name} and start again",
            )
        return check_key(found, f"the variable {self._name}")


class _File:
    def __init__(self, written: str, folders: Sequence[Path]) -> None:
        self._candidates = candidate_paths(written, folders)

    def read(self) -> str:
        path = next(filter(is_file, self._candidates), None)
        if path is None:
            raise StartError(
                f"the key file {self._candidates[0]} does not exist",
                fix="write the key into it, and nothing else",
            )
        try:
            with path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                    raise StartError(
                        f"others on this machine may read the key file {path}", fix=f"chmod 600 {path}"
                    )
                content = file.read(_LONGEST)
        except OSError as error:
            raise StartError(f"the key file {path} cannot be read: {error.strerror or error}") from error
        return check_key(content.decode("latin-1"), f"the key file {path}")


class SecretsAwayError(StartError):
    """Secrets Manager does not answer, or has no time: that says nothing of the secret."""


class KeptSecret:
    """Keeps the last key while AWS does not answer: an outage there must not stop the calls here.

    A withdrawn key is kept no longer: its secret is deleted, closed to this user, or holds no key.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[str], str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._fetch = fetch or fetch_secret
        self._monotonic = monotonic
        self._key = ""
        self._failure: StartError | None = None
        self._next_look = -math.inf

    def read(self) -> str:
        """Returns the key, a minute old at most where AWS answers.

        Raises:
            StartError: There is none; a minute may pass until it is looked for again.
        """
        if self._monotonic() >= self._next_look:
            self._look()
            self._next_look = self._monotonic() + SECRET_SECONDS
        if self._failure:
            raise self._failure.with_traceback(None)
        return self._key

    def _look(self) -> None:
        try:
            self._key = check_key(self._fetch(self._name), f"the secret {self._name}")
            self._failure = None
        except SecretsAwayError as error:
            self._failure = None if self._key else error
        except StartError as error:
            self._key, self._failure = "", error


def fetch_secret(name: str, region: str | None = None) -> str:
    """Fetches the text of a secret with the user's own AWS credentials; an ARN says its region.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html

    Args:
        name: Its name or ARN.
        region: Where it is, if its name does not say so; None for that of the user's AWS settings.

    Raises:
        SecretsAwayError: Secrets Manager does not answer now.
        StartError: It cannot be had.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # only who uses it pays

    try:
        client = open_secrets(name, region)
        try:
            answer: dict[str, Any] = client.get_secret_value(SecretId=name)
        finally:
            client.close()
    except (BotoCoreError, ClientError, ValueError, OSError) as error:
        raise explain_failure(name, error) from error
    text = answer.get("SecretString")
    if not isinstance(text, str):
        raise StartError(f"the secret {name} is binary", fix="store the key as plain text")
    return text


def open_secrets(name: str, elsewhere: str | None = None) -> Any:
    """Returns a client of Secrets Manager in the region of a secret, which gives up within half a minute.

    Args:
        name: The secret's name or ARN.
        elsewhere: The region of a name; None for that of the user's AWS settings.
    """
    from botocore.config import Config  # noqa: PLC0415  # only who uses it pays

    parts = name.split(":")
    is_arn = name.startswith("arn:") and len(parts) > 3  # noqa: PLR2004  # an ARN's fourth part
    region = parts[3] if is_arn else elsewhere or os.environ.get("AWS_REGION")
    options: dict[str, Any] = {"region_name": region} if region else {}
    return open_session().create_client("secretsmanager", config=Config(**IMPATIENT), **options)


def explain_failure(name: str, error: Exception) -> StartError:
    """Returns what is said of a secret that cannot be read, as an outage where it is one. Pure.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html

    Args:
        name: The secret.
        error: What botocore raised.
    """
    from botocore import exceptions  # noqa: PLC0415  # only who uses it pays

    said = f"the secret {name} cannot be read: {error}"
    if isinstance(error, exceptions.ClientError):
        response: dict[str, Any] = error.response
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        is_away = (
            response.get("Error", {}).get("Code") in _THROTTLING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
    else:
        is_away = isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError))
    if is_away:
        return SecretsAwayError(said, fix="check the network; it is asked again within a minute")
    return StartError(
        said, fix="check its name and your AWS credentials, which need secretsmanager:GetSecretValue on it"
    )


def check_key(found: str, what: str) -> str:
    """Returns the key without the white space around it.

    Args:
        found: The key as it was found.
        what: Where that is.

    Raises:
        StartError: It is no key.
    """
    key = found.strip()
    if not key:
        raise StartError(f"{what} is empty", fix="put the key there, and nothing else")
    if len(key) >= _LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise StartError(f"{what} holds something else than a key", fix="put the key there, and nothing else")
    return key
