"""Runs the translator in Node: many cases in one process, which takes longer to start than to translate."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.translator import CODE
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from collections.abc import Iterable

CHAT, RESPONSES, MESSAGES = "openai-chat", "openai-responses", "anthropic-messages"
CONVERSE = "bedrock-converse"
PNG = base64.b64encode(b"png").decode()
PDF = base64.b64encode(b"%PDF").decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLAUDE = {"model": "us.anthropic.claude-haiku-4-5-20251001-v1:0"}

CREATED = 1_790_000_000
SCRIPT = """
import { Untranslatable, translate } from "./index.mjs";
const attempt = ({ client, server, options, body, answer, pieces, breaks }) => {
    let count = 0;
    const newId = (prefix) => `${prefix}${(count += 1)}`;
    const translator = translate(client, server, { newId, now: () => 1790000000, ...options });
    try {
        const call = translator.request(body);
        const result = { body: call.body, streams: call.streams };
        if (answer) result.answer = call.response(answer);
        if (pieces) {
            const stream = call.stream();
            result.pieces = pieces.map((piece) => stream.push(Buffer.from(piece, "base64")));
            result.pieces.push(breaks ? stream.fail(breaks.status, breaks.message) : stream.end());
        }
        return result;
    } catch (cause) {
        if (!(cause instanceof Untranslatable)) throw cause;
        return { refused: cause.field, refusal: translator.refusal(cause) };
    }
};
console.log(JSON.stringify(input.map(attempt)));
"""


@dataclass(frozen=True)
class Translation:
    """A call, and what its server does: answers whole or in pieces.

    `breaks` is how the gateway ends a stream whose server is gone.
    """

    client: str
    server: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None
    pieces: Sequence[bytes] | None = None
    breaks: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def translate_all(cases: Iterable[Translation]) -> list[dict[str, Any]]:
    """Returns of each call what its server got, and what its client got."""
    given = [
        {**vars(case), "pieces": case.pieces and [base64.b64encode(piece).decode() for piece in case.pieces]}
        for case in cases
    ]
    results: list[dict[str, Any]] = run_script(SCRIPT, given, CODE)
    return results


def translate_one(case: Translation) -> dict[str, Any]:
    """Returns what `translate_all` does of a single call."""
    return translate_all([case])[0]


def read_events(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the events of a stream, all named by their types; the end of OpenAI's chats is `DONE`."""
    events = []
    for frame in "".join(result["pieces"]).split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in frame.splitlines())
        if "" in lines:
            continue
        if lines["data"] == "[DONE]":
            events.append({"type": "DONE"})
            continue
        event = json.loads(lines["data"])
        assert lines.get("event", event.get("type")) == event.get("type")
        events.append(event)
    return events


def sse(*values: Mapping[str, Any] | str) -> bytes:
    """Returns server-sent events without names."""
    texts = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def named_sse(*values: Mapping[str, Any]) -> bytes:
    """Returns server-sent events that are named by their types."""
    return "".join(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n" for value in values).encode()


def frame(name: str, payload: Mapping[str, Any], kind: str = "event") -> bytes:
    """Returns an event or an exception of an AWS event stream."""
    fields = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for key, value in fields.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + head + body
    return message + struct.pack("!I", binascii.crc32(message))
