"""Bodies in and out where `inference.py` says nothing of them."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.bodies import read_body, write_body
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal


class Scores:
    """What arrays, tensors and their numbers have in common."""

    def tolist(self) -> list[float]:
        return [0.5, 1.0]


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        ('{"text": "é"}', "application/json", {"text": "é"}),
        ("[1, 2]", "application/json", [1, 2]),
        (b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}),
        ("as it is", "text/plain", "as it is"),
    ],
)
def test_a_body_is_read_as_its_type_says(body: str | bytes, content_type: str, value: object) -> None:
    assert read_body(body, content_type) == value


@pytest.mark.parametrize("body", ["", "{", "[1,]", "[" * 100_000])
def test_a_body_that_is_not_of_its_type_is_400(body: str) -> None:
    with pytest.raises(Refusal, match="it is not application/json") as refused:
        read_body(body, "application/json")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"a": NaN}', "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("1e999", "1e999 is not a number"),
        ('"\\ud800"', "surrogates not allowed"),
        ('{"\\uDC00\\ud800": 1}', "surrogates not allowed"),
        ("1" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_no_model_can_calculate_with_or_write_is_400(body: str, words: str) -> None:
    with pytest.raises(Refusal, match=f"it is not application/json: .*{words}") as refused:
        read_body(body, "application/json")
    assert refused.value.status == 400
    with pytest.raises(Refusal, match=words):
        read_body(body.encode(), "application/x-www-form-urlencoded")


def test_two_halves_of_a_character_are_one() -> None:
    assert read_body('["\\ud83d\\ude00"]', "application/json") == ["😀"]


def test_a_type_that_nobody_reads_is_415_and_names_those_that_are() -> None:
    with pytest.raises(Refusal, match=r"accepts application/json.*not image/png") as refused:
        read_body(b"", "image/png")
    assert refused.value.status == 415


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("application/json", "application/json"),
        ("image/png, */*", "application/json"),
        ("application/*", "application/json"),
        ("text/plain", "text/plain"),
        ("text/plain;q=0, application/json;q=0.1", "application/json"),
        ("application/json;q=0.0, text/plain", "text/plain"),
    ],
)
def test_the_answer_is_of_the_first_type_that_is_accepted_and_known(accept: str, chosen: str) -> None:
    assert write_body(1, accept) == (b"1", chosen)


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/html, image/*"])
def test_an_answer_of_no_accepted_type_is_406(accept: str) -> None:
    with pytest.raises(Refusal, match="not "):
        write_body(1, accept)


class LongDouble:
    """A number of numpy that its own `tolist` returns as it is."""

    def tolist(self) -> LongDouble:
        return self

    def __float__(self) -> float:
        return 1.5


def test_a_number_that_is_its_own_list_is_written_as_a_number() -> None:
    assert write_body([LongDouble()], "application/json") == (b"[1.5]", "application/json")


def test_arrays_are_written_as_lists() -> None:
    assert write_body({"scores": Scores()}, "*/*") == (b'{"scores": [0.5, 1.0]}', "application/json")


@pytest.mark.parametrize("prediction", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_is_no_json_is_the_models_mistake(prediction: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as mistake:
        write_body(prediction, "application/json")
    assert not isinstance(mistake.value, Refusal)


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-npy"])
def test_without_numpy_arrays_are_a_type_that_nobody_reads_or_writes(content_type: str) -> None:
    with pytest.raises(
        Refusal, match=f"accepts application/json and text/plain, not {content_type}"
    ) as refused:
        read_body("1", content_type)
    assert refused.value.status == 415
    with pytest.raises(Refusal, match="returns application/json and text/plain") as refused:
        write_body([1], content_type)
    assert refused.value.status == 406


def test_a_half_of_a_character_is_written_as_a_question_mark() -> None:
    assert write_body("a\ud800b", "text/plain") == (b"a?b", "text/plain")


class TooLarge(str):
    """A text of which no second one fits into memory."""

    __slots__ = ()

    def __str__(self) -> str:
        raise MemoryError


def test_memory_that_is_short_is_not_the_callers_mistake() -> None:
    with pytest.raises(MemoryError):
        read_body(TooLarge("x"), "text/plain")
