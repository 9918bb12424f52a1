"""The pairs that the plan offers are those that there are translators of."""

from __future__ import annotations

from centralized_ml_api.plan.apis import API_NAMES, TRANSLATED, find_translated
from centralized_ml_api.translator import CODE
from support.stream_host.script import run_script

PAIRS = """
import { canTranslate } from "./index.mjs";
console.log(JSON.stringify(input.map(([client, server]) => canTranslate(client, server))));
"""


def test_the_plan_knows_every_pair() -> None:
    pairs = [(client, server) for client in API_NAMES for server in API_NAMES]
    known = [client in TRANSLATED and server in TRANSLATED[client] for client, server in pairs]
    assert run_script(PAIRS, pairs, CODE) == known


def test_embeddings_are_a_pair_of_their_own() -> None:
    pairs = [
        ("openai-embeddings", "bedrock-invoke"),
        ("openai-embeddings", "bedrock-converse"),
        ("openai-chat", "bedrock-invoke"),
    ]
    assert run_script(PAIRS, pairs, CODE) == [True, False, False]


def test_what_a_server_speaks_itself_is_not_translated() -> None:
    assert find_translated(["openai-chat"]) == {
        "openai-responses": "openai-chat",
        "anthropic-messages": "openai-chat",
    }
    assert find_translated(["anthropic-messages"]) == {
        "openai-chat": "anthropic-messages",
        "openai-responses": "anthropic-messages",
    }
    assert find_translated(["anthropic-messages", "openai-chat"]) == {"openai-responses": "openai-chat"}
    assert find_translated(["openai-responses", "openai-embeddings"]) == {}
