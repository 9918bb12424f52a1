"""Answers Envoy: whether a call may go on, when, and with which body.

Envoy opens one stream of messages for each call (`ext_proc`), which ends here as soon as the call may go on:
should this process die, calls under way are not touched. That a call is over, however it ended, Envoy tells
by its access log.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/ext_proc_filter
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import MODEL_STATE_HEADER
from centralized_ml_api.api.openai import missing_model, unknown_model
from centralized_ml_api.local.admission import envoy_messages_pb2 as envoy
from centralized_ml_api.local.admission.body_rules import (
    LLAMA_CPP,
    build_passed_on,
    check_length,
    with_slot,
)
from centralized_ml_api.local.admission.form_body import read_form, with_form_model
from centralized_ml_api.local.admission.json_body import BodyError, JsonBody, read_json_object
from centralized_ml_api.local.admission.prompts import NO_PROMPT, Prompt, RecentPrompts
from centralized_ml_api.local.admission.provider_rules import PROVIDER, adds_usage
from centralized_ml_api.local.admission.sleepers import SleepingError
from centralized_ml_api.local.admission.terms import (
    ADDRESS_ATTRIBUTE,
    BODY_NAMESPACE,
    CHOSEN_HEADER,
    HIDES_USAGE,
    REFUSED,
    REQUEST_ID_KEY,
    TEAM_HEADER,
    TERMS_KEY,
    TIME_ATTRIBUTE,
    parse_terms,
)
from centralized_ml_api.local.admission.turns import CallOverError, LineFullError, NotAwakeError
from centralized_ml_api.plan.apis import MESSAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from centralized_ml_api.local.admission.sleepers import Sleepers
    from centralized_ml_api.local.admission.terms import RouteTerms
    from centralized_ml_api.local.admission.turns import Turns

_ATTRIBUTES = "envoy.filters.http.ext_proc"
_SHORT_PAUSE_SECONDS = 1

COUNTING = ", counting"
"""Sets the turns of counts apart from those of answers. No entry or team has such a name."""

COUNTS_AT_ONCE = 2
"""Counts of tokens that an entry works at: each takes a moment, and memory that grows with its body."""


class RefusalError(Exception):
    """A call that may not go on.

    Attributes:
        error: What its caller is told.
        retry_after_seconds: When to try again; None if that would not help.
        model_state: What the model does, if it sleeps or wakes.
    """

    def __init__(
        self, error: errors.ApiError, retry_after_seconds: int | None = None, *, model_state: str = ""
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_seconds = retry_after_seconds
        self.model_state = model_state


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call before its body is read.

    `identity` is the same when its end is told: the address of its connection, which has one call at a time,
    and the microsecond of its beginning. `caller` takes turns with others: a team, or without teams an
    address.
    """

    identity: tuple[str, int]
    team: str
    caller: str
    has_body: bool
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may go on: to which entry, and with which body, None for its own.

    `chosen` is what the routes are to know of a body that names the entry; the call is asked about once more,
    on its new route. `prompt` is what the call has its model read. With `hides_usage`, its caller
    must not see the event with its tokens at the end of the stream.
    """

    name: str
    body: bytes | None = None
    chosen: dict[str, Any] | None = None
    prompt: Prompt = NO_PROMPT
    hides_usage: bool = False


class AdmissionService:
    """Both services that Envoy calls: the one that decides on calls, the one that hears of their end.

    Args:
        turns: The places at models.
        sleepers: The entries that may sleep.
    """

    def __init__(self, turns: Turns, sleepers: Sleepers) -> None:
        self._turns = turns
        self._sleepers = sleepers
        self._prompts = RecentPrompts()

    async def process(
        self, messages: AsyncIterator[envoy.ProcessingRequest], context: Any
    ) -> AsyncIterator[envoy.ProcessingResponse]:
        """Answers the messages about one call: its headers, then its body where the terms need it."""
        metadata = dict(context.invocation_metadata())
        terms = parse_terms(metadata[TERMS_KEY])
        call: Call | None = None
        async for message in messages:
            try:
                if call is None:
                    call = _read_call(message)
                    if call.has_body and terms.reads_body:
                        yield envoy.ProcessingResponse(request_headers=envoy.HeadersResponse())
                        continue
                    admission = self._decide_without_body(call, terms)
                else:
                    admission = self._decide(call, terms, message.request_body.body)
                if not terms.chooses:
                    admission = await self._take_turn(call, admission, terms)
            except CallOverError:
                return
            except SleepingError as sleeping:
                yield _render_refusal(_refuse_sleeping(sleeping), metadata[REQUEST_ID_KEY])
            except RefusalError as refusal:
                yield _render_refusal(refusal, metadata[REQUEST_ID_KEY])
            else:
                yield _render_admission(admission, has_read_body=message.HasField("request_body"))
            return

    async def hear_of_ends(
        self, messages: AsyncIterator[envoy.StreamAccessLogsMessage], context: Any
    ) -> envoy.StreamAccessLogsResponse:
        """Frees the places of calls that are over."""
        del context
        async for message in messages:
            for entry in message.http_logs.log_entry:
                self._turns.end(_identify_ended(entry.common_properties))
        return envoy.StreamAccessLogsResponse()

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
                is_beside_others = await self._turns.take(
                    call.identity,
                    line,
                    caller,
                    places=places,
                    at_once=at_once,
                    servers=entry.servers,
                    prompt=prompt,
                    sleeper=sleeper,
                )
        except (TimeoutError, LineFullError, NotAwakeError) as error:
            if sleeper is not None and not self._sleepers.is_awake(sleeper):
                raise self._sleepers.refuse(sleeper) from error
            raise _refuse_turn(error, call, terms) from error
        if admission.body is None or prompt is NO_PROMPT:
            return admission
        # llama.cpp reads prompts in the order of its slots, a batch at a time: what is read in the last slot
        # holds up nobody. A team alone may use any slot, and find its conversations there. In Anthropic's
        # bodies the server reads no slot.
        is_last = prompt.is_long and is_beside_others and entry.slots > 1 and entry.path not in MESSAGES.paths
        self._prompts.note(name, prompt, entry.slots, in_last_slot=is_last)
        return replace(admission, body=with_slot(admission.body, entry.slots - 1)) if is_last else admission

    def _decide_without_body(self, call: Call, terms: RouteTerms) -> Admission:
        if terms.reads_body:
            return self._decide(call, terms, b"")
        return Admission(next(iter(terms.entries)))

    def _decide(self, call: Call, terms: RouteTerms, received: bytes) -> Admission:
        """Decides on a body.

        Raises:
            RefusalError: It is not taken.
        """
        if not terms.chooses:
            (entry,) = terms.entries.values()
            too_large = check_length(received, entry)
            if too_large is not None:
                raise RefusalError(too_large)
        try:
            if terms.takes_form:
                return _decide_form(terms, received, call.content_type)
            body = read_json_object(received)
            if terms.chooses:
                name = _choose(terms, body)
                return Admission(name, chosen={"model": name, "stream": body.document.get("stream") is True})
            ((name, entry),) = terms.entries.items()
            passed_on = build_passed_on(body, entry)
            has_prompt = entry.body_rules == LLAMA_CPP and not entry.counts_tokens
            prompt = self._prompts.measure(name, entry, body.document) if has_prompt else NO_PROMPT
            hides_usage = entry.body_rules == PROVIDER and adds_usage(body.document, entry)
            return Admission(name, passed_on, prompt=prompt, hides_usage=hides_usage)
        except BodyError as error:
            raise RefusalError(errors.INVALID_BODY.saying(str(error))) from error


def _read_call(message: envoy.ProcessingRequest) -> Call:
    headers = {header.key: header.raw_value.decode() for header in message.request_headers.headers.headers}
    attributes = message.attributes[_ATTRIBUTES].fields
    address = attributes[ADDRESS_ATTRIBUTE].string_value
    begun = envoy.AccessLogCommon()
    begun.start_time.FromJsonString(attributes[TIME_ATTRIBUTE].string_value)
    team = headers.get(TEAM_HEADER, "")
    return Call(
        identity=(address, begun.start_time.ToMicroseconds()),
        team=team,
        caller=team or address.rpartition(":")[0],
        has_body=not message.request_headers.end_of_stream,
        content_type=headers.get("content-type", ""),
    )


def _identify_ended(common: envoy.AccessLogCommon) -> tuple[str, int]:
    remote = common.downstream_remote_address.socket_address
    host = f"[{remote.address}]" if ":" in remote.address else remote.address
    return f"{host}:{remote.port_value}", common.start_time.ToMicroseconds()


def _decide_form(terms: RouteTerms, received: bytes, content_type: str) -> Admission:
    """Decides on a body that is a form.

    Raises:
        BodyError: It is no such form.
        RefusalError: It names no model.
    """
    form = read_form(received, content_type)
    if terms.chooses:
        name = next(iter(terms.entries)) if terms.named_by_path else form.texts.get("model")
        if name is None:
            raise RefusalError(missing_model(terms.entries, in_form=True))
        # The routes know what else the name may be: an alias, an entry of another path, nothing.
        return Admission(name, chosen={"model": name, "stream": form.texts.get("stream") == "true"})
    ((name, entry),) = terms.entries.items()
    return Admission(name, with_form_model(form, entry.model) if entry.model else None)


def _choose(terms: RouteTerms, body: JsonBody) -> str:
    """Returns the entry that the body names.

    Raises:
        RefusalError: It names none of these.
    """
    if terms.named_by_path:
        return next(iter(terms.entries))
    model = body.document.get("model")
    if not isinstance(model, str):
        raise RefusalError(missing_model(terms.entries))
    name = terms.aliases.get(model, model)
    if name not in terms.entries:
        raise RefusalError(unknown_model(terms.entries))
    return name


def _render_admission(admission: Admission, *, has_read_body: bool) -> envoy.ProcessingResponse:
    common = envoy.CommonResponse(clear_route_cache=admission.chosen is not None)
    if admission.chosen is not None:
        # Without a new header Envoy would not look for another route. No model ever sees this one.
        _set_header(common.header_mutation, CHOSEN_HEADER, "yes")
    if admission.body is not None:
        common.body_mutation.body = admission.body
        _set_header(common.header_mutation, "content-length", str(len(admission.body)))
    if has_read_body:
        response = envoy.ProcessingResponse(request_body=envoy.BodyResponse(response=common))
    else:
        response = envoy.ProcessingResponse(request_headers=envoy.HeadersResponse(response=common))
    if admission.hides_usage:
        response.dynamic_metadata.update({BODY_NAMESPACE: {HIDES_USAGE: True}})
    if admission.chosen is not None:
        response.dynamic_metadata.update({BODY_NAMESPACE: admission.chosen})
    return response


def _refuse_turn(error: Exception, call: Call, terms: RouteTerms) -> RefusalError:
    """Returns what a caller is told whose turn does not come."""
    if isinstance(error, TimeoutError):
        overloaded = errors.OVERLOADED.with_message("no_turn", seconds=math.floor(terms.wait_seconds))
        return RefusalError(overloaded, errors.RETRY_AFTER_SECONDS)
    if isinstance(error, LineFullError) and error.own and call.team:
        return RefusalError(errors.TOO_MANY_REQUESTS.with_message("team_at_once"), _SHORT_PAUSE_SECONDS)
    return RefusalError(errors.OVERLOADED, errors.RETRY_AFTER_SECONDS)


def _refuse_sleeping(sleeping: SleepingError) -> RefusalError:
    seconds = sleeping.retry_after_seconds
    if sleeping.has_failed:
        error = errors.MODEL_NOT_READY.with_message("did_not_wake", seconds=seconds)
        return RefusalError(error, seconds, model_state=sleeping.state)
    error = errors.MODEL_WAKING.with_message("in_seconds", seconds=seconds)
    return RefusalError(error, seconds, model_state=sleeping.state)


def _render_refusal(refusal: RefusalError, request_id: str) -> envoy.ProcessingResponse:
    body = errors.render_error(refusal.error, request_id).encode()
    immediate = envoy.ImmediateResponse(body=body, details=REFUSED)
    immediate.status.code = refusal.error.status
    _set_header(immediate.headers, "content-type", "application/json")
    if refusal.retry_after_seconds is not None:
        _set_header(immediate.headers, "retry-after", str(refusal.retry_after_seconds))
    if refusal.model_state:
        _set_header(immediate.headers, MODEL_STATE_HEADER, refusal.model_state)
    return envoy.ProcessingResponse(immediate_response=immediate)


def _set_header(headers: envoy.HeaderMutation, name: str, value: str) -> None:
    headers.set_headers.add().header.MergeFrom(envoy.HeaderValue(key=name, raw_value=value.encode()))
