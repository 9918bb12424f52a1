"""Answers Envoy: whether a call may go on, when, and with which body.

Envoy asks once for each call, and goes on alone with the answer: should this process die, calls under way are
not touched. That a call is over, however it ended, Envoy tells by its access log.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.accountant import ShortageError
from centralized_ml_api.local.admission.body_rules import (
    LLAMA_CPP_NOTICES_SECONDS,
    build_passed_on,
    check_length,
    with_slot,
)
from centralized_ml_api.local.admission.decisions import build_ask, choose_entry, decide_form, measure
from centralized_ml_api.local.admission.exchange import (
    OVER,
    UNKNOWN_LIMITS,
    UNKNOWN_TERMS,
    Admission,
    Response,
    read_call,
    read_ends,
    render_admission,
    render_document,
    render_refusal,
)
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.needs import asks_many, measure_bytes
from centralized_ml_api.local.admission.prompts import NO_PROMPT, RecentPrompts
from centralized_ml_api.local.admission.provider_rules import PROVIDER, adds_usage
from centralized_ml_api.local.admission.refusals import (
    RefusalError,
    refuse_shortage,
    refuse_sleeping,
    refuse_turn,
    render_left,
)
from centralized_ml_api.local.admission.sleepers import SleepingError
from centralized_ml_api.local.admission.team_usage import describe_day, describe_limit, render_team_usage
from centralized_ml_api.local.admission.terms import LLAMA_CPP, name_terms, parse_limits, parse_terms
from centralized_ml_api.local.admission.turns import CallOverError, LineFullError, NotAwakeError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from centralized_ml_api.local.admission.accountant import Accountant
    from centralized_ml_api.local.admission.accounts import Ask
    from centralized_ml_api.local.admission.exchange import Call, Request
    from centralized_ml_api.local.admission.sleepers import Sleepers
    from centralized_ml_api.local.admission.terms import RouteTerms, TeamLimits
    from centralized_ml_api.local.admission.turns import Turns
    from centralized_ml_api.local.usage.store import UsageStore

T = TypeVar("T")

COUNTING = ", counting"
"""Sets the turns of counts apart from those of answers. No entry or team has such a name."""

TERMS_REMEMBERED = 1024
"""Beyond, those that were told first are forgotten, and asked for again."""

LIMITS_REMEMBERED = 8
"""The same of the limits of teams, of which a gateway has one."""

TERMS_BYTES, LIMITS_BYTES = "x-terms-bytes", "x-limits-bytes"
"""The header with the length of what comes before the body, and that with how much of it is limits: the rest
before them is terms."""

COUNTS_AT_ONCE = 2
"""Counts of tokens that an entry works at: each takes a moment, and memory that grows with its body."""


class AdmissionService:
    """Decides on the calls that Envoy asks about, and hears of their end.

    Args:
        turns: The places at models.
        sleepers: The entries that may sleep.
        accountant: What teams may spend.
        usage: What teams have used, as far as it is counted.
    """

    def __init__(self, turns: Turns, sleepers: Sleepers, accountant: Accountant, usage: UsageStore) -> None:
        self._turns = turns
        self._sleepers = sleepers
        self._accountant = accountant
        self._usage = usage
        self._prompts = RecentPrompts()
        self._terms: dict[str, RouteTerms] = {}
        self._limits: dict[str, TeamLimits] = {}

    def answer(self, request: Request) -> Response | Coroutine[Any, Any, Response]:
        """Answers a question about a call: at once, or when it may go on or is refused.

        When cancelled, because its caller has left, the call has neither place nor reservation.
        """
        terms = self._find_terms(request)
        if isinstance(terms, Response):
            return terms
        call = read_call(request)
        if terms.asks_usage:
            return self._answer_usage(call.team, terms)
        try:
            received = request.body[int(request.headers.get(TERMS_BYTES, 0)) :]
            admission = self._decide(call, terms, received)
            if terms.chooses:
                return render_admission(admission)
            at_once = self._admit_at_once(call, admission, terms)
        except (CallOverError, RefusalError) as error:
            return _render_error(error)
        return self._answer_later(call, admission, terms) if at_once is None else render_admission(at_once)

    async def _answer_later(self, call: Call, admission: Admission, terms: RouteTerms) -> Response:
        try:
            return render_admission(await self._admit(call, admission, terms))
        except (CallOverError, RefusalError, SleepingError) as error:
            return _render_error(error)

    async def _answer_usage(self, team: str, terms: RouteTerms) -> Response:
        try:
            return render_document(await self._tell_usage(team, terms))
        except RefusalError as refusal:
            return render_refusal(refusal)

    def hear(self, told: bytes) -> None:
        """Frees the places of calls that are over, and settles what they have spent."""
        for call, ending in read_ends(told):
            self._prompts.end(call, was_read=ending.was_read)
            self._turns.end(call, lingers=ending.is_cut_short)
            self._accountant.end(call, ending)

    def _find_terms(self, request: Request) -> RouteTerms | Response:
        """Returns the terms that a question names, or asks for what it neither has nor told before."""
        name, length = request.headers["x-terms"], int(request.headers.get(TERMS_BYTES, 0))
        if not length:
            return self._terms.get(name, UNKNOWN_TERMS)
        end = length - int(request.headers.get(LIMITS_BYTES, 0))
        terms = parse_terms(request.body[:end].decode())
        if end < length:
            text = request.body[end:length].decode()
            _remember(self._limits, name_terms(text), parse_limits(text), LIMITS_REMEMBERED)
        if terms.limits_name:
            limits = self._limits.get(terms.limits_name)
            if limits is None:
                return UNKNOWN_LIMITS
            terms = terms.limited_by(limits)
        _remember(self._terms, name, terms, TERMS_REMEMBERED)
        return terms

    def _admit_at_once(self, call: Call, admission: Admission, terms: RouteTerms) -> Admission | None:
        """Returns what goes on; None, with nothing taken or reserved, if the call must wait for something.

        Raises:
            CallOverError: Nobody waits for it any more.
            RefusalError: Its team may not spend that much.
        """
        entry, ask = terms.entries[admission.name], admission.ask
        if (
            entry.counts_tokens
            or entry.places is not None
            or entry.sleeps
            or call.team in terms.requests_at_once
        ):
            return None
        if ask is None:
            return admission
        with _refusing():
            is_reserved = self._accountant.reserve_at_once(call.identity, ask)
            # Of what it does not use, nobody is short.
            return self._with_left(admission, ask, is_told_later=True) if is_reserved else None

    async def _admit(self, call: Call, admission: Admission, terms: RouteTerms) -> Admission:
        """Waits for the call's turn, and reserves what it may spend; returns what goes on then.

        Raises:
            CallOverError: Nobody waits for it any more.
            RefusalError: It gets no turn, or its team may not spend that much.
        """
        ask = admission.ask
        if ask is None:
            return await self._take_turn(call, admission, terms)
        with _refusing():
            self._accountant.check(ask)  # whoever cannot pay need not wait
            admission = await self._take_turn(call, admission, terms)
            await self._accountant.reserve(call.identity, ask)
            return self._with_left(admission, ask)

    def _with_left(self, admission: Admission, ask: Ask, *, is_told_later: bool = False) -> Admission:
        left = render_left(self._accountant.left(ask.limits), time.time())
        return replace(admission, left=left, holds=True, is_told_later=is_told_later)

    async def _tell_usage(self, team: str, terms: RouteTerms) -> bytes:
        """Returns what a team has used, and what is left to it.

        Raises:
            RefusalError: It cannot be read now.
        """
        now, most = time.time(), terms.requests_per_day.get(team)
        described: list[dict[str, Any]] = []
        try:
            calls, tokens = await asyncio.to_thread(self._usage.load_team, team)
            if most is not None:
                today = datetime.fromtimestamp(now, UTC).date()
                used = await asyncio.to_thread(self._usage.requests_by_team, today)
                described.append(describe_day(most, used.get(team, 0), now))
            limits = terms.limits_of(team)
            left = self._accountant.left(limits) if limits else {}
        except (sqlite3.Error, OSError) as error:
            raise RefusalError(errors.MODEL_NOT_READY, errors.RETRY_AFTER_SECONDS) from error
        described += [describe_limit(limit, amount, now) for limit, amount in left.items()]
        return render_team_usage(team, calls, tokens, described)

    async def _take_turn(self, call: Call, admission: Admission, terms: RouteTerms) -> Admission:
        """Waits until the call has a place; returns what goes on then.

        Raises:
            CallOverError: Nobody waits for it any more.
            RefusalError: Too many calls wait, or its turn does not come in time.
            SleepingError: The model does not wake, or not in time.
        """
        name, prompt, entry = admission.name, admission.prompt, terms.entries[admission.name]
        line, caller = name, call.caller
        places, at_once = entry.places, terms.requests_at_once.get(call.team)
        if entry.counts_tokens:
            # A count takes no place of an answer and waits for none, only for other counts.
            line, caller = f"{name}{COUNTING}", f"{call.caller}{COUNTING}"
            places, at_once = COUNTS_AT_ONCE, None
        sleeper = name if entry.sleeps else None
        if places is None and at_once is None and sleeper is None:
            return admission
        if sleeper is not None:
            self._sleepers.check(sleeper, terms.wait_seconds)
        try:
            async with asyncio.timeout(terms.wait_seconds):
                slot = await self._turns.take(
                    call.identity,
                    line,
                    caller,
                    places=places,
                    at_once=at_once,
                    servers=entry.servers,
                    prompt=prompt,
                    sleeper=sleeper,
                    notices_seconds=LLAMA_CPP_NOTICES_SECONDS if entry.body_rules == LLAMA_CPP else 0,
                )
        except (TimeoutError, LineFullError, NotAwakeError) as error:
            if sleeper is not None and not self._sleepers.is_awake(sleeper):
                raise self._sleepers.refuse(sleeper) from error
            raise refuse_turn(error, call.team, terms.wait_seconds) from error
        admission = replace(admission, holds=True)
        if admission.body is None or prompt is NO_PROMPT:
            return admission
        self._prompts.note(call.identity, name, prompt, entry.slots, slot=slot)
        return admission if slot is None else replace(admission, body=with_slot(admission.body, slot))

    def _decide(self, call: Call, terms: RouteTerms, received: bytes) -> Admission:
        """Decides on a body, which is empty where the terms need none.

        Raises:
            RefusalError: It is not taken.
        """
        if not terms.reads_body:
            return Admission(next(iter(terms.entries)))
        if terms.chooses:
            if terms.takes_form:
                return decide_form(terms, received, call.content_type)
            name, is_stream = choose_entry(terms, received)
            return Admission(name, chosen={"model": name, "stream": is_stream})
        ((name, entry),) = terms.entries.items()
        too_large = check_length(received, entry)
        if too_large is not None:
            raise RefusalError(too_large)
        limits = () if entry.counts_tokens else terms.limits_of(call.team)
        if not entry.reads_body and not (limits and (entry.has_tokens or asks_many(entry))):
            ask = build_ask(limits, measure_bytes(len(received), entry), received, entry) if limits else None
            return Admission(name, ask=ask)
        if terms.takes_form:
            admission = decide_form(terms, received, call.content_type)
            if limits:
                ask = build_ask(limits, measure_bytes(len(received), entry), received, entry)
                admission = replace(admission, ask=ask)
            return admission
        try:
            body = read_json_object(received)
            need = measure(received, body.document, entry) if limits else None
            passed_on = build_passed_on(body, entry, need.members if need else None)
            has_prompt = entry.body_rules == LLAMA_CPP and not entry.counts_tokens
            prompt = self._prompts.measure(name, entry, body.document) if has_prompt else NO_PROMPT
            hides_usage = entry.body_rules == PROVIDER and adds_usage(body.document, entry)
        except BodyError as error:
            raise RefusalError(errors.INVALID_BODY.saying(str(error))) from error
        ask = build_ask(limits, need, received, entry) if need else None
        return Admission(name, passed_on, prompt=prompt, hides_usage=hides_usage, ask=ask)


def _remember(known: dict[str, T], name: str, told: T, most: int) -> None:
    """Remembers what was told; of too much, what was told first is forgotten."""
    if name not in known and len(known) >= most:
        del known[next(iter(known))]
    known[name] = told


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Refuses a call that its team cannot pay, or whose reservation cannot be written down.

    Raises:
        RefusalError: It is one.
    """
    try:
        yield
    except ShortageError as error:
        raise refuse_shortage(error.shortage) from error
    except (sqlite3.Error, OSError) as error:
        raise RefusalError(errors.MODEL_NOT_READY, errors.RETRY_AFTER_SECONDS) from error


def _render_error(error: CallOverError | RefusalError | SleepingError) -> Response:
    if isinstance(error, CallOverError):
        return OVER
    return render_refusal(refuse_sleeping(error) if isinstance(error, SleepingError) else error)
