"""The framing is what botocore parses, whatever is in it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.sagemaker_runtime.event_stream import (
    encode_part,
    encode_stream_error,
    send_parts,
)
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(min_value=1, max_value=64))
def test_parts_come_back_in_order_and_whole_however_they_are_cut(parts: list[bytes], cut: int) -> None:
    sent = b"".join(encode_part(part) for part in parts)
    buffer = EventStreamBuffer()
    for start in range(0, len(sent), cut):
        buffer.add_data(sent[start : start + cut])
    messages = list(buffer)
    assert [message.payload for message in messages] == parts
    assert {message.headers[":event-type"] for message in messages} <= {"PayloadPart"}


def test_an_error_is_an_exception_message_with_its_code() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(encode_stream_error("StreamBroken", "gone"))
    message = next(buffer)
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "ModelStreamError"
    assert json.loads(message.payload) == {"Message": "gone", "ErrorCode": "StreamBroken"}


class Answer:
    """A model's answer that sends two pieces, ten seconds apart, then perhaps breaks off."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.content = self
        self._failure = failure

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Its pieces."""
        yield b"one"
        await asyncio.sleep(10)
        yield b"two"
        if self._failure:
            raise self._failure


class Caller:
    """The caller's end of the stream."""

    def __init__(self) -> None:
        self._buffer = EventStreamBuffer()

    async def write(self, message: bytes) -> None:
        """Takes what is sent."""
        self._buffer.add_data(message)

    def messages(self) -> list[Any]:
        """Every payload, with its error code if it is an error."""
        return [
            message.payload
            if message.headers[":message-type"] == "event"
            else json.loads(message.payload)["ErrorCode"]
            for message in self._buffer
        ]


@pytest.mark.parametrize(
    ("answer", "deadline", "messages"),
    [
        (Answer(), 11, [b"one", b"two"]),
        (Answer(), 9, [b"one", "ModelInvocationTimeExceeded"]),
        (Answer(aiohttp.ClientPayloadError()), 11, [b"one", b"two", "StreamBroken"]),
    ],
    ids=["complete", "too slow", "broken off"],
)
def test_pieces_are_sent_as_they_come_and_a_failure_after_them(
    answer: Answer, deadline: float, messages: list[Any]
) -> None:
    async def main() -> list[Any]:
        caller = Caller()
        await send_parts(cast("aiohttp.ClientResponse", answer), cast("web.StreamResponse", caller), deadline)
        return caller.messages()

    assert run_in_virtual_time(main()) == messages
