"""The framing is what botocore parses, whatever is in it."""

from __future__ import annotations

import json

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from centralized_ml_api.local.sagemaker_runtime.event_stream import encode_part, encode_stream_error


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
