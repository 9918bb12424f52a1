"""What the API adds to a language model: `make bench BENCH=model`.

One and the same llama.cpp server is asked directly and through the API, in turn. It has the threads that it
always has, and nothing is pinned: the gateway finds a core that is idle, as the model leaves it one.
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
"""Pairs of calls a round that are over with the first word: few of them would say little of a millisecond."""
SPEED = 0.97
FIRST_WORD_MILLISECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question directly and through the API, and the seconds of both, call by call."""

    direct: Question
    through: Question
    direct_seconds: list[float] = field(default_factory=list)
    through_seconds: list[float] = field(default_factory=list)

    def run(self, take: Callable[[Question], float], *, turned: bool) -> None:
        """Asks both, one after the other; the API first if `turned`."""
        both = [(self.direct, self.direct_seconds), (self.through, self.through_seconds)]
        for question, seconds in reversed(both) if turned else both:
            seconds.append(take(question))

    @property
    def speed(self) -> float:
        """Through the API, as a share of the model's own; the median of the pairs."""
        return statistics.median(direct / through for direct, through in self._pairs())

    @property
    def milliseconds_more(self) -> float:
        """How much longer it takes through the API; the median of the pairs."""
        return statistics.median((through - direct) * 1000 for direct, through in self._pairs())

    def _pairs(self) -> Sequence[tuple[float, float]]:
        return list(zip(self.direct_seconds, self.through_seconds, strict=True))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What is compared: calls that end with the first word, streamed answers, and whole ones.

    The whole ones go through the function of the default config.
    """

    first: Comparison
    streamed: Comparison
    whole: Comparison

    @classmethod
    def between(cls, model: int, gateway: int) -> Comparisons:
        """The ports of the model's own server and of the API."""
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
        """One round; who is asked first changes from call to call."""
        for turn in range(FIRST_WORDS):
            self.first.run(time_first_word, turned=bool((number + turn) % 2))
        self.streamed.run(time_answer, turned=bool(number % 2))
        self.whole.run(time_answer, turned=bool(number % 2))


def measure(run: Run) -> Measured:
    """Everything in every round, after a round that is not counted."""
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
    """That the model writes as much as it may: what follows divides by that.

    Raises:
        RuntimeError: it does not, or writes other words through the API.
    """
    words, written = direct["choices"][0]["message"]["content"], direct["usage"]["completion_tokens"]
    if written != TOKENS or through["generated_texts"] != [words]:
        raise RuntimeError(f"{TOKENS} tokens were asked for; {direct} is not that, or not {through}")


def judge(compared: Comparisons) -> list[Goal]:
    """What is promised, and whether it holds."""
    more = compared.first.milliseconds_more
    return [
        Goal("tokens/s of direct, streamed", round(compared.streamed.speed, 3), SPEED, at_least=True),
        Goal(
            "tokens/s of direct, whole, through a function",
            round(compared.whole.speed, 3),
            SPEED,
            at_least=True,
        ),
        Goal("ms more to the first token", round(more, 2), FIRST_WORD_MILLISECONDS),
    ]


def build_rows(compared: Comparisons) -> list[Row]:
    """Both ways of each comparison."""
    first, streamed, whole = compared.first, compared.streamed, compared.whole
    return [
        build_row("streamed, from the model itself", streamed.direct_seconds, first.direct_seconds),
        build_row("streamed, through the API", streamed.through_seconds, first.through_seconds),
        build_row("whole, from the model itself", whole.direct_seconds),
        build_row("whole, through the API and its function", whole.through_seconds),
    ]


def build_row(way: str, seconds: Sequence[float], first_seconds: Sequence[float] = ()) -> Row:
    """Medians."""
    first = statistics.median(first_seconds) * 1000 if first_seconds else None
    return {
        "answer": way,
        "tokens/s": round(TOKENS / statistics.median(seconds), 1),
        "first token ms": first and round(first, 2),
    }


SCENARIO = Scenario(
    title="What the API adds to a model",
    about=(
        f"The default config's language model writes {TOKENS} tokens, asked directly at its own port and "
        "through the API in turn. `/v1/chat/completions` streams; `/open-llama` goes "
        "through the function that the config names."
    ),
    rounds=8,
    measure=measure,
    quoted={
        "tokens/s of direct, streamed": "tokens a second through the API, over llama.cpp's server alone",
        "ms more to the first token": "milliseconds that the API adds to the first token",
    },
)
