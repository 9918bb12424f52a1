"""Mutations of what answers for hosted models: the function that streams, the translator, Envoy's script.

Those of a group are planted together, because a target with one of them takes a second to start: each has a
case that no other of its group breaks.
"""

from __future__ import annotations

from dataclasses import dataclass

BUSY = "a hosted model whose provider is busy: its pause passes"
FORBIDDEN = "a hosted model without access is no fault of the caller"
UNKEYED = "a provider that takes the key for a wrong one is no fault of the caller"
GEMINI = "a provider that refuses the key with 400 is no fault of the caller"
UNASKED = "a hosted chat streams, without tokens for which nobody asked"
LATE = "a hosted stream with an error in it tells nothing of the customer"
BROKEN = "a hosted model's own failure keeps its status"
SLOW = "an error of Bedrock, whole: slow"
FAILED = "an error of Bedrock, whole: broken"
NEXT = "where an entry is busy, the next one answers: falls, whole"
GONE = "nobody is asked once a model may have worked: gone, whole"
CUT = "nobody is asked once a model may have worked: cut, whole"
MISTAKE = "a mistake of the caller is no reason to ask another"
LAST = "the error of the last entry is told, with its pause"
BEGUN = "a stream of Bedrock that fails before its answer has a status: busy"
NO_PLACE = "what Converse has no place for is refused by its name"


@dataclass(frozen=True)
class TextMutation:
    """`old` becomes `new` in a file, which breaks `what`; the case named `noticed_by` then fails."""

    what: str
    file: str
    old: str
    new: str
    noticed_by: str


_ANSWERS, _FALLBACK, _CONVERSE = (
    "provider_answers.mjs",
    "translator/fallback.mjs",
    "translator/converse_server.mjs",
)
_MESSAGES = "translator/messages_server.mjs"

FUNCTION = {
    "answers of providers": (
        TextMutation("a pause is dropped", _ANSWERS, "error.retryAfter =", "error.pause =", BUSY),
        TextMutation("403 is the caller's", _ANSWERS, "status === 403", "status === 1403", FORBIDDEN),
        TextMutation("401 is the caller's", _ANSWERS, "status === 401", "status === 1401", UNKEYED),
        TextMutation(
            "Gemini's 400 is the caller's", _ANSWERS, "/API_KEY_INVALID|API key not valid/", "/x/", GEMINI
        ),
        TextMutation(
            "tokens reach who did not ask", _ANSWERS, "usage) && hides)", "usage) && false)", UNASKED
        ),
        TextMutation("errors in streams tell all", _ANSWERS, "? hideSecrets(event) :", "? event :", LATE),
        TextMutation("408 is the caller's", _ANSWERS, "status === 408", "status === 1408", SLOW),
        TextMutation("424 passes", _ANSWERS, "status === 424", "status === 1424", FAILED),
    ),
    "messages of errors": (
        TextMutation("they tell of the customer", _ANSWERS, "? HIDDEN : found", "? found : found", BROKEN),
    ),
    "whom to ask": (
        TextMutation("nobody else is", _FALLBACK, "failure.status === TOO_MANY_REQUESTS ||", "", NEXT),
        TextMutation("others are though one worked", _FALLBACK, "!failure.isFree ||", "", GONE),
    ),
    "whom to ask in the end": (
        TextMutation("others are for mistakes", _FALLBACK, ">= FIRST_SERVER_ERROR;", ">= 400;", MISTAKE),
        TextMutation(
            "a cut answer is free", "https_call.mjs", "asApiError !== MODEL_NOT_READY", "false", GONE
        ),
        TextMutation("a begun answer is free", "provider.mjs", "answer.isPaid = true;", "", CUT),
        TextMutation(
            "an early error is paid", "translator/stream_start.mjs", "!stream.hasBegun)", "false)", BEGUN
        ),
    ),
    "translation": (
        TextMutation(
            "of length",
            _CONVERSE,
            'max_tokens: "length"',
            'max_tokens: "end"',
            "claude says that it was cut short",
        ),
        TextMutation(
            "of a filter",
            _CONVERSE,
            'guardrail_intervened: "refusal"',
            'guardrail_intervened: "end"',
            "claude says that a filter ended it, streamed",
        ),
        TextMutation(
            "of cached tokens",
            "translator/write_chat.mjs",
            "cached_tokens: cacheRead",
            "cached_tokens: 0",
            "claude says its tokens at the end of a stream that asks for them",
        ),
        TextMutation(
            "of images", _CONVERSE, '"image/png": "png"', '"image/png": "gif"', "claude sees an image"
        ),
        TextMutation(
            "of formats",
            _CONVERSE,
            "asked.format && asked.formatByTool ?",
            "false ?",
            "claude answers in a format",
        ),
        TextMutation(
            "of several tools",
            "translator/write_chat.mjs",
            "index: this.#calls - 1",
            "index: 0",
            "claude calls tools in parallel, streamed",
        ),
        TextMutation(
            "of length from Anthropic",
            _MESSAGES,
            'max_tokens: "length"',
            'max_tokens: "end"',
            "messages says that it was cut short",
        ),
        TextMutation(
            "of refusals",
            _MESSAGES,
            'refusal: "refusal"',
            'refusal: "end"',
            "messages says that a filter ended it",
        ),
        TextMutation("of what has no place", "translator/read_chat.mjs", "n: [1],", "n: [1, 2],", NO_PLACE),
    ),
}

_SCRIPT = ""
ENVOY = {
    "answers of providers": (
        TextMutation("403 is the caller's", _SCRIPT, "status == 403", "status == 1403", FORBIDDEN),
        TextMutation("401 is the caller's", _SCRIPT, "status == 401", "status == 1401", UNKEYED),
        TextMutation("Gemini's 400 is the caller's", _SCRIPT, '"API_KEY_INVALID"', '"x"', GEMINI),
        TextMutation(
            "tokens reach who did not ask",
            _SCRIPT,
            "return hides and drop_usage",
            "return false and drop_usage",
            UNASKED,
        ),
        TextMutation(
            "errors in streams tell all", _SCRIPT, "then return hide_secrets(line)", "then return line", LATE
        ),
        TextMutation("408 is the caller's", _SCRIPT, "status == 408", "status == 1408", SLOW),
        TextMutation(
            "424 passes", _SCRIPT, "if status == 424 then status =", "if status == 1424 then status =", FAILED
        ),
    ),
    "messages of errors": (
        TextMutation(
            "they tell of the customer", _SCRIPT, "then return HIDDEN end", "then return found end", BROKEN
        ),
    ),
}
