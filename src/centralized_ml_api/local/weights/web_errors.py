"""Why a web server could not be asked, or refused: each reason in one line, with what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3 import exceptions

from centralized_ml_api.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RETRY_LATER = "try again in a while: what has come so far is kept"


def explain_failure(error: exceptions.HTTPError, host: str) -> WeightsError:
    """What a failed connection means."""
    cause = error.reason if isinstance(error, exceptions.MaxRetryError) and error.reason else error
    match cause:
        case exceptions.ProxyError():
            return WeightsError(
                f"the proxy for {host} does not work: {cause.original_error}",
                fix="check the variables https_proxy and no_proxy",
            )
        case exceptions.NameResolutionError():
            return WeightsError(
                f"the host {host} cannot be found",
                fix="check the address and the connection; behind a proxy, set https_proxy",
            )
        case exceptions.SSLError():
            return WeightsError(
                f"there is no secure connection to {host}: {cause}",
                fix="if a proxy of your organisation signs anew, set SSL_CERT_FILE to its certificates",
            )
        case exceptions.NewConnectionError():
            return WeightsError(
                f"{host} cannot be reached: {_reason(cause)}",
                fix="check the address and the connection; behind a proxy, set https_proxy",
            )
        case exceptions.TimeoutError():
            return WeightsError(f"{host} did not answer in time", fix=_RETRY_LATER)
        case _:
            return WeightsError(f"the connection to {host} broke: {cause}", fix=_RETRY_LATER)


class RefusedError(WeightsError):
    """The server wants to know who asks (401), or knows and says no (403)."""


def explain_status(status: int, url: str, headers: Mapping[str, str]) -> WeightsError:
    """What a status other than success means; the query of the address may be a secret and is not shown."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}{parts.path}"
    match status:
        case 404 | 410:
            return WeightsError(f"there is no {place} ({status})", fix="check the address")
        case 401 | 403:
            return RefusedError(
                f"{parts.netloc} refuses {place} ({status})",
                fix="download the file by hand, and write its path as the weights",
            )
        case 429 | 500 | 502 | 503 | 504:
            wait = headers.get("Retry-After", "")
            after = f" (it asks for {wait} s)" if wait.isdigit() else ""
            return WeightsError(
                f"{parts.netloc} is too busy or broken: it answered {status} again and again",
                fix=f"try again later{after}",
            )
        case _:
            return WeightsError(f"{place} answered {status} instead of a file", fix="check the address")


def _reason(error: exceptions.NewConnectionError) -> str:
    # urllib3 puts the object itself in front: "<…HTTPSConnection …>: Failed to establish…: [Errno 111] …"
    return re.sub(r"\[Errno -?\d+\] ", "", str(error).rpartition(": ")[2])
