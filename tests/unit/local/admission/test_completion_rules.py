"""What a call of `/v1/completions` may ask of llama.cpp, and what the server gets of it."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.admission.completion_rules import adapt_completion, check_completion
from centralized_ml_api.local.admission.violation import LlamaCppLimits

LIMITS = LlamaCppLimits(context_tokens=2048, max_output_tokens=512, slots=4)


def call(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": "Once", **fields}


def found(document: dict[str, Any]) -> str | None:
    violation = next(check_completion(document, LIMITS), None)
    return violation.message if violation else None


@pytest.mark.parametrize(
    "document",
    [
        call(),
        call(prompt=""),
        call(prompt=["one", "two"]),
        call(prompt=[1, 2, 3]),
        call(prompt=[[1, 2], [3]]),
        call(prompt=["one", [3]]),
        call(n=2, best_of=1, echo=False, suffix=None, logprobs=5, stop=["a"], user="u", max_tokens=None),
        call(stream=True, stream_options={"include_usage": True}, logit_bias={"1": 5}, seed=2**64),
        call(json_schema={"type": "object"}, messages="ignored", tools=1),
    ],
)
def test_what_clients_send_passes(document: dict[str, Any]) -> None:
    assert found(document) is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "'prompt' must be a string, a list of tokens, or a list of these."),
        (call(prompt=[]), "'prompt' must be a string, a list of tokens, or a list of these."),
        (call(prompt=[[]]), "'prompt' must be a string, a list of tokens, or a list of these."),
        (call(prompt={"prompt_string": "a"}), "'prompt' must be a string, a list of tokens"),
        (call(prompt=["a", {"prompt_string": "b"}]), "'prompt' must be a string, a list of tokens"),
        (call(prompt=[1.5]), "'prompt' must be a string, a list of tokens, or a list of these."),
        (call(prompt=[[1], [True]]), "'prompt' must be a string, a list of tokens, or a list of these."),
        (call(prompt="a" * 66_000), "'prompt' has 66,000 bytes of text"),
        (call(prompt=[1] * 2049), "'prompt' has 2,049 tokens; this model's context holds 2,048."),
        (call(prompt=["a"] * 3), "'prompt' and 'n' together may ask for 2 answers at most."),
        (call(prompt=["a"] * 2, n=2), "'prompt' and 'n' together may ask for 2 answers at most."),
        (call(n=3), "'n' must be an integer from 1 to 2."),
        (call(best_of=2), "'best_of' is not taken here"),
        (call(echo=True), "'echo' is not taken here: this server returns the answer alone."),
        (call(suffix="end"), "'suffix' is not taken here: this server continues texts"),
        (call(response_format={"type": "json_object"}), "'response_format' is not taken here"),
        (call(json_schema={"pattern": "(a?)*"}), "'json_schema.pattern' repeats what may be empty."),
        (call(logprobs=5_000_000), "'logprobs' must be an integer from 0 to 20."),
        (call(lora=[]), "'lora' is not taken here"),
        (call(max_tokens=-2), "'max_tokens' must be an integer from -1 on."),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, Any], message: str) -> None:
    assert message in (found(document) or "")


def test_the_server_gets_what_it_reads_within_its_limits() -> None:
    sent = call(max_tokens=-1, n=2, user="u", tools=[], messages=[], echo=False, seed=2**32 + 1)
    assert adapt_completion(sent, LIMITS) == call(max_tokens=512, n=2, seed=1)
