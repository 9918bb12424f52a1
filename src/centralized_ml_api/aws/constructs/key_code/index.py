"""Takes a caller's key from either header and passes it on to API Gateway: the authorizer, a Lambda function.

API Gateway then checks the key, its limits and whether it is revoked. Decided here is which models the key's
team may not call, where a team of the config has a list of models, and that none may call any before the
event starts. Where what teams spend is counted, the streaming function is told whose key it is.

What organizers pause is the variable PAUSED of this function: `models` has what callers are told by model,
and without a name of all; `teams` by team, and `keys` has teams by the beginnings of their keys' hashes.
The streaming function answers that itself; paths that do not lead to it, DIRECT, are denied here.

The function that runs jobs asks before each call what its team may call by now: the event `{"job_of": team}`,
which nobody else can send, because API Gateway writes the events of calls itself.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BEARER = "bearer "
_PLACE = "place:"  # before the number of a place; alone, it stands for all of them
_REFUSED: dict[str, list[str]] = json.loads(os.environ["REFUSED"])
_TAG, _STACK = json.loads(os.environ["OWN_TAG"])
_TEAM_TAG = os.environ["TEAM_TAG"]
_NAMES_TEAM = os.environ.get("NAMES_TEAM") == "yes"
_WORDS: dict[str, Any] | None = json.loads(os.environ.get("WORDS", "null"))
_DIRECT = [name for name in os.environ.get("DIRECT", "").split(",") if name]

_EVERYTHING, _ALL = "", "*"  # instead of a name, instead of names that are too many
HASH_CHARACTERS = 16
"""How much of the SHA-256 of a key, in hexadecimal, stands for it where it is paused."""

POLICY_CHARACTERS = 7_500
"""The most that the paths in a policy may take.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(8 KB, the policy of an authorizer)
"""

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 10.0
"""The pause between two look-ups, so that guessing keys does not use up API Gateway's rate limit.

It doubles with each look-up in vain, up to the longest.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (10 operations a second)
"""

FRESH_SECONDS = 10.0
"""How old what is known of keys may be where a job asks whether its team still has one."""

KEYS_A_PAGE = 500
"""The most that API Gateway lists in one request.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html
"""

ATTEMPTS, READ_SECONDS = 4, 3
"""How often a look-up is tried, with up to 1, 2 and 4 seconds between, and how long each may take.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

_OTHER_SPELLINGS = ("", "/*", "*%*")
"""After the method and a slash: paths that end in a slash, have two in a row, or percent codes."""


def read_paused(text: str) -> dict[str, dict[str, str]]:
    """Returns what is paused; whatever else somebody wrote there pauses nothing.

    An error would refuse all calls. `mlapi pause` and the organizer's screen say what is wrong.
    """
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        logging.getLogger().error("the variable PAUSED has no JSON object, so nothing is paused")
        return {}
    kinds = {kind: words for kind, words in told.items() if isinstance(words, dict)}
    return {
        kind: {name: word for name, word in words.items() if isinstance(word, str)}
        for kind, words in kinds.items()
    }


_PAUSED = read_paused(os.environ.get("PAUSED", "{}"))


class UnauthorizedError(Exception):
    """The error that API Gateway answers with a 401, which it does not cache."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class UnansweredError(Exception):
    """The error of a key that may be a team's: the last look-up failed, and the next one is not due."""


