"""The fields that any call of llama.cpp may have besides its prompt: their checks and their bounds. Pure.

A field is in one of three groups:

    FIELDS      what llama.cpp understands and concerns this call alone: checked, passed on
    _REFUSED    llama.cpp's own that change the server, reach another's data or cost without bound: a 400
    all others  never reach the server, which would ignore them: `user`, `metadata`, `store`, …

Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, and the server's own schema
of its requests (tools/server/server-schema.cpp).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.field_checks import (
    LARGEST_NUMBER,
    Check,
    check_boolean,
    check_integer,
    check_number,
    check_one_of,
    check_text,
    check_texts,
    is_integer,
    nests_deeper,
)
from centralized_ml_api.local.admission.json_schema_rules import check_json_schema
from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON_DEPTH = 64
STOPS, STOP_CHARACTERS = 16, 256
TOP_LOGPROBS = 20
"""OpenAI's limit."""

LOGIT_BIASES = 300
BREAKERS, BREAKER_CHARACTERS = 8, 16
"""Strings that end a repetition for the sampler DRY: each is compared with the model's whole vocabulary."""

SAMPLERS = (
    *("penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"),
    "adaptive_p",
)
"""All but `infill`, with which the server never answers again."""

TEMPLATE_VALUES, TEMPLATE_CHARACTERS = 16, 256
NAME_CHARACTERS = 256

REASONING_FORMATS = ("none", "auto", "deepseek", "deepseek-legacy")

_INT32 = 2**31 - 1
_UINT32 = 2**32
OUTPUT_FIELDS = ("max_completion_tokens", "max_tokens", "n_predict")


def check_refused(document: Mapping[str, Any]) -> Iterator[Violation]:
    """Yields the fields that no caller may set."""
    for name, reason in _REFUSED.items():
        if document.get(name) is not None:
            yield Violation(name, f"'{name}' is not taken here: {reason}.")


def check_fields(
    document: Mapping[str, Any], fields: Mapping[str, Check], limits: LlamaCppLimits
) -> Iterator[Violation]:
    """Yields what is wrong with these fields; one that is nested too deeply is the last.

    Args:
        document: A body, parsed.
        fields: The check of each field; others are not looked at.
        limits: What one request may ask.
    """
    for name, check in fields.items():
        value = document.get(name)
        if value is None:
            continue
        if nests_deeper(value, JSON_DEPTH):
            yield Violation(name, f"'{name}' is nested more than {JSON_DEPTH} levels deep.")
            return
        yield from check(value, limits)


def adapt_fields(
    document: Mapping[str, Any], fields: Mapping[str, Check], limits: LlamaCppLimits
) -> dict[str, Any]:
    """Returns what the server gets of these fields.

    - `max_tokens`, `max_completion_tokens` and `n_predict` are cut to `max_output_tokens`; so is -1, which
      means no limit
    - `repeat_last_n`, `dry_penalty_last_n`, `n_keep`, `n_discard` and `thinking_budget_tokens` are cut to the
      context
    - `seed` is taken modulo 2^32, which is what the server keeps of it
    - `cache_prompt` is false where callers share no prompts
    - other fields are left out, and so are nulls, in lists too

    Args:
        document: A body that the checks have nothing against; it stays as it is.
        fields: Those that the server gets.
        limits: What one request may ask.
    """
    adapted = {name: value for name, value in document.items() if name in fields and value is not None}
    for name in OUTPUT_FIELDS:
        if name in adapted:
            adapted[name] = cut(adapted[name], limits.max_output_tokens)
    for name in _UP_TO_CONTEXT:
        if name in adapted:
            adapted[name] = cut(adapted[name], limits.context_tokens)
    if not limits.shares_prompts:
        adapted["cache_prompt"] = False
    if "seed" in adapted:
        adapted["seed"] = int(adapted["seed"]) % _UINT32
    for name in _TEXT_LISTS:
        if isinstance(adapted.get(name), list):
            adapted[name] = without_nulls(adapted[name])
    return adapted


def cut(number: float, most: int) -> int:
    """Returns the number, but no more than `most`; -1, which means without a limit, is `most`."""
    return most if number < 0 else min(int(number), most)


def without_nulls(texts: list[str | None]) -> list[str]:
    """Returns the strings of a list."""
    return [text for text in texts if text is not None]


