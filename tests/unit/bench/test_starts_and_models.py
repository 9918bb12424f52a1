"""The pure parts of the measurements of models, functions, starts and sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench import language_model
from bench.chat_calls import Question, streamed_words
from bench.load import Load
from bench.scenarios.lambda_host import milliseconds_more, scale
from bench.scenarios.model import Comparison
from bench.scenarios.sleeping import ALONE, BARE, EMPTY, SHARED, SLEEPING, WOKEN, build_rows, judge
from bench.scenarios.start import beside, growth

from centralized_ml_api.config.load import load_config
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.engines import LLAMA_CPP_ANSWER_TOKENS, LlamaCppServing
from support.fake_target import NOON

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = Question(0, "/", {})


def load(calls: int, p50_milliseconds: float) -> Load:
    """A second of calls."""
    return Load(calls, 1.0, 0, 0, p50_milliseconds, p50_milliseconds)


def test_the_words_of_a_stream_are_those_that_are_not_empty() -> None:
    lines = [
        b'data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}\n',
        b"\n",
        b'data: {"choices": [{"delta": {"content": "A cloud"}}]}\n',
        b": still there\n",
        b'data: {"choices": [{"delta": {}}]}\n',
        b"data: [DONE]\n",
    ]
    assert list(streamed_words(lines)) == ["A cloud"]


def test_both_ways_are_asked_in_turn() -> None:
    asked: list[str] = []
    compared = Comparison(Question(1, "direct", {}), Question(2, "through", {}))

    def take(question: Question) -> float:
        asked.append(question.path)
        return 1.0

    compared.run(take, turned=False)
    compared.run(take, turned=True)
    assert asked == ["direct", "through", "through", "direct"]
    assert (len(compared.direct_seconds), len(compared.through_seconds)) == (2, 2)


def test_calls_are_compared_with_their_neighbours() -> None:
    compared = Comparison(NOBODY, NOBODY, [1.0, 2.0, 4.0], [1.25, 2.5, 4.004])
    assert compared.speed == pytest.approx(0.8)
    assert compared.milliseconds_more == pytest.approx(250)


def test_workers_are_compared_with_one_of_the_same_round() -> None:
    rounds = {
        "direct": [load(1, 0.5), load(1, 0.5), load(1, 0.7)],
        "echo": [load(1, 2.5), load(1, 3.0), load(1, 2.7)],
        "1": [load(20, 50), load(10, 50), load(20, 50)],
        "4": [load(80, 50), load(30, 50), load(40, 50)],
    }
    assert milliseconds_more(rounds) == pytest.approx(2.0)
    assert scale(rounds, 4) == pytest.approx(0.75)


def test_twice_the_models_in_twice_the_time_is_in_proportion() -> None:
    assert growth([0.2, 0.3], [0.3, 0.4], [0.4, 0.9]) == pytest.approx(1.0)
    assert growth([0.2], [0.3], [0.6]) == pytest.approx(3.0)


def test_a_start_is_compared_with_the_server_alone_of_the_same_round() -> None:
    seconds = {"the model server alone": [1.0, 2.0, 1.0], "up": [1.5, 2.6, 9.0]}
    assert beside(seconds, "up") == pytest.approx(1.5)


def test_the_server_alone_is_started_like_that_of_the_default_config(tmp_path: Path) -> None:
    loaded = load_config(language_model.ROOT / "config/models.json", now=NOON)
    entry = build_plan(loaded).deployment(language_model.NAME)
    assert entry is not None
    assert entry.local is not None
    serving, file = entry.local.serving, tmp_path / "model.gguf"
    assert isinstance(serving, LlamaCppServing)
    answer_tokens = entry.max_output_tokens or LLAMA_CPP_ANSWER_TOKENS
    server = LlamaCppServer(serving, (file,), entry.name, answer_tokens, {}, tmp_path)
    alone, beside_others = language_model.build_launch(file, 9000, tmp_path), server.launch(9000)
    assert (alone.argv, alone.stack_bytes) == (beside_others.argv, beside_others.stack_bytes)


def test_sleeping_is_judged_by_the_rounds_by_memory_and_by_answers() -> None:
    seconds = {BARE: [1.0, 2.0, 4.0], WOKEN: [1.1, 2.4, 4.0]}
    mebibytes, calls = {EMPTY: 200.0, SLEEPING: 204.0}, {ALONE: 10.0, SHARED: 8.5}
    assert [(goal.value, goal.met) for goal in judge(seconds, mebibytes, calls)] == [
        (1.1, True),
        (1.02, True),
        (0.85, True),
    ]
    assert build_rows(seconds, mebibytes, calls)[1::2] == [
        {"what": WOKEN, "measured": 2.4, "unit": "s"},
        {"what": SLEEPING, "measured": 204, "unit": "MiB"},
        {"what": SHARED, "measured": 8.5, "unit": "answers a second"},
    ]