def lambda_handler(lambda_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns the key, and the policy of what its caller may call; or what a job of a team may call.

    Raises:
        UnauthorizedError: There is no key, or no team of this API has it.
        UnansweredError: Whose key it is cannot be looked up now.
    """
    if "job_of" in lambda_event:
        return tell_job(lambda_event["job_of"])
    key = _key_of(lambda_event.get("headers") or {})
    if not key:
        raise UnauthorizedError
    is_early = is_before_start(time.time())
    team = _team_of(key) if _REFUSED or is_early or _NAMES_TEAM else ""
    refused = _REFUSED.get(_PLACE if team.startswith(_PLACE) else team, [])
    paused = find_paused(key)
    stopped = find_stopped(paused)
    return {
        "principalId": "team",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": _statements(lambda_event["methodArn"], [*refused, *stopped], is_early=is_early),
        },
        "usageIdentifierKey": key,
        "context": {
            "refused": json.dumps(refused),
            **({"team": team} if _NAMES_TEAM else {}),
            **({"paused": json.dumps(paused)} if paused else {}),
            **_why_refused(_say_why(paused, stopped), is_early=is_early),
        },
    }


def tell_job(team: str) -> dict[str, Any]:
    """Returns whether a team still has a key, and what its jobs are told of pauses, by model.

    Raises:
        UnansweredError: That cannot be looked up now.
    """
    return {"has_key": _OWNERS.has_key(team), "paused": _find_paused_of(team)}


def is_before_start(now: float) -> bool:
    """Returns whether the event is still to start; `now` is in seconds since the epoch."""
    starts = _WORDS.get("at") if _WORDS else None
    return starts is not None and now < datetime.fromisoformat(starts).timestamp()


def find_paused(key: str) -> dict[str, str]:
    """Returns by model what whoever has a key is told of its pause; without a name, of all models."""
    return _find_paused_of(_PAUSED.get("keys", {}).get(_hash(key).hex()[:HASH_CHARACTERS], ""))


def _find_paused_of(team: str) -> dict[str, str]:
    told = _PAUSED.get("teams", {}).get(team)
    return _PAUSED.get("models", {}) if told is None else {_EVERYTHING: told}


def find_stopped(paused: dict[str, str]) -> list[str]:
    """Returns the entries whose paths are denied for a pause; one without a name stands for all of them."""
    if _DIRECT == [_ALL]:
        return [*paused]
    return [name for name in _DIRECT if _EVERYTHING in paused or name in paused]


def _say_why(paused: dict[str, str], stopped: list[str]) -> str | None:
    """Returns what callers are told of a pause for which a path is denied; None where none is."""
    if not stopped:
        return None
    return paused.get(_EVERYTHING, paused.get(stopped[0], ""))


def _why_refused(pause: str | None, *, is_early: bool) -> dict[str, str]:
    """Returns the words for the response to a refused call; none where the response has its own.

    The response has them within a JSON string, and escapes nothing.
    """
    if _WORDS is None:
        return {}
    words: dict[str, str] = _WORDS["before" if is_early else "after" if pause is None else "paused"]
    if is_early or not pause:
        return words
    said = pause.replace("\\", "/").replace('"', "'")
    return {**words, "message": _WORDS["saying"].replace("{words}", said)}


def _key_of(headers: dict[str, str]) -> str:
    """Returns the key of `x-api-key`, else of `Authorization`; header names have the case that was sent."""
    named = {name.lower(): value for name, value in headers.items()}
    if named.get("x-api-key"):
        return named["x-api-key"]
    authorization = named.get("authorization", "")
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""


def _team_of(key: str) -> str:
    team = _OWNERS.find(key)
    if team is None:
        raise UnauthorizedError
    return team


def _statements(method_arn: str, refused: list[str], *, is_early: bool) -> list[dict[str, Any]]:
    """Allows everything but these models, because API Gateway caches the policy by key, not by path.

    Every call to a model is a POST, so before the start only documents can be read.

    The ARN of a method is `arn:aws:execute-api:region:account:api/stage/METHOD/path`, with the path as it was
    sent. API Gateway finds `/name` by other spellings too, such as `/name/`, which no caller needs.
    Source: https://github.com/aws-powertools/powertools-lambda-python/issues/1552 (`/hello/` is `/hello`) and
    https://github.com/dherault/serverless-offline/issues/273 (the ARN has the path of the request)
    """
    stage = "/".join(method_arn.split("/")[:2])
    allowed = _statement("Allow", [f"{stage}/*"])
    denied = [f"*/{path}" for path in (*refused, *_OTHER_SPELLINGS)] if refused else []
    if is_early or _EVERYTHING in refused:
        denied.append("POST/*")
    if not denied:
        return [allowed]
    resources = [f"{stage}/{path}" for path in denied]
    if sum(map(len, resources)) > POLICY_CHARACTERS:  # only a pause denies so many
        resources = [f"{stage}/POST/*"]
    return [allowed, _statement("Deny", resources)]


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}


class Owners:
    """The teams by the hashes of their keys, looked up when an unknown key comes.

    A failed look-up is an error, which API Gateway answers with a 500: whose key it is stays open. It counts
    as one in vain, and until the next one unknown keys are the same error.
    """

    def __init__(
        self, load: Callable[[], Iterator[tuple[str, str, bool]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins without teams.

        Args:
            load: Yields all keys with their teams, and whether they work.
            clock: In seconds.
        """
        self._load, self._clock = load, clock
        self._teams: dict[bytes, str] = {}
        self._working: set[str] = set()
        self._loaded = self._next = float("-inf")
        self._pause = PAUSE_SECONDS
        self._failure = ""

    def find(self, key: str) -> str | None:
        """Returns the team that has this key, None where no team has it.

        Raises:
            UnansweredError: API Gateway did not say, and is not asked again yet.
        """
        hashed = _hash(key)
        if hashed not in self._teams:
            if self._clock() >= self._next:
                self._look_up(hashed)
            elif self._failure:
                raise UnansweredError(self._failure)
        return self._teams.get(hashed)

    def has_key(self, team: str) -> bool:
        """Returns whether a team has a key that works, or had one `FRESH_SECONDS` ago.

        Raises:
            UnansweredError: API Gateway did not say, and is not asked again yet.
        """
        if self._clock() >= self._loaded + FRESH_SECONDS:
            if self._failure and self._clock() < self._next:
                raise UnansweredError(self._failure)
            self._look_up(None)
        return team in self._working

    def _look_up(self, hashed: bytes | None) -> None:
        """Loads the teams anew. The pause, short after a key found, is set before, in case that fails."""
        pause = self._pause
        self._next, self._pause = self._clock() + pause, min(2 * pause, LONGEST_PAUSE_SECONDS)
        try:
            listed = [*self._load()]
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            self._next = self._clock() + pause  # retries take longer than the pause
            raise
        self._failure, self._loaded = "", self._clock()
        self._teams = {_hash(value): team for value, team, _ in listed}
        self._working = {team for _, team, works in listed if works}
        if hashed is None or hashed in self._teams:
            pause, self._pause = PAUSE_SECONDS, 2 * PAUSE_SECONDS
        self._next = self._clock() + pause


def load_owners() -> Iterator[tuple[str, str, bool]]:
    """Yields the keys of this stack, their teams, and whether they work: one request for each 500 keys."""
    import boto3  # noqa: PLC0415  # takes a third of a second; needed only where teams have lists
    from botocore.config import Config  # noqa: PLC0415

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=READ_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    pages = boto3.client("apigateway", config=config).get_paginator("get_api_keys")
    for page in pages.paginate(includeValues=True, PaginationConfig={"PageSize": KEYS_A_PAGE}):
        for key in page.get("items", []):
            tags = key.get("tags") or {}
            if tags.get(_TAG) == _STACK and _TEAM_TAG in tags:
                yield key["value"], tags[_TEAM_TAG], key["enabled"]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


_OWNERS = Owners(load_owners)
