"""What a team that floods a language model costs the others, with a model of llama.cpp in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.turns import Turns
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

TOKEN_SECONDS = 0.009
"""On one processor, a batch takes as long as it has tokens."""

NEW_TOKENS = 9
"""What is new to a slot in another team's question; of the same question, one token is read again."""

TEAMS = [f"team-{number}" for number in range(20)]
USUAL = 0.6
"""The part of the model's capacity that the others together use."""

SECONDS = 150.0
FLOODING = 10
"""How many calls the one that floods keeps waiting or under way."""


@dataclass(slots=True, eq=False)
class Answer:
    """A call in a slot: how many tokens of its prompt are unread, and of its answer unwritten."""

    text: str
    unread: int
    unwritten: int
    slot: int | None
    done: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class LlamaCpp:
    """llama.cpp's slots and batches: answers come first, then prompts in the order of the slots."""

    slots: list[Answer | None]
    queue: list[Answer] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)
    used: dict[int, float] = field(default_factory=dict)
    loop: asyncio.Task[None] | None = None

    async def answer(self, text: str, tokens: int, slot: int | None) -> None:
        done = asyncio.get_running_loop().create_future()
        self.queue.append(Answer(text, NEW_TOKENS, tokens, slot, done))
        if self.loop is None:
            self.loop = asyncio.create_task(self.work())
        await done

    async def work(self) -> None:
        while self.begin():
            tokens = self.batch()
            await asyncio.sleep(TOKEN_SECONDS * sum(tokens.values()))
            for answer, count in tokens.items():
                answer.unread = max(0, answer.unread - count)
                answer.unwritten -= not answer.unread
                if not answer.unwritten:
                    self.slots[self.slots.index(answer)] = None
                    answer.done.set_result(None)
        self.loop = None

    def begin(self) -> bool:
        """Gives slots to those that wait for one; returns whether there is work."""
        for answer in [*self.queue]:
            free = [slot for slot, other in enumerate(self.slots) if other is None]
            alike = [slot for slot in free if self.kept.get(slot) == answer.text]
            oldest = sorted(free, key=lambda slot: self.used.get(slot, 0.0))
            wanted = [answer.slot] if answer.slot is not None else [*alike, *oldest]
            slot = next((slot for slot in wanted if slot in free), None)
            if slot is not None:
                self.queue.remove(answer)
                answer.unread = 1 if self.kept.get(slot) == answer.text else NEW_TOKENS
                self.slots[slot], self.kept[slot] = answer, answer.text
                self.used[slot] = asyncio.get_running_loop().time()
        return any(self.slots)

    def batch(self) -> dict[Answer, int]:
        """Returns how many tokens of each call are computed next."""
        tokens = {answer: 1 for answer in self.slots if answer and not answer.unread}
        for answer in self.slots:
            room = len(self.slots) - sum(tokens.values())
            if answer and answer.unread and room:
                tokens[answer] = min(room, answer.unread)
        return tokens


@dataclass(slots=True, eq=False)
class World:
    """A model with two slots, and how long the calls of each team took that does not flood."""

    takes_turns: bool
    tokens: int
    server: LlamaCpp = field(default_factory=lambda: LlamaCpp([None, None]))
    turns: Turns = field(default_factory=lambda: Turns(asyncio.get_running_loop().time))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0

    async def call(self, team: str) -> None:
        text, slot = f"Say hello to {team}.", None
        self.count += 1
        call = self.count
        if self.takes_turns:
            prompt = Prompt(tokens=NEW_TOKENS, takes_slot=True, text=text)
            slot = await self.turns.take(call, "chat", team, places=2, at_once=None, prompt=prompt)
        await self.server.answer(text, self.tokens, slot)
        if self.takes_turns:
            self.turns.end(call)

    async def call_without_pause(self, teams: itertools.cycle[str], seconds: float) -> int:
        """Returns how many of these calls were answered."""
        loop, answered = asyncio.get_running_loop(), 0
        end = loop.time() + seconds
        while loop.time() < end:
            await self.call(next(teams))
            answered += 1
        return answered

    async def call_at_once(self, callers: int, teams: list[str], seconds: float) -> int:
        order = itertools.cycle(teams)
        return sum(await asyncio.gather(*(self.call_without_pause(order, seconds) for _ in range(callers))))

    async def note_call(self, team: str) -> None:
        begun = asyncio.get_running_loop().time()
        await self.call(team)
        self.seconds[team].append(asyncio.get_running_loop().time() - begun)

    async def call_steadily(self, moments: list[tuple[float, str]]) -> None:
        async with asyncio.TaskGroup() as calls:
            for moment, team in moments:
                await asyncio.sleep(moment - asyncio.get_running_loop().time())
                calls.create_task(self.note_call(team))

    async def measure(self, moments: list[tuple[float, str]], flooding: int, seconds: float = SECONDS) -> int:
        """Lets 19 teams call at these moments; returns how many calls the other one got answered."""
        flood = asyncio.create_task(self.call_at_once(flooding, TEAMS[:1], seconds))
        await self.call_steadily(moments)
        return await flood


