"""What the function makes of providers' errors and tokens, without a provider."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from support.ending_streams import ENDED, STOPPED
from support.stream_host.script import run_script
from support.translation import frame

AMBIGUOUS = [
    ('{"web_search_options": {"a": 1}, "web_search_options": null}', 'the key "web_search_options" twice'),
    ('{"Previous_Response_ID": "resp_1"}', 'the key "Previous_Response_ID": write "previous_response_id"'),
    ('{"provideroptions": {"order": ["a"]}}', 'the key "provideroptions": write "providerOptions"'),
    ('{"messages": [{"type": "video"}], "messages": []}', 'the key "messages" twice'),
]
"""The same as on one machine."""

ARN = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/x"
PASSED = """
import { passEvents } from "./provider_answers.mjs";
async function* chunks() { for (const text of input) yield Buffer.from(text); }
let passed = "";
for await (const bytes of passEvents(chunks(), false, {})) passed += bytes;
console.log(JSON.stringify(passed));
"""
COUNTED = """
import { noteUsage } from "./provider_answers.mjs";
const noteAll = (reports) => {
    const noted = {};
    for (const usage of reports) noteUsage({ usage }, noted);
    return noted;
};
console.log(JSON.stringify(input.map((reports) => noteAll([reports].flat()))));
"""
FAKES = """
import { Readable } from "node:stream";
import { buildTranslatedCall } from "./translated.mjs";
const cancellation = { startIdleTimer() {}, stopIdleTimer() {} };
class Answer {
    isPaid = true;
    text = "";
    writeHead(status) { this.status = status; }
    async pipe(chunks) { for await (const bytes of chunks) this.text += bytes; }
    async sendJson(value) { this.status = 200; this.text = JSON.stringify(value); }
}
const answers = [];
for (const { document, provider, chunks } of input) {
    const body = { document, has: () => false };
    const call = buildTranslatedCall(body, "/v1/chat/completions", "mine", { provider });
    const response = Readable.from(chunks.map((text) => Buffer.from(text, "base64")));
    const type = provider.converse ? "application/vnd.amazon.eventstream" : "text/event-stream";
    response.headers = { "content-type": type };
    const answer = new Answer();
    let thrown = null;
    let isUntouched = false;
    try {
        await call.passOn({ response, status: 200, usage: {}, answer, cancellation });
    } catch (cause) {
        thrown = { status: cause.status, code: cause.code, message: cause.message };
        isUntouched = cause.isUntouched === true;
    }
    const { isPaid, text, status = null } = answer;
    answers.push({ thrown, isUntouched, isPaid, text, status });
}
console.log(JSON.stringify(answers));
"""


def event(value: object) -> str:
    return f"data: {json.dumps(value)}\n\n"


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "Key sk-abc123 of org-AbCdEfGh12."}},
        {"type": "error", "error": {"type": "api_error", "message": "Key sk-abc123 of org-AbCdEfGh12."}},
        {"type": "response.failed", "response": {"error": {"message": "Key sk-abc123 of org-AbCdEfGh12."}}},
    ],
)
def test_an_error_within_a_stream_tells_nothing_of_the_customer(error: dict[str, Any]) -> None:
    said = event({"choices": [{"delta": {"content": "sk-abc123"}}], "error": None})
    whole = said + event(error)
    passed = run_script(PASSED, [whole[:-30], whole[-30:]])
    assert passed == said + event(error).replace("sk-abc123", "(hidden)").replace(
        "org-AbCdEfGh12", "(hidden)"
    )


BROKEN = """
import { passEvents } from "./provider_answers.mjs";
async function* chunks(texts) { for (const text of texts) yield Buffer.from(text); }
const notes = [];
for (const texts of input) {
    const usage = {};
    for await (const _ of passEvents(chunks(texts), false, usage));
    notes.push(usage);
}
console.log(JSON.stringify(notes));
"""


def test_what_is_reported_before_an_error_is_not_all_that_was_used() -> None:
    begun = event({"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}})
    quoted = event({"delta": {"content": '{"error": {}}'}, "error": None})
    overloaded = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    ended = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    broken, whole = run_script(BROKEN, [[begun, quoted, overloaded], [begun, quoted, ended]])
    assert broken == {"tokens_in": 9, "tokens_out": 1, "is_broken_off": True}
    assert whole == {"tokens_in": 9, "tokens_out": 1}


def test_only_the_last_report_says_what_a_stream_has_used() -> None:
    streams = {**{f"stopped: {name}": stream for name, stream in STOPPED.items()}, **ENDED}
    notes = run_script(BROKEN, [[text.decode() for text in stream] for stream in streams.values()])
    is_reported = [bool(note.get("tokens_in")) and not note.get("is_broken_off") for note in notes]
    reported = {name for name, known in zip(streams, is_reported, strict=True) if known}
    assert reported == {*ENDED} - {"a chat of llama.cpp"}, "no provider is one"


def test_tokens_of_caches_are_tokens_in_where_they_are_counted_apart() -> None:
    noted = run_script(
        COUNTED,
        [
            {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
            {"inputTokens": 10, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 2, "outputTokens": 3},
            {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 3},
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 3},
            {"output_tokens": 3},
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}},
            {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}},
        ],
    )
    assert noted == [
        {"tokens_in": 16, "tokens_cached": 4, "tokens_cache_writes": 2},
        {"tokens_in": 16, "tokens_cached": 4, "tokens_cache_writes": 2, "tokens_out": 3},
        {"tokens_in": 10, "tokens_cached": 4, "tokens_out": 3},
        {"tokens_in": 10, "tokens_cached": 4, "tokens_out": 3},
        {"tokens_out": 3},
        *[{"tokens_in": 10, "tokens_cached": 4, "tokens_cache_writes": 2}] * 2,
    ]


def test_of_several_reports_the_largest_counts_and_none_is_less_than_nothing() -> None:
    begun = {"input_tokens": 90, "cache_creation_input_tokens": 10, "output_tokens": 1}
    (ended, negative) = run_script(
        COUNTED,
        [
            [begun, {"input_tokens": 0, "output_tokens": 7}],
            {"prompt_tokens": -10, "completion_tokens": -3},
        ],
    )
    assert ended == {"tokens_in": 100, "tokens_cache_writes": 10, "tokens_out": 7}
    assert "tokens_in" not in negative


ASKED = {"messages": [{"role": "user", "content": "Hi"}]}
CONVERSE = {"apis": ["openai-chat"], "converse": True, "model": ARN}
CLAUDE = {"apis": ["anthropic-messages"], "model": "claude"}
BEGUN = frame("messageStart", {"role": "assistant"})
SAID = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}})


def throttled(said: str) -> bytes:
    return frame("throttlingException", {"message": said}, "exception")


def streamed(provider: dict[str, Any], *chunks: bytes, stream: bool = True) -> dict[str, Any]:
    return {
        "document": {**ASKED, "stream": stream},
        "provider": provider,
        "chunks": [base64.b64encode(chunk).decode() for chunk in chunks],
    }


def test_a_translated_answer_is_an_error_with_a_status_until_it_has_begun() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    early, busy, cut, unreadable, no_answer, no_json = run_script(
        FAKES,
        [
            streamed(CONVERSE, BEGUN, throttled(f"Slow down, {ARN}.")),
            streamed(CLAUDE, event(overloaded).encode()),
            streamed(CONVERSE, BEGUN),
            streamed(CONVERSE, BEGUN[:-1] + b"\x00"),
            streamed(CONVERSE, b"{}", stream=False),
            streamed(CONVERSE, b"{", stream=False),
        ],
    )
    assert early["thrown"] == {"status": 429, "code": "too_many_requests", "message": "Slow down, (hidden)"}
    assert (busy["thrown"]["status"], busy["thrown"]["code"]) == (529, "model_failed")
    assert [early["isPaid"], busy["isPaid"], cut["isPaid"]] == [False, False, True]
    assert [answer["isUntouched"] for answer in (early, busy, cut)] == [True, True, False]
    for broken in (cut, unreadable, no_answer, no_json):
        assert (broken["thrown"]["status"], broken["thrown"]["code"]) == (502, "model_failed")
    assert {answer["status"] for answer in (early, busy, cut, unreadable, no_answer, no_json)} == {None}


def test_a_translated_stream_names_the_entry_and_ends_with_an_error_without_the_account() -> None:
    (answer,) = run_script(FAKES, [streamed(CONVERSE, BEGUN, SAID, throttled(f"Slow down, {ARN}."))])
    first, *_, last = (json.loads(line[6:]) for line in answer["text"].split("\n\n") if line)
    assert (answer["thrown"], answer["status"]) == (None, 200)
    assert first["model"] == "mine"
    assert last["error"]["message"] == "Slow down, (hidden)"
    assert "111122223333" not in answer["text"]


FALLING = """
import http from "node:http";
import { readJsonObject } from "./json_body.mjs";
import { answerEntry } from "./openai.mjs";
const server = http.createServer((request, response) => {
    asked.push(request.url.split("/")[1]);
    if (request.url.startsWith("/busy")) response.writeHead(429).end("{}");
    else response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const host = `http://127.0.0.1:${server.address().port}`;
console.log = console.warn = () => {};
let asked = [];
const ask = async (fallback) => {
    asked = [];
    const entry = (at, api, more) =>
        [at, { provider: { url: `${host}/${at}`, apis: [api], model: "m", ...more }, headers: [], fallback }];
    const models = new Map([
        entry("busy", "openai-chat"),
        entry("full", "openai-chat"),
        entry("picky", "openai-chat", { converse: true }),
        entry("odd", "anthropic-messages"),
    ]);
    const request = { headers: {}, refused: [] };
    const cancellation = { signal: undefined, reason: null, startIdleTimer() {}, stopIdleTimer() {} };
    const answer = { headersSent: false, isPaid: false, send() { this.headersSent = true; } };
    const name = fallback.length > 1 ? "busy" : "odd";
    const messages = [{ role: "user", content: "Hi" }];
    const body = readJsonObject(Buffer.from(JSON.stringify({ messages, ...(name === "busy" && { n: 2 }) })));
    const path = "/v1/chat/completions";
    const call = { api: "openai-chat", path, name, request, models, body, answer, cancellation };
    const thrown = await answerEntry(call).then(() => null, ({ status, code }) => [status, code]);
    return { thrown, asked, servedBy: answer.servedBy };
};
const results = [await ask(["picky", "full"]), await ask(["picky", "picky"]), await ask(["full"])];
server.close();
process.stdout.write(JSON.stringify(results));
"""


def test_fallback_passes_over_what_cannot_be_asked_and_ends_with_an_answer_that_was_paid() -> None:
    served, refused, paid = run_script(FALLING)
    assert served == {"thrown": None, "asked": ["busy", "full"], "servedBy": "full"}
    assert refused == {"thrown": [429, "too_many_requests"], "asked": ["busy"], "servedBy": "busy"}
    assert paid == {"thrown": [502, "model_failed"], "asked": ["odd"], "servedBy": "odd"}


LIMITED = """
import { Cancellation } from "./cancellation.mjs";
import { signHeaders } from "./aws_signing.mjs";
import { readStart } from "./https_call.mjs";
import { rewordError } from "./provider_answers.mjs";
import { Readable } from "node:stream";
const cancellation = new Cancellation(60, 60000);
const limited = cancellation.within(0);
await new Promise((resolve) => limited.signal.addEventListener("abort", resolve));
const ofQuestion = cancellation.signal.aborted;
const other = cancellation.within(60000);
cancellation.clientDisconnected();
cancellation.dispose();
const sign = (value) => {
    const sent = { method: "POST", url: new URL("https://a.test/b"), headers: { "x-a": value }, body: "" };
    const request = { ...sent, service: "s", region: "r" };
    return signHeaders(request, new Date(0)).authorization;
};
const page = Readable.from([Buffer.from('{"error": {"message": "No."}, "x": "'), Buffer.alloc(100000, "x")]);
const start = await readStart(page, { startIdleTimer() {}, stopIdleTimer() {} }, 65536);
console.warn = () => {};
const given = { status: 400, headers: {}, text: start.toString(), name: "n", requestId: "r" };
const { status, message, modelBody = null } = rewordError(given);
console.log(JSON.stringify({
    ofQuestion, ofOther: other.signal.aborted, signs: [sign(" a  b "), sign("a b"), sign("ab")],
    length: start.length, isGone: page.destroyed, error: [status, message, modelBody],
}));
"""


def test_questions_are_limited_headers_are_signed_as_they_arrive_and_large_errors_are_cut() -> None:
    found = run_script(LIMITED)
    assert (found["ofQuestion"], found["ofOther"]) == (False, True)
    padded, plain, other = found["signs"]
    assert padded == plain != other
    assert (found["length"], found["isGone"]) == (65536, True)
    assert found["error"] == [400, "No.", None]


MEASURED = """
import { readJsonObject } from "./json_body.mjs";
import { listMeasured } from "./needs.mjs";
import { adaptToProvider } from "./provider_body.mjs";
const path = "/v1/chat/completions";
const refuse = (text, measured) => {
    try {
        adaptToProvider(readJsonObject(Buffer.from(text)), path, { provider: { model: "m" } }, {}, measured);
        return null;
    } catch ({ message }) {
        return message;
    }
};
console.log(JSON.stringify(input.map((text) => [refuse(text, listMeasured(path)), refuse(text)])));
"""


def test_what_a_limited_call_is_measured_by_means_the_same_to_every_server() -> None:
    found = run_script(MEASURED, [body for body, _ in AMBIGUOUS])
    for (body, said), (limited, free) in zip(AMBIGUOUS, found, strict=True):
        assert said in limited, body
        assert free is None, body
