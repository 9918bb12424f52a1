"""Rule 21: what a model does, as far as its id and its spec tell."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.rules.task import can_stream, describe_task, task_of


@pytest.mark.parametrize(
    ("model_id", "task"),
    [
        ("huggingface-textgeneration-open-llama", "textgeneration"),
        ("acme-vlm", "vlm"),
        ("alone", "alone"),
    ],
)
def test_rule_21_the_second_word_of_an_id(model_id: str, task: str) -> None:
    assert task_of(model_id) == task


@pytest.mark.parametrize(
    ("given", "made", "said"),
    [
        (["Text", "Image"], ["Text"], "vlm (Text, Image -> Text)"),
        (["Text"], [], "vlm"),
        ([], ["Text"], "vlm"),
        (None, None, "vlm"),
    ],
)
def test_rule_21_both_sides_or_none(given: list[str] | None, made: list[str] | None, said: str) -> None:
    spec = {"model_id": "acme-vlm", "input_modalities": given, "output_modalities": made}
    assert describe_task(spec) == said


@pytest.mark.parametrize(
    ("image", "streams"),
    [
        ("1.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.31-lmi13", True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4", True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.0-djl", False),
        (None, False),
    ],
)
def test_rule_21_the_repository_says_whether_the_server_streams(image: str | None, streams: object) -> None:
    assert can_stream(image) is streams
