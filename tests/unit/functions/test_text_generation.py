"""The documented body is read strictly: wrong parameters are told, none is silently misread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(("texts", "read"), [("a", ["a"]), (["a", "b"], ["a", "b"])])
def test_one_text_or_several(text_generation: ModuleType, texts: Any, read: list[str]) -> None:
    assert text_generation.read_texts({"text_inputs": texts}) == read


@pytest.mark.parametrize("texts", [None, 1, [], ["a", 1], {}])
def test_other_texts_are_refused(text_generation: ModuleType, texts: Any) -> None:
    with pytest.raises(text_generation.RefusedError, match="text_inputs must be"):
        text_generation.read_texts({"text_inputs": texts})


def test_one_text_of_a_bounded_length_unless_asked_otherwise(text_generation: ModuleType) -> None:
    assert text_generation.read_parameters({"text_inputs": "a"}) == {
        "num_return_sequences": 1,
        "max_new_tokens": 128,
    }


@pytest.mark.parametrize(
    ("given", "most"),
    [({"max_length": 50}, 50), ({"max_new_tokens": 7}, 7), ({"max_length": 50, "max_new_tokens": 7}, 7)],
)
def test_max_length_is_an_upper_bound_and_max_new_tokens_is_exact(
    text_generation: ModuleType, given: dict[str, int], most: int
) -> None:
    parameters = text_generation.read_parameters(given)
    assert parameters["max_new_tokens"] == most
    assert "max_length" not in parameters


def test_stop_may_be_one_string(text_generation: ModuleType) -> None:
    assert text_generation.read_parameters({"stop": "!"})["stop"] == ["!"]


def test_null_is_as_if_not_given(text_generation: ModuleType) -> None:
    assert "seed" not in text_generation.read_parameters({"seed": None})


def test_parameters_that_no_server_here_has_are_ignored(text_generation: ModuleType) -> None:
    assert "num_beams" not in text_generation.read_parameters({"num_beams": 4})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_length", 0),
        ("max_new_tokens", "5"),
        ("num_return_sequences", 1.5),
        ("temperature", -1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", 0),
        ("do_sample", 1),
        ("seed", 1.0),
        ("stop", [1]),
        ("repetition_penalty", 0),
    ],
)
def test_a_wrong_value_is_refused_by_name(text_generation: ModuleType, name: str, value: Any) -> None:
    with pytest.raises(text_generation.RefusedError, match=f"^{name} must be "):
        text_generation.read_parameters({name: value})


def test_an_unknown_parameter_is_refused_naming_the_known(text_generation: ModuleType) -> None:
    with pytest.raises(text_generation.RefusedError, match=r'unknown parameter "temprature"; .*temperature'):
        text_generation.read_parameters({"temprature": 1})


def test_one_call_may_ask_for_a_bounded_number_of_texts(text_generation: ModuleType) -> None:
    text_generation.check_number(["a"] * 16, {"num_return_sequences": 2})
    with pytest.raises(text_generation.RefusedError, match=r"may ask for 32 texts.*33"):
        text_generation.check_number(["a"] * 11, {"num_return_sequences": 3})