def _check_completions(value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    yield from check_integer("n", 1, max(1, limits.slots // 2))(value, limits)


def _check_logprobs(value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    if not isinstance(value, bool):
        yield from check_integer("logprobs", 0, TOP_LOGPROBS)(value, limits)


def _check_logit_bias(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or len(pairs) > LOGIT_BIASES:
        yield Violation("logit_bias", f"'logit_bias' must be an object of at most {LOGIT_BIASES} tokens.")
        return
    for pair in pairs:
        shaped = isinstance(pair, list | tuple) and len(pair) == 2  # noqa: PLR2004  # a token, its bias
        token, bias = pair if shaped else (None, None)
        named = is_integer(token) or (isinstance(token, str) and len(token) <= STOP_CHARACTERS)
        if not named or not (
            bias is False or (isinstance(bias, int | float) and abs(bias) <= LARGEST_NUMBER)
        ):
            yield Violation("logit_bias", "'logit_bias' must be an object of tokens with a number each.")
            return


def _check_json_schema(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    yield from check_json_schema("json_schema", value)


def _check_response_format(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        yield Violation(
            "response_format", "'response_format.type' must be 'text', 'json_object' or 'json_schema'."
        )
    elif kind == "json_object" and value.get("schema") is not None:
        yield from check_json_schema("response_format.schema", value["schema"])
    elif kind == "json_schema":
        wrapped = value.get("json_schema")
        if not isinstance(wrapped, dict) or "schema" not in wrapped:
            where = "response_format.json_schema"
            yield Violation(where, f"'{where}' must be an object with 'schema'.")
        else:
            yield from check_json_schema("response_format.json_schema.schema", wrapped["schema"])


def _check_samplers(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    known = isinstance(value, list) and all(name in SAMPLERS for name in value)
    if not known or len(value) > len(SAMPLERS):
        yield Violation("samplers", f"'samplers' must be a list with some of {', '.join(SAMPLERS)}.")


def _check_stream_options(value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation("stream_options", "'stream_options' must be an object.")
    elif value.get("include_usage") is not None:
        yield from check_boolean("stream_options.include_usage")(value["include_usage"], limits)


def _check_template_values(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    name = "chat_template_kwargs"
    if not isinstance(value, dict) or len(value) > TEMPLATE_VALUES:
        yield Violation(name, f"'{name}' must be an object of at most {TEMPLATE_VALUES} values.")
        return
    for key, inner in value.items():
        text = inner if isinstance(inner, str) else ""
        if not isinstance(inner, str | bool | int | float | None) or len(key + text) > TEMPLATE_CHARACTERS:
            yield Violation(name, f"'{name}' takes short strings, numbers, true and false.")
            return
    if not isinstance(value.get("enable_thinking"), bool | None):
        yield Violation(f"{name}.enable_thinking", f"'{name}.enable_thinking' must be true or false.")


_TEXT_LISTS = ("stop", "dry_sequence_breakers")
_UP_TO_CONTEXT = ("repeat_last_n", "dry_penalty_last_n", "n_keep", "n_discard", "thinking_budget_tokens")

FIELDS: dict[str, Check] = {
    "json_schema": _check_json_schema,
    "response_format": _check_response_format,
    "logit_bias": _check_logit_bias,
    "logprobs": _check_logprobs,
    "stream_options": _check_stream_options,
    "chat_template_kwargs": _check_template_values,
    "n": _check_completions,
    "model": check_text("model", NAME_CHARACTERS),
    "reasoning_effort": check_text("reasoning_effort", NAME_CHARACTERS),
    "reasoning_format": check_one_of("reasoning_format", REASONING_FORMATS),
    "stop": check_texts("stop", STOPS, STOP_CHARACTERS),
    "dry_sequence_breakers": check_texts("dry_sequence_breakers", BREAKERS, BREAKER_CHARACTERS, alone=False),
    "samplers": _check_samplers,
    **{name: check_integer(name, 0, TOP_LOGPROBS) for name in ("top_logprobs", "n_probs")},
    **{name: check_integer(name, -1) for name in (*OUTPUT_FIELDS, *_UP_TO_CONTEXT)},
    **{name: check_integer(name, -1, _INT32) for name in ("top_k", "t_max_predict_ms")},
    **{name: check_integer(name, 0, _INT32) for name in ("min_keep", "dry_allowed_length")},
    "seed": check_integer("seed", -(2**63)),
    "mirostat": check_integer("mirostat", 0, 2),
    **{
        name: check_number(name)
        for name in (
            *(
                "temperature",
                "top_p",
                "min_p",
                "typical_p",
                "top_n_sigma",
                "xtc_probability",
                "xtc_threshold",
            ),
            *("dynatemp_range", "dynatemp_exponent", "repeat_penalty", "frequency_penalty"),
            *("presence_penalty", "dry_multiplier", "dry_base", "mirostat_tau", "mirostat_eta"),
            *("adaptive_target", "adaptive_decay"),
        )
    },
    **{
        name: check_boolean(name)
        for name in (
            *("stream", "parallel_tool_calls", "ignore_eos", "cache_prompt", "post_sampling_probs"),
            *("timings_per_token", "return_progress", "add_generation_prompt", "continue_final_message"),
        )
    },
}

_SERVER = "it is set for all callers"
_INTERNAL = "it is the server's own"

_REFUSED: dict[str, str] = {
    "lora": _SERVER,
    "id_slot": "the server chooses",
    "grammar": "its cost cannot be foreseen; describe the answer by a JSON schema, in 'response_format'",
    "chat_template": _SERVER,
    "chat_template_file": _SERVER,
    "n_cmpl": "say 'n'",
    **dict.fromkeys(
        (
            *("grammar_lazy", "grammar_triggers", "grammar_type", "preserved_tokens", "chat_format"),
            *("chat_parser", "generation_prompt", "parse_tool_calls", "backend_sampling", "n_cache_reuse"),
            *("reasoning_control", "reasoning_budget_tokens", "reasoning_budget_start_tag"),
            *("reasoning_budget_end_tag", "reasoning_budget_end_tags", "reasoning_budget_message"),
            *("multimodal_data",),
        ),
        _INTERNAL,
    ),
}
