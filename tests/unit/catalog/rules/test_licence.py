"""Rule 23: which licence a model has, as far as it is documented."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.rules.licence import licence_of
from centralized_ml_api.catalog.sources.snapshot import load_folded

TEXTS = "https://example.com/fmhMetadata"


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("huggingface-llm-mistral-7b", "Apache-2.0"),
        ("huggingface-llm-mistral-7b-instruct-v3", "Apache-2.0"),
        ("huggingface-llm-mixtral-8x22B", "Apache-2.0"),
        ("huggingface-asr-whisper-large-v3-turbo", "MIT"),
        ("huggingface-text2text-flan-t5-xxl-bnb-int8", "Apache-2.0"),
        ("huggingface-llm-mistral-7b-openorca-gptq", None),  # trained further by others
        ("huggingface-text2text-flan-t5-base-samsum", None),
        ("huggingface-llm-falcon-180b-bf16", None),  # not that of the smaller ones
        ("huggingface-llm-qwen2-5-72b-instruct", None),
        ("acme-llm-unheard-of", None),
    ],
)
def test_a_family_has_the_licence_that_is_documented_for_it(model_id: str, name: str | None) -> None:
    found = licence_of(model_id)
    assert (found and found.name) == name


def test_a_text_to_accept_is_the_licence() -> None:
    found = licence_of("meta-textgeneration-llama-3-1-8b", f"{TEXTS}/eula/llama3_1Eula.txt")
    assert found is not None
    assert (found.name, found.source) == ("Llama 3.1", f"{TEXTS}/eula/llama3_1Eula.txt")


def test_of_an_unknown_text_the_family_says_nothing() -> None:
    assert licence_of("huggingface-llm-mistral-7b", f"{TEXTS}/eula/new.txt") is None


def test_every_text_of_the_snapshot_has_a_name() -> None:
    asked = {name: model["eula"] for name, model in load_folded()["models"].items() if model.get("eula")}
    assert asked
    assert [name for name, key in asked.items() if licence_of(name, f"{TEXTS}/{key}") is None] == []
