"""OpenAI's embeddings become what InvokeModel takes for Titan and for Cohere's models."""

from __future__ import annotations

import base64
import functools
import struct
from typing import Any

import pytest

from support.translation import Translation, translate_all

TITAN, TITAN_V1 = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1"
TITAN_IMAGES, COHERE = "amazon.titan-embed-image-v1", "us.cohere.embed-v4:0"
OF_TITAN = {"embedding": [0.25, -0.5], "inputTextTokenCount": 3}
BY_TYPE = {"embeddings": {"float": [[0.25], [0.5]]}}
ENCODED = base64.b64encode(struct.pack("<2f", 0.25, -0.5)).decode()


def asked(model: str, answer: dict[str, Any] | None = None, **fields: Any) -> Translation:
    body = {"model": "entry", "input": "Hello", **fields}
    return Translation("openai-embeddings", "bedrock-invoke", body, answer, options={"model": model})


CASES: dict[str, Translation] = {
    "a text": asked(TITAN, OF_TITAN),
    "a list": asked(TITAN, OF_TITAN, input=["Hello"], dimensions=256, encoding_format="base64", user="u"),
    "images": asked(TITAN_IMAGES, input="a", dimensions=384),
    "v1": asked(TITAN_V1),
    "cohere": asked(COHERE, BY_TYPE, input=["Hello", "caf\u00e9"], encoding_format="float"),
    "cohere's kind": asked(COHERE, {"embeddings": [[1]]}, input_type="search_query", dimensions=256),
    "96 texts": asked(COHERE, input=["a"] * 96),
    "two texts": asked(TITAN, input=["a", "b"]),
    "fixed size": asked(TITAN_V1, dimensions=256),
    "a kind for Titan": asked(TITAN, input_type="search_query"),
    "97 texts": asked(COHERE, input=["a"] * 97),
    "tokens": asked(COHERE, input=[1, 2]),
    "nothing": asked(COHERE, input=[]),
    "an empty text": asked(TITAN, input=""),
    "no size": asked(COHERE, dimensions=0),
    "a size in words": asked(COHERE, dimensions="256"),
    "another format": asked(COHERE, encoding_format="int8"),
    "no kind": asked(COHERE, input_type=1),
}


@functools.cache
def results() -> dict[str, dict[str, Any]]:
    return dict(zip(CASES, translate_all(CASES.values()), strict=True))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a text", {"inputText": "Hello"}),
        ("a list", {"inputText": "Hello", "dimensions": 256}),
        ("images", {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 384}}),
        ("v1", {"inputText": "Hello"}),
        (
            "cohere",
            {"texts": ["Hello", "café"], "input_type": "search_document", "embedding_types": ["float"]},
        ),
        (
            "cohere's kind",
            {
                "texts": ["Hello"],
                "input_type": "search_query",
                "embedding_types": ["float"],
                "output_dimension": 256,
            },
        ),
    ],
)
def test_the_model_gets_its_own_body(name: str, body: dict[str, Any]) -> None:
    assert results()[name]["body"] == body
    assert results()[name]["streams"] is False


def test_the_most_texts_of_cohere_pass() -> None:
    assert len(results()["96 texts"]["body"]["texts"]) == 96


@pytest.mark.parametrize(
    ("name", "vectors", "tokens"),
    [
        ("a text", [[0.25, -0.5]], 3),
        ("a list", [ENCODED], 3),
        ("cohere", [[0.25], [0.5]], 3),
        ("cohere's kind", [[1]], 2),
    ],
)
def test_the_client_gets_a_list_with_its_tokens(name: str, vectors: list[Any], tokens: int) -> None:
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    assert results()[name]["answer"] == {"object": "list", "data": data, "model": "entry", "usage": usage}


@pytest.mark.parametrize(
    ("name", "field", "says"),
    [
        ("two texts", "input", "one at a time"),
        ("fixed size", "dimensions", "fixed size"),
        ("a kind for Titan", "input_type", "cannot be translated"),
        ("97 texts", "input", "96 texts, not 97"),
        ("tokens", "input", "takes no tokens"),
        ("nothing", "input", "a list of texts"),
        ("an empty text", "input", "a list of texts"),
        ("no size", "dimensions", "at least 1"),
        ("a size in words", "dimensions", "at least 1"),
        ("another format", "encoding_format", "'float' or 'base64'"),
        ("no kind", "input_type", "a text"),
    ],
)
def test_what_has_no_equivalent_is_refused_by_its_name(name: str, field: str, says: str) -> None:
    result = results()[name]
    assert result["refused"] == field
    assert result["refusal"]["status"] == 400
    assert says in result["refusal"]["body"]["error"]["message"]
