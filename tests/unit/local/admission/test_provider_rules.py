"""What a provider gets of a body."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.provider_rules import adds_usage
from centralized_ml_api.local.admission.terms import EntryTerms

CHAT = "/v1/chat/completions"


def terms(path: str = CHAT, cap: int | None = None, *, options: bool = False) -> EntryTerms:
    return EntryTerms(
        model="gpt",
        body_rules="provider",
        max_output_tokens=cap,
        path=path,
        limit_key="max_completion_tokens",
        takes_stream_options=options,
    )


def sent(text: str, entry: EntryTerms) -> str:
    passed_on = build_passed_on(read_json_object(text.encode()), entry)
    assert passed_on is not None
    return passed_on.decode()


def test_the_models_name_alone_changes() -> None:
    body = '{ "messages" : [1.0, "\\u00fc"], "model":"mine","seed": 1e2 }'
    assert sent(body, terms()) == body.replace('"mine"', '"gpt"')
    assert sent("{}", terms()) == '{"model":"gpt"}'
    assert sent('{"a": 1}', terms()) == '{"model":"gpt","a": 1}'


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (CHAT, {}, {"max_completion_tokens": 5}),
        (CHAT, {"max_tokens": 6}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": 5}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": -1}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": True}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": 5.5}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": 0}, {"max_tokens": 1}),
        (CHAT, {"max_tokens": None}, {"max_tokens": 5}),
        (CHAT, {"max_tokens": 1, "max_completion_tokens": 9}, {"max_tokens": 1, "max_completion_tokens": 5}),
        ("/v1/completions", {}, {"max_tokens": 5}),
        ("/v1/responses", {"max_output_tokens": 9}, {"max_output_tokens": 5}),
        ("/v1/responses", {}, {"max_output_tokens": 5}),
        ("/v1/messages", {"max_tokens": 9}, {"max_tokens": 5}),
        ("/v1/messages/count_tokens", {}, {}),
        ("/v1/embeddings", {}, {}),
    ],
)
def test_an_answer_is_kept_to_the_limit(path: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json.loads(sent(json.dumps(body), terms(path, 5))) == {"model": "gpt", **expected}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"max_tokens": 5}),
        ({"max_completion_tokens": 1}, {"max_tokens": 1, "max_completion_tokens": 1}),
        ({"max_completion_tokens": 9}, {"max_tokens": 5, "max_completion_tokens": 5}),
    ],
)
def test_a_server_that_reads_the_older_limit_alone_gets_it(
    asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    older = EntryTerms(model="gpt", body_rules="provider", max_output_tokens=5, path=CHAT)
    assert json.loads(sent(json.dumps(asked), older)) == {"model": "gpt", **expected}


@pytest.mark.parametrize("body", ['{"models": ["other"]}', '{"models": ["other"], "models": null}'])
def test_no_other_model_answers(body: str) -> None:
    with pytest.raises(BodyError, match="models"):
        sent(body, terms())


@pytest.mark.parametrize("key", ["model", "max_tokens", "max_completion_tokens", "stream_options"])
def test_a_member_that_counts_is_not_there_twice(key: str) -> None:
    with pytest.raises(BodyError, match=f'The body has the key "{key}" twice'):
        sent(f'{{"{key}": null, "{key}": null}}', terms())


def test_other_members_may_be_there_twice() -> None:
    assert sent('{"a": 1, "a": 2}', terms()) == '{"model":"gpt","a": 1, "a": 2}'


def test_the_model_in_other_letters_is_refused() -> None:
    with pytest.raises(BodyError, match='write "model"'):
        sent('{"Model": "a"}', terms())


@pytest.mark.parametrize(
    ("path", "written", "right"),
    [
        (CHAT, "MAX_TOKENS", "max_tokens"),
        (CHAT, "Max_Completion_Tokens", "max_completion_tokens"),
        (CHAT, "max_to\u212aens", "max_tokens"),
        (CHAT, "Stream_Options", "stream_options"),
        ("/v1/completions", "max_Tokens", "max_tokens"),
        ("/v1/responses", "max_output_token\u017f", "max_output_tokens"),
        ("/v1/messages", "MAX_TOKENS", "max_tokens"),
    ],
)
@pytest.mark.parametrize("more", ["", ', "max_tokens": 1'])
def test_a_limit_in_other_letters_is_refused(path: str, written: str, right: str, more: str) -> None:
    with pytest.raises(BodyError) as refused:
        sent(f'{{"{written}": 100000{more}}}', terms(path, 5))
    assert str(refused.value) == f'The body has the key "{written}": write "{right}".'


@pytest.mark.parametrize(
    ("body", "added", "options"),
    [
        ({"stream": True}, True, {"include_usage": True}),
        ({"stream": True, "stream_options": {"a": 1}}, True, {"a": 1, "include_usage": True}),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, {"include_usage": True}),
        ({"stream": True, "stream_options": None}, True, {"include_usage": True}),
        ({"stream": True, "stream_options": {"include_usage": True}}, False, {"include_usage": True}),
        ({"stream": False}, False, None),
        ({"stream": "true"}, False, None),
        ({}, False, None),
    ],
)
def test_a_stream_is_asked_for_its_tokens(
    body: dict[str, Any],
    added: bool,  # noqa: FBT001  # a column
    options: dict[str, Any] | None,
) -> None:
    assert adds_usage(body, terms(options=True)) is added
    assert json.loads(sent(json.dumps(body), terms(options=True))).get("stream_options") == options


def test_nobody_else_is_asked() -> None:
    assert not adds_usage({"stream": True}, terms())
    assert not adds_usage({"stream": True}, terms("/v1/responses", options=True))
    assert adds_usage({"stream": True}, terms("/v1/completions", options=True))


AMBIGUOUS = [
    ('{"web_search_options": {"a": 1}, "web_search_options": null}', 'the key "web_search_options" twice'),
    ('{"Previous_Response_ID": "resp_1"}', 'the key "Previous_Response_ID": write "previous_response_id"'),
    ('{"provideroptions": {"order": ["a"]}}', 'the key "provideroptions": write "providerOptions"'),
    ('{"messages": [{"type": "video"}], "messages": []}', 'the key "messages" twice'),
]


@pytest.mark.parametrize(("body", "said"), AMBIGUOUS)
@pytest.mark.parametrize("rules", ["provider", ""])
def test_what_a_limited_call_is_measured_by_means_the_same_to_every_server(
    body: str, said: str, rules: str
) -> None:
    read, entry = read_json_object(body.encode()), replace(terms(), body_rules=rules)
    with pytest.raises(BodyError, match=said):
        build_passed_on(read, entry, {"max_tokens": 5})
    assert build_passed_on(read, entry) is not None, "nothing is measured by it where nothing is limited"
