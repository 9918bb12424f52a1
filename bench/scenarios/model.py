"""What the API adds to a language model: `make bench BENCH=model`.

The same llama.cpp server is called directly and through the API, in turn. It has its usual number of threads,
and nothing is pinned: the model leaves one core idle, and the gateway uses it.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench import language_model
from bench.chat_calls import Question, ask, time_answer, time_first_word
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.serving import serve, supervisor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROMPT = "Write a long story about a cloud that wanted to see the sea. Leave out no detail."
TOKENS = 128
FIRST_WORDS = 20
"""Pairs of calls per round that end with the first word: a few pairs could not resolve a millisecond."""
SPEED = 0.97
FIRST_WORD_MILLISECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same question asked directly and through the API, with the seconds of each call."""

    direct: Question
    through: Question
    direct_seconds: list[float] = field(default_factory=list)
    through_seconds: list[float] = field(default_factory=list)

    def run(self, take: Callable[[Question], float], *, turned: bool) -> None:
        """Asks both in turn; the API first if `turned`."""
        both = [(self.direct, self.direct_seconds), (self.through, self.through_seconds)]
        for question, seconds in reversed(both) if turned else both:
            seconds.append(take(question))

    @property
    def speed(self) -> float:
        """The speed through the API as a share of the direct speed; the median of the pairs."""
        return statistics.median(direct / through for direct, through in self._pairs())

    @property
    def milliseconds_more(self) -> float:
        """How much longer a call takes through the API; the median of the pairs."""
        return statistics.median((through - direct) * 1000 for direct, through in self._pairs())

    def _pairs(self) -> Sequence[tuple[float, float]]:
        return list(zip(self.direct_seconds, self.through_seconds, strict=True))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What is compared: calls that end with the first word, streamed responses, and complete ones.

    Complete responses go through the function of the default config.
    """

    first: Comparison
    streamed: Comparison
    whole: Comparison

    @classmethod
    def between(cls, model: int, gateway: int) -> Comparisons:
        """Builds the comparisons from the ports of the model's server and of the API."""
        path = language_model.CHAT_PATH
        messages = [{"role": "user", "content": PROMPT}]
        chat = {"model": language_model.NAME, "messages": messages, "max_tokens": TOKENS, "temperature": 0}
        streamed = {**chat, "stream": True}
        first = {**streamed, "max_tokens": 1}
        plain = {"text_inputs": PROMPT, "max_new_tokens": TOKENS, "temperature": 0}
        return cls(
            Comparison(Question(model, path, first), Question(gateway, path, first)),
            Comparison(Question(model, path, streamed), Question(gateway, path, streamed)),
            Comparison(Question(model, path, chat), Question(gateway, f"/{language_model.NAME}", plain)),
        )

    def run(self, number: int) -> None:
        """Runs one round; the side that is asked first alternates."""
        for turn in range(FIRST_WORDS):
            self.first.run(time_first_word, turned=bool((number + turn) % 2))
        self.streamed.run(time_answer, turned=bool(number % 2))
        self.whole.run(time_answer, turned=bool(number % 2))


def measure(run: Run) -> Measured:
    """Measures everything in every round, after one round that is not counted."""
    language_model.find_weights(run.say)
    config = language_model.build_config(function=True)
    with serve(config, run.folder) as address:
        ports = language_model.find_port(supervisor_of(run.folder)), urlsplit(address).port or 80
        Comparisons.between(*ports).run(0)
        compared = Comparisons.between(*ports)
        check_length(ask(compared.whole.direct), ask(compared.whole.through))
        for number in range(run.rounds):
            compared.run(number)
            speed, more = compared.streamed.speed, compared.first.milliseconds_more
            run.say(
                f"round {number + 1} of {run.rounds}: so far {speed:.3f} of the speed, {more:.2f} ms more"
            )
    return Measured(
        goals=judge(compared),
        rows=build_rows(compared),
        versions=language_model.describe_versions(),
        details=asdict(compared),
    )


def check_length(direct: Mapping[str, Any], through: Mapping[str, Any]) -> None:
    """Checks that the model writes as many tokens as allowed, which the calculation divides by.

    Raises:
        RuntimeError: It does not, or its words differ through the API.
    """
    words, written = direct["choices"][0]["message"]["content"], direct["usage"]["completion_tokens"]
    if written != TOKENS or through["generated_texts"] != [words]:
        raise RuntimeError(
            f"expected {TOKENS} tokens and equal texts; got {direct} directly and {through} through the API"
        )


def judge(compared: Comparisons) -> list[Goal]:
    """Builds the goals."""
    more = compared.first.milliseconds_more
    return [
        Goal(
            "streamed tokens/s, through the API / direct",
            round(compared.streamed.speed, 3),
            SPEED,
            at_least=True,
        ),
        Goal(
            "complete-response tokens/s, through the API and a function / direct",
            round(compared.whole.speed, 3),
            SPEED,
            at_least=True,
        ),
        Goal("ms added to the first token", round(more, 2), FIRST_WORD_MILLISECONDS),
    ]


def build_rows(compared: Comparisons) -> list[Row]:
    """Builds a row for each way of each comparison."""
    first, streamed, whole = compared.first, compared.streamed, compared.whole
    return [
        build_row("streamed, directly from the model", streamed.direct_seconds, first.direct_seconds),
        build_row("streamed, through the API", streamed.through_seconds, first.through_seconds),
        build_row("complete, directly from the model", whole.direct_seconds),
        build_row("complete, through the API and its function", whole.through_seconds),
    ]


def build_row(way: str, seconds: Sequence[float], first_seconds: Sequence[float] = ()) -> Row:
    """Builds a row of medians."""
    first = statistics.median(first_seconds) * 1000 if first_seconds else None
    return {
        "response": way,
        "tokens/s": round(TOKENS / statistics.median(seconds), 1),
        "first token ms": first and round(first, 2),
    }


SCENARIO = Scenario(
    title="What the API adds to a model",
    about=(
        f"The default config's language model writes {TOKENS} tokens. It is called directly at its own port "
        "and through the API, in turn. Streamed calls use `/v1/chat/completions`; calls to `/open-llama` go "
        "through the config's function."
    ),
    rounds=8,
    measure=measure,
    quoted={
        "streamed tokens/s, through the API / direct": (
            "tokens per second through the API, compared with llama.cpp's server alone"
        ),
        "ms added to the first token": "milliseconds the API adds to the first token",
    },
)
