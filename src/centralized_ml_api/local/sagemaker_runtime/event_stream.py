"""Frames a model's answer as `application/vnd.amazon.eventstream`.

    total length | headers length | CRC of these | headers | payload | CRC of everything before

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import asyncio
import json
import struct
from binascii import crc32
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp import web

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE_BYTES = 12
_CRC_BYTES = 4
_STRING = 7


async def send_parts(answer: aiohttp.ClientResponse, response: web.StreamResponse, deadline: float) -> None:
    """Sends each piece of the model's body as a `PayloadPart`, as it arrives.

    The status is already sent, so a failure from here on is an exception message in the stream.

    Args:
        answer: The model's answer, its body unread.
        response: The prepared response to the caller.
        deadline: When the answer must be complete, in seconds of the event loop's clock.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html
    """
    try:
        async with asyncio.timeout_at(deadline):
            async for piece in answer.content.iter_any():
                await response.write(encode_part(piece))
    except TimeoutError:
        message = "Your model primary did not complete sending the inference response in the allotted time."
        await response.write(encode_stream_error("ModelInvocationTimeExceeded", message))
    except aiohttp.ClientError:
        message = "The connection to the model was closed before the response was complete."
        await response.write(encode_stream_error("StreamBroken", message))


def encode_part(payload: bytes) -> bytes:
    """Encodes a `PayloadPart` event. Pure."""
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    return _encode(headers, payload)


def encode_stream_error(error_code: str, message: str) -> bytes:
    """Encodes a `ModelStreamError` exception: the answer broke off after it had begun. Pure."""
    headers = {
        ":message-type": "exception",
        ":exception-type": "ModelStreamError",
        ":content-type": "application/json",
    }
    return _encode(headers, json.dumps({"Message": message, "ErrorCode": error_code}).encode())


def _encode(headers: dict[str, str], payload: bytes) -> bytes:
    head = b"".join(_encode_header(name, value) for name, value in headers.items())
    total = _PRELUDE_BYTES + len(head) + len(payload) + _CRC_BYTES
    prelude = struct.pack("!II", total, len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def _encode_header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text
