"""What a list says of a model without its spec."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.manifest import Row
from centralized_ml_api.catalog.overview import Overview, build_overview
from support.jumpstart import REGION


def overview_of(model_id: str, kind: str = "open") -> Overview:
    return build_overview(Row(model_id, "1.0.0", "x.json", "2.0", kind, ("poems",)), REGION)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model_id", "asks"),
    [
        ("huggingface-textgeneration-open-llama", False),
        ("meta-textgeneration-llama-2-7b", True),
        ("acme-llm-newer-than-this-program-7b", None),
    ],
)
def test_whether_a_licence_is_to_be_accepted_first(model_id: str, asks: object) -> None:
    assert overview_of(model_id).asks_licence is asks


def test_which_models_are_sold() -> None:
    assert overview_of("acme-llm-tiny", "proprietary").is_proprietary
    assert not overview_of("acme-llm-tiny").is_proprietary


def test_every_word_of_a_search_must_be_in_id_task_or_keywords() -> None:
    model = overview_of("acme-textgeneration-tiny-7b")
    assert model.holds("TINY poems")
    assert not model.holds("tiny songs")