def run(tell: Callable[[World], Awaitable[int]], *, takes_turns: bool, tokens: int) -> tuple[World, int]:
    async def main() -> tuple[World, int]:
        world = World(takes_turns, tokens)
        return world, await tell(world)

    return run_in_virtual_time(main())


def choose_moments(rate: float) -> list[tuple[float, str]]:
    """Returns when which of the 19 teams calls: at random, the same in each test."""
    random, moment = Random(18), 0.0  # noqa: S311  # no secret
    moments: list[tuple[float, str]] = []
    while (moment := moment + random.expovariate(rate)) < SECONDS:
        moments.append((moment, random.choice(TEAMS[1:])))
    return moments


def p95(seconds: Iterable[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def find_ratio(*, takes_turns: bool, tokens: int) -> tuple[float, float]:
    """Returns the others' p95 beside a flood, compared with quiet, and how busy the flood keeps the model."""
    _, answered = run(lambda world: world.call_at_once(4, TEAMS, 60), takes_turns=takes_turns, tokens=tokens)
    moments = choose_moments(USUAL * answered / 60)
    quiet, _ = run(lambda world: world.measure(moments, 0), takes_turns=takes_turns, tokens=tokens)
    flood, count = run(lambda world: world.measure(moments, FLOODING), takes_turns=takes_turns, tokens=tokens)
    ratio = p95(itertools.chain(*flood.seconds.values())) / p95(itertools.chain(*quiet.seconds.values()))
    return ratio, count / SECONDS * (1 + tokens) * TOKEN_SECONDS


@pytest.mark.parametrize(("tokens", "most"), [(2, 1.2), (32, 1.3)], ids=["short answers", "longer ones"])
def test_a_flood_hardly_delays_the_others_and_has_what_they_leave(tokens: int, most: float) -> None:
    ratio, flood = find_ratio(takes_turns=True, tokens=tokens)
    assert ratio <= most
    assert flood >= 0.9 * (1 - USUAL)


def test_no_team_is_delayed_much_more_than_the_others() -> None:
    random, period, seconds = Random(18), 3.0, 450.0  # noqa: S311  # no secret
    moments = sorted(
        ((number + random.random()) * period, team)
        for team in TEAMS[1:]
        for number in range(int(seconds / period))
    )
    quiet, _ = run(lambda world: world.measure(moments, 0, seconds), takes_turns=True, tokens=2)
    flood, _ = run(lambda world: world.measure(moments, FLOODING, seconds), takes_turns=True, tokens=2)
    assert max(p95(flood.seconds[team]) / p95(quiet.seconds[team]) for team in TEAMS[1:]) <= 1.5


def test_the_queue_of_llama_cpp_alone_delays_them_much_more() -> None:
    ratio, _ = find_ratio(takes_turns=False, tokens=2)
    assert ratio >= 2


def test_where_the_others_would_use_all_of_it_a_flood_has_as_much_as_each() -> None:
    counts: list[int] = []

    async def flood_beside_busy_teams(world: World) -> int:
        flood = asyncio.create_task(world.call_at_once(FLOODING, TEAMS[:1], SECONDS))
        counts.extend(await asyncio.gather(*(world.call_at_once(2, [team], SECONDS) for team in TEAMS[1:])))
        return await flood

    _, answered = run(flood_beside_busy_teams, takes_turns=True, tokens=2)
    assert max(counts) - min(counts) <= 2
    assert 0.8 <= answered / statistics.mean(counts) <= 1.3
