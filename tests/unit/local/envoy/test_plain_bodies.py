"""Envoy's script rewrites bodies as the admission service does, or leaves them to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa.luajit21 import LuaRuntime

from centralized_ml_api.local.admission.accounts import Limit
from centralized_ml_api.local.admission.plain_bodies import describe_plain, list_limited
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms, TeamLimits
from centralized_ml_api.local.envoy.lua_scripts import read_script
from centralized_ml_api.plan.event import POT
from support.plain_bodies import rewrite_as_service

if TYPE_CHECKING:
    from collections.abc import Callable

    Rewrite = Callable[[bytes, EntryTerms], tuple[bytes, bool] | None]

CHAT = EntryTerms(
    model="org/gpt-5",
    body_rules="provider",
    max_output_tokens=500,
    limit_key="max_completion_tokens",
    takes_stream_options=True,
)
OLDER = EntryTerms(model="a", body_rules="provider", max_output_tokens=500)
ENTRIES = (
    CHAT,
    OLDER,
    EntryTerms(model='quo"te\u00e9', body_rules="provider", takes_stream_options=True),
    EntryTerms(model="a", body_rules="provider", max_output_tokens=7, path="/v1/responses"),
    EntryTerms(model="a", body_rules="provider", max_output_tokens=7, path="/v1/messages"),
    EntryTerms(model="a", body_rules="provider", max_output_tokens=7, path="/v1/embeddings"),
    EntryTerms(
        model="a",
        body_rules="provider",
        max_output_tokens=7,
        path="/v1/completions",
        takes_stream_options=True,
    ),
    EntryTerms(model="org/shared"),
)
"""Providers of both names of the limit, without a limit, on other paths; a server with several models."""


def build_rewrite() -> Rewrite:
    lua = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    scripts = f"{read_script('json_strings')}{read_script('plain_bodies')}return rewrite_plain"
    function = lua.execute(scripts.encode())

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            return lua.table_from({key.encode(): convert(each) for key, each in value.items()})
        if isinstance(value, list):
            return lua.table_from([convert(each) for each in value])
        return value.encode() if isinstance(value, str) else value

    def rewrite(body: bytes, entry: EntryTerms) -> tuple[bytes, bool] | None:
        found = function(body, convert(describe_plain(RouteTerms({"e": entry}, 29))))
        return None if found is None else (found[0], bool(found[1]))

    return rewrite


REWRITE = build_rewrite()

KEYS = (
    *("model", "Model", " model", "models", "stream", "Stream", "stream_options", "max_tokens", "MAX_TOKENS"),
    *(
        "max_completion_tokens",
        "max_output_tokens",
        "n",
        "N",
        "best_of",
        "n_predict",
        "messages",
        "input",
        "x",
    ),
    *("", "a b", "\u017ftream_options", "\u212a", 'mod"el', "mod\\el", "max_tokens\t", "\u00e9"),
)
LITERALS = (
    *(
        "0",
        "1",
        "-1",
        "7",
        "8",
        "007"[2:],
        "500",
        "501",
        "1e2",
        "1.0",
        "-0",
        "1E400"[:3],
        "999999999",
        "1234567890",
    ),
    *(
        "true",
        "false",
        "null",
        '""',
        '"x"',
        '"}"',
        '"{\\"a"',
        '"\\\\"',
        '"\\u007b"',
        '"\\ud83d\\ude00"',
        "[]",
        "{}",
    ),
    *(
        '{"include_usage": true}',
        '{"include_usage":false}',
        "[[],[{}]]",
        '["]", "[", "\\"]"]',
        '{"a":{"b":[1,"}"]}}',
    ),
)
SPACES = st.sampled_from(("", "", "", " ", "\n", "\t \r\n"))
VALUES = st.one_of(
    st.sampled_from(LITERALS),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-5, 600), st.text(max_size=8)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
)


def write_key(key: str, how: int) -> str:
    """Writes a key: as it is, in ASCII, or with its first character as an escape."""
    if how == 1 and key:
        return f'"\\u{ord(key[0]):04x}{json.dumps(key[1:])[1:]}'
    return json.dumps(key, ensure_ascii=how == 0)


@st.composite
def build_bodies(draw: st.DrawFn) -> bytes:
    """Builds JSON objects that may name a model, be odd, or have a key twice."""
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=6))
    keys.insert(draw(st.integers(0, len(keys))), draw(st.sampled_from(("model", "model", "model", "x"))))
    hows = st.sampled_from((2, 2, 2, 2, 0, 1))
    members = [
        f"{draw(SPACES)}{write_key(key, draw(hows))}{draw(SPACES)}:{draw(SPACES)}{draw(VALUES)}{draw(SPACES)}"
        for key in keys
    ]
    text = f"{draw(SPACES)}{{{','.join(members)}}}{draw(SPACES)}"
    return text.encode("utf-8", "replace")


@given(build_bodies(), st.sampled_from(ENTRIES))
def test_what_the_script_rewrites_is_what_the_service_would(body: bytes, entry: EntryTerms) -> None:
    rewritten = REWRITE(body, entry)
    assert rewritten is None or rewritten == rewrite_as_service(body, entry)


ASKED = {"model": "gpt", "messages": [{"role": "user", "content": 'a "quoted" {brace} \\ and \u00e9'}]}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stream": False},
        {
            "temperature": 0.2,
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
            "n": 1,
        },
        {"user": "x" * 60_000},
    ],
)
def test_ordinary_bodies_need_no_question(entry: EntryTerms, more: dict[str, Any]) -> None:
    for body in (
        json.dumps(ASKED | more),
        json.dumps(more | ASKED, separators=(",", ":"), ensure_ascii=False),
    ):
        assert REWRITE(body.encode(), entry) == rewrite_as_service(body.encode(), entry) is not None


def test_the_callers_own_limit_and_a_stream_need_none_either() -> None:
    for name, entry in (("max_completion_tokens", CHAT), ("max_tokens", OLDER)):
        body = json.dumps(ASKED | {name: 500, "stream": True}).encode()
        found = REWRITE(body, entry)
        assert found == rewrite_as_service(body, entry)
        assert found is not None
        assert found[1] is entry.takes_stream_options, "the tokens at its end were not asked for"


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt", "max_tokens": 501},
        {"model": "gpt", "max_tokens": 0},
        {"model": "gpt", "max_tokens": None},
        {"model": "gpt", "n_predict": 5},
        {"model": "gpt", "models": []},
        {"model": "gpt", "stream": True, "stream_options": {}},
        {"messages": []},
        {"model": "gpt", "x": "x" * 65_536},
        {"model": "gpt", "x": [{"y": number} for number in range(1_001)]},
    ],
)
def test_what_is_not_plain_is_left_to_the_service(body: dict[str, Any]) -> None:
    assert REWRITE(json.dumps(body).encode(), CHAT) is None


def test_a_limit_that_the_server_may_not_read_is_left_to_the_service() -> None:
    assert REWRITE(b'{"model": "x", "max_completion_tokens": 5}', OLDER) is None


@pytest.mark.parametrize(
    "body", [b'{"model": "x"}\0', b'\xef\xbb\xbf{"model": "x"}', b"[]", b"", b'{"model"']
)
def test_what_envoy_may_read_otherwise_is_left_to_the_service(body: bytes) -> None:
    assert REWRITE(body, CHAT) is None


@pytest.mark.parametrize(
    "terms",
    [
        RouteTerms({"e": EntryTerms()}, 29),
        RouteTerms({"e": EntryTerms(model="a", places=1)}, 29),
        RouteTerms({"e": EntryTerms(model="a", sleeps=True)}, 29),
        RouteTerms({"e": EntryTerms(model="a", body_rules="llama.cpp", slots=1)}, 29),
        RouteTerms({"e": EntryTerms(model="a", path="/v1/audio/transcriptions")}, 29),
        RouteTerms({"e": CHAT}, 29, chooses=True),
        RouteTerms({}, 0, asks_usage=True),
        RouteTerms({"e": CHAT}, 29, limits={POT: (Limit(POT, "tokens", "minute", 300),)}),
    ],
)
def test_where_something_waits_is_limited_or_has_rules_there_are_no_plain_bodies(terms: RouteTerms) -> None:
    assert describe_plain(terms) is None


def test_teams_with_limits_are_asked_about_whatever_their_bodies_are() -> None:
    limits = TeamLimits({"blue": 1}, {"red": (Limit("red", "tokens", "minute", 300),)})
    plain = describe_plain(RouteTerms({"e": CHAT}, 29, limits_name="some").limited_by(limits))
    assert plain is not None
    assert plain["limited_by"] == "some"
    assert list_limited(limits) == ["blue", "red"]


def test_no_team_is_looked_up_where_none_is_limited() -> None:
    plain = describe_plain(RouteTerms({"e": CHAT}, 29))
    assert plain is not None
    assert "limited_by" not in plain


def test_a_model_with_a_lower_limit_of_its_own_gets_no_longer_bodies() -> None:
    plain = describe_plain(RouteTerms({"e": EntryTerms(model="a", body_limit_bytes=100)}, 29))
    assert plain == {"model": '"a"', "longest": 100, "watched": {"model": True}}


@pytest.mark.parametrize(
    ("entry", "passes"),
    [
        (EntryTerms(model="e", takes_any_model=True), "e"),
        (EntryTerms(model="org/shared"), None),
        (replace(CHAT, takes_any_model=True), None),  # more than the name changes
    ],
)
def test_only_a_server_with_one_model_gets_bodies_with_its_name_as_they_are(
    entry: EntryTerms, passes: str | None
) -> None:
    plain = describe_plain(RouteTerms({"e": entry}, 29))
    assert plain is not None
    assert plain.get("passes") == passes


@pytest.mark.parametrize(
    ("content", "closing"),
    [
        ('"', 1),
        ('a"b"', 2),
        (r"\"", None),
        (r"\\" + '"', 3),
        (r"\"\\\"" + '"', 7),
        ("\\" * 9 + '""', 11),
        ("", None),
    ],
)
def test_the_closing_quote_of_a_string_is_the_first_that_is_not_escaped(
    content: str, closing: int | None
) -> None:
    find = LuaRuntime().execute(f"{read_script('json_strings')}return find_closing_quote")
    assert find(content, 1) == closing
    assert find(f'\\"{content}', 3) == (closing and closing + 2)


@pytest.mark.parametrize(("keys", "is_plain"), [(999, True), (1_000, False), (3_000, False)])
def test_a_body_with_very_many_keys_is_left_to_the_service(keys: int, is_plain: bool) -> None:  # noqa: FBT001
    body = json.dumps({"model": "e", "x": {f"k{number}": 1 for number in range(keys - 1)}}).encode()
    assert (REWRITE(body, CHAT) is not None) == is_plain
