"""The framing of `application/vnd.amazon.eventstream`. Pure.

    total length | headers length | CRC of these | headers | payload | CRC of everything before

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
from binascii import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE_BYTES = 12
_CRC_BYTES = 4
_STRING = 7


def encode_part(payload: bytes) -> bytes:
    """The message of a `PayloadPart` event."""
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    return _encode(headers, payload)


def encode_stream_error(error_code: str, message: str) -> bytes:
    """The message of a `ModelStreamError`: the answer broke off after it had begun."""
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
