"""The framing of streams in JavaScript, on the same vectors as the one in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.framing_vectors import CUTS, ERRORS, WITHOUT_PIECES
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from collections.abc import Iterable

CUT = """
import { framingOf } from "./framing.mjs";
async function* fed(parts) { for (const part of parts) yield Buffer.from(part, "latin1"); }
const answers = [];
for (const { contentType, pieces } of input) {
    const framing = framingOf(contentType);
    const cut = [];
    for await (const piece of framing.cut(fed(pieces))) cut.push(Buffer.from(piece).toString("latin1"));
    answers.push({ cut, last: framing.renderLast("{}") });
}
console.log(JSON.stringify(answers));
"""
FAIL = """
import { framingOf } from "./framing.mjs";
async function* fed() { yield Buffer.from("data: 1\\n\\ndata: tw"); throw new Error("broken"); }
const cut = [];
let failure = null;
try {
    for await (const piece of framingOf("text/event-stream").cut(fed())) cut.push(String(piece));
} catch ({ message }) { failure = message; }
console.log(JSON.stringify({ cut, failure }));
"""


def frame(answers: Iterable[tuple[str, list[bytes]]]) -> list[dict[str, Any]]:
    fed = [
        {"contentType": content_type, "pieces": [piece.decode("latin1") for piece in pieces]}
        for content_type, pieces in answers
    ]
    framed: list[dict[str, Any]] = run_script(CUT, fed)
    return framed


def test_pieces_are_whole_and_no_byte_is_lost() -> None:
    framed = frame((content_type, pieces) for content_type, pieces, _ in CUTS)
    cut = [[piece.encode("latin1") for piece in answer["cut"]] for answer in framed]
    assert cut == [expected for _, _, expected in CUTS]


def test_an_error_is_a_whole_piece() -> None:
    framed = frame((content_type, []) for content_type in ERRORS)
    assert [answer["last"].encode() for answer in framed] == list(ERRORS.values())


def test_other_types_pass_as_they_come_and_have_no_place_for_an_error() -> None:
    framed = frame((content_type, [b"1\n\n2", b"3"]) for content_type in WITHOUT_PIECES)
    assert framed == [{"cut": ["1\n\n2", "3"], "last": None}] * len(WITHOUT_PIECES)


def test_of_a_stream_that_fails_no_half_piece_comes() -> None:
    assert run_script(FAIL) == {"cut": ["data: 1\n\n"], "failure": "broken"}
