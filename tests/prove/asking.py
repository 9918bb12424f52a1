"""Asks the deployed API every case of the contract that its models can show."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contract.api import DOWN
from contract.case import AWS, Expected, Request, send
from contract.cases import bedrock, every_host, fallback, health, hosted, media
from contract.cases.keys import CASES as KEY_CASES
from contract.cases.keys import with_key
from contract.differences import DIFFERENCES, KEY_DIFFERENCES
from contract.suite import CASES
from prove.placing import WANTED
from prove.report import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from support.running_gateway import Answer

TEAM = "red"
"""Whose key goes with the cases of an API without keys."""

SERVED_BY_AWS = {"function", DOWN}
"""Entries that need no model."""

LIMITED = 429
TRIES = 20
"""How often a limit is tried: AWS enforces limits on a best-effort basis.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

_HOSTED = "it needs a provider or a model of speech, and those of the contract are fakes on one machine"
_BELOW_HOSTED = (
    "a hosted chat is answered below its entry",
    "a model of Bedrock answers Anthropic's clients below its entry",
    "a path that the entry does not have is 404 and lists those that it has",
    "errors below an entry's messages have Anthropic's shape",
)
_LISTED = "the contract's config has hosted models, which the answer names; this config has none"

NOT_OF_THIS_CONFIG = {
    **{
        case.name: _HOSTED
        for room in (hosted, bedrock, every_host, fallback, media)
        for case in room.CASES
        if case.only in {None, AWS}
    },
    **dict.fromkeys(_BELOW_HOSTED, _HOSTED),
    **dict.fromkeys(
        (
            "`POST /v1/audio/speech`",
            "`POST /v1/audio/transcriptions`",
            "`POST /v1/messages`",
            "`POST /v1/responses`",
            "an alias is compared as it stands: GPT-4o-mini",
            "an alias is compared as it stands: gpt-4o",
            "an alias is compared as it stands: gpt-4o-mini ",
            "an unknown model of the list is 404 and lists the models",
            "the models that OpenAI's clients may call are listed",
            "two names at once are an unknown model of the list: chat%7Ctranslated",
            "two names at once are an unknown model of the list: chat,translated",
            "two names at once are an unknown model of the list: chat|translated",
            "without /v1 OpenAI's clients are given the same list",
        ),
        _LISTED,
    ),
    "the catalogue lists every entry": "models stand before endpoints here, so the order is another",
    "the catalogue of a team with a list of models": "the config of that case has three entries",
    "health needs no key, and names nothing without one": "endpoints are missing here on purpose: not ready",
    "`/health` with a key": "endpoints are missing here on purpose: not ready",
}
"""Why a case that AWS is to answer is not true of the config that is deployed here, by its name."""

GIVES_UP_AFTER = 8
"""Requests in a row without an answer, or with an unexplained 500, that end the asking."""

_SHOWN_CHARACTERS = 300
_KEY_HEADER = "x-api-key"
_MODELS = "a model that SageMaker's container for scikit-learn cannot be"


@dataclass(frozen=True)
class Asked:
    """One thing to ask: a request as often as `before` says before the one that counts."""

    group: str
    name: str
    request: Request
    expected: Expected
    before: int = 0


def collect() -> Iterator[Asked]:
    """Yields everything that AWS is to answer, in the contract's own order."""
    for case in CASES:
        if case.only in {None, AWS}:
            yield Asked("contract", case.name, _with_team(case.request), case.expected)
    for difference in DIFFERENCES:
        request = _with_team(difference.request)
        yield Asked("differences", difference.name, request, difference.aws, difference.before)
    for case in KEY_CASES:
        yield Asked("keys", case.name, case.case.request, case.case.expected, case.before)
    for difference in KEY_DIFFERENCES:
        yield Asked("keys", difference.name, difference.request, difference.aws, difference.before)


def _with_team(request: Request) -> Request:
    headers = {name: value for name, value in request.headers.items() if name.lower() != _KEY_HEADER}
    return replace(request, headers={**_escaped(headers), _KEY_HEADER: f"{{{TEAM}}}"})


def _escaped(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value.replace("{", "{{").replace("}", "}}") for name, value in headers.items()}


def why_skipped(asked: Asked, served: Collection[str], entries: Collection[str]) -> str:
    """Returns why this cannot be asked; empty where it can. Pure.

    Args:
        asked: what is to be asked.
        served: the entries that have a model.
        entries: all entries.
    """
    if asked.name in {case.name for case in health.CASES if case.request.method in {"GET", "HEAD"}}:
        return "with keys, /health names no model to strangers; a case of its own checks that"
    if asked.name in NOT_OF_THIS_CONFIG:
        return NOT_OF_THIS_CONFIG[asked.name]
    first = asked.request.path.strip("/").partition("?")[0].partition("/")[0]
    if first in entries and first not in {*served, *SERVED_BY_AWS}:
        return "the account has no room for its model" if first in WANTED else f"it needs {_MODELS}"
    return ""


def ask_all(
    url: str,
    keys: Mapping[str, str],
    *,
    served: Collection[str],
    entries: Collection[str],
    say: Callable[[str], None],
) -> Iterator[Check]:
    """Asks everything, one after another, and yields how it went.

    Args:
        url: the address of the API.
        keys: of the teams, by their names.
        served: the entries that have a model.
        entries: all entries.
        say: told of each check that failed.
    """
    broken = 0
    for asked in collect():
        reason = why_skipped(asked, served, entries)
        check = Check(asked.group, asked.name, "skipped", reason) if reason else _ask(url, keys, asked)
        if check.verdict == "failed":
            say(f"  FAILED  {check.name}: {check.reason.partition(chr(10))[0]}")
        broken = broken + 1 if _is_broken(check) else 0
        yield check
        if broken == GIVES_UP_AFTER:
            reason = f"{broken} requests in a row got no answer of the API"
            yield Check("contract", "the API answers", "failed", reason)
            return


def _is_broken(check: Check) -> bool:
    return check.verdict == "failed" and (not check.received or check.received.startswith("500 text/plain"))


def _ask(url: str, keys: Mapping[str, str], asked: Asked) -> Check:
    request = with_key(asked.request, keys)
    started = time.monotonic()
    received = ""
    try:
        for _ in range(asked.before):
            send(url, request)
        answer = send(url, request)
        for _ in range(TRIES):
            if asked.expected.status != LIMITED or answer.status == LIMITED:
                break
            answer = send(url, request)
        received = describe(answer)
        asked.expected.check(answer, AWS)
    except Exception as error:  # noqa: BLE001  # a check of any case may fail in any way; the report says how
        reason = f"{type(error).__name__}: {error}"
        return Check(asked.group, asked.name, "failed", reason, received, time.monotonic() - started)
    return Check(asked.group, asked.name, "passed", "", received, time.monotonic() - started)


def describe(answer: Answer) -> str:
    """Returns the status, the type and the beginning of the body."""
    kind = answer.header("content-type") or "no type"
    try:
        said = answer.body.decode()[:_SHOWN_CHARACTERS]
    except UnicodeDecodeError:
        said = f"({len(answer.body)} bytes)"
    return f"{answer.status} {kind} {said}"
