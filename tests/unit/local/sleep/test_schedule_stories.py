"""Whatever is called when: nobody starves, no call is lost, a group has one awake."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.sleep.schedule import LONGEST_TURN_SECONDS, Schedule
from centralized_ml_api.local.sleep.types import Calls
from centralized_ml_api.plan.types import SleepPlan

CALL_SECONDS = 29.0


@dataclass
class Story:
    """A machine with a few models, whose clients keep to the rules that admission keeps to."""

    made: Schedule
    wake: dict[str, float]
    answer: float
    now: float = 0.0
    open: set[str] = field(default_factory=set)
    waiting: dict[str, list[float]] = field(default_factory=dict)
    under_way: dict[str, list[float]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    runs: dict[str, float] = field(default_factory=dict)
    stopping: list[str] = field(default_factory=list)
    wakes: list[str] = field(default_factory=list)
    longest: float = 0.0

    def tell(self, name: str) -> None:
        """Lets calls go on if they may, and tells the schedule."""
        if name in self.open:
            for since in self.waiting.pop(name, []):
                self.longest = max(self.longest, self.now - since)
                self.under_way.setdefault(name, []).append(self.now + self.answer)
                self.taken[name] = self.taken.get(name, 0) + 1
        calls = Calls(
            len(self.under_way.get(name, [])),
            len(self.waiting.get(name, [])),
            self.taken.get(name, 0),
            self.refused.get(name, 0),
        )
        self.made.note_calls(name, calls, self.now)

    def act(self) -> None:
        for step in self.made.advance(self.now):
            if step.action == "wake":
                assert step.name not in self.runs, "it is awake already"
                others = [other for other in self.runs if GROUP[other] and GROUP[other] == GROUP[step.name]]
                assert not others, "two of a group run"
                self.runs[step.name] = self.now + self.wake[step.name]
                self.wakes.append(step.name)
            elif step.action == "close":
                self.open.discard(step.name)
                self.made.note_closed(step.name)
                self.act()
            elif step.action == "open":
                assert step.name in self.runs
                self.open.add(step.name)
                self.tell(step.name)
            else:
                assert step.name not in self.open
                assert not self.under_way.get(step.name), "a call is under way"
                self.stopping.append(step.name)

    def call(self, name: str) -> None:
        self.waiting.setdefault(name, []).append(self.now)
        self.tell(name)
        self.act()

    def turn_away(self, name: str) -> float:
        """Tells a caller when to come back; returns in how many seconds that is."""
        ready_in = self.made.view(name, self.now).ready_in
        assert ready_in is not None
        self.refused[name] = self.refused.get(name, 0) + 1
        self.tell(name)
        self.act()
        return ready_in

    def pass_time(self, until: float) -> None:
        """Moves to each moment at which something happens."""
        while True:
            for name in self.stopping:
                del self.runs[name]
                self.made.note_asleep(name, self.now)
            self.stopping.clear()
            self.act()
            if self.stopping:
                continue
            ends = [end for calls in self.under_way.values() for end in calls]
            ready = [at for name, at in self.runs.items() if self.made.view(name, self.now).phase == "waking"]
            timer = self.made.next_at(self.now)
            moment = min([until, *ends, *ready, *([timer] if timer is not None else [])])
            self.now = max(self.now, moment)
            for name in list(self.under_way):
                self.under_way[name] = [end for end in self.under_way[name] if end > self.now]
                self.tell(name)
            for name, at in list(self.runs.items()):
                if at <= self.now and self.made.note_ready(name, self.now) is not None:
                    self.open.add(name)
                    self.tell(name)
            self.act()
            if moment >= until and not self.stopping:
                return


GROUP = {"a": "gpu", "b": "gpu", "c": "gpu", "d": ""}
MOMENTS = st.lists(
    st.tuples(st.sampled_from(sorted(GROUP)), st.floats(0, 20).map(lambda seconds: round(seconds, 1))),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    moments=MOMENTS,
    wakes=st.lists(st.floats(0.1, 10), min_size=4, max_size=4),
    answer=st.floats(0.1, 5),
)
def test_any_story(moments: list[tuple[str, float]], wakes: list[float], answer: float) -> None:
    """No two of a group run, none with a call under way stops, everybody is served before long."""
    plans = {name: SleepPlan(idle_seconds=30, shares=group) for name, group in GROUP.items()}
    made = Schedule(CALL_SECONDS)
    made.adopt(plans, {}, {}, 0.0)
    story = Story(made, dict(zip(sorted(GROUP), wakes, strict=True)), answer)
    for name, pause in moments:
        story.pass_time(story.now + pause)
        story.call(name)
    story.pass_time(story.now + 1000)
    assert not any(story.waiting.values()), "a call was never served"
    assert story.runs == {}, "all are idle by now"
    turn = LONGEST_TURN_SECONDS + max(wakes) + answer
    assert story.longest <= 3 * turn + max(wakes)


@pytest.mark.parametrize("answer", [pytest.param(0.4, id="short"), pytest.param(5.0, id="long")])
def test_busy_neighbours_starve_nobody_and_mostly_work(answer: float) -> None:
    """Each of three in a group is called without a pause; they take turns, and a turn is not one call."""
    plans = {name: SleepPlan(shares=group) for name, group in GROUP.items()}
    made = Schedule(CALL_SECONDS)
    made.adopt(plans, {}, {}, 0.0)
    story = Story(made, dict.fromkeys(sorted(GROUP), 2.0), answer)
    for name, seconds in story.wake.items():
        made.learn(name, seconds)
    while story.now < 240:
        for name in ("a", "b", "c"):
            if not story.waiting.get(name) and not story.under_way.get(name):
                story.call(name)
        story.pass_time(story.now + 0.2)
    counts = {name: story.wakes.count(name) for name in ("a", "b", "c")}
    assert max(counts.values()) - min(counts.values()) <= 1
    wakes = sum(counts.values())
    assert 240 / wakes >= (CALL_SECONDS - 2) / 2, "turns are as long as the time limit of calls allows"
    assert 1 - wakes * 2 / 240 > 0.8, "of the time, that much is work"


@settings(max_examples=15, deadline=None)
@given(
    wakes=st.lists(st.floats(0.5, 60), min_size=3, max_size=3),
    answer=st.floats(0.5, 5),
    busy=st.sampled_from([("a", "b"), ("a",), ()]),
    after=st.floats(0, 100),
)
def test_a_caller_who_comes_back_as_told_finds_the_model_awake(
    wakes: list[float], answer: float, busy: tuple[str, ...], after: float
) -> None:
    """The pause is right within a fifth, but for the calls of others that come to their end."""
    made = Schedule(CALL_SECONDS)
    made.adopt({name: SleepPlan(shares="gpu") for name in ("a", "b", "c")}, {}, {}, 0.0)
    story = Story(made, dict(zip(("a", "b", "c"), wakes, strict=True)), answer)
    for name, seconds in story.wake.items():
        made.learn(name, seconds)

    def keep_busy() -> None:
        for name in busy:
            if not story.waiting.get(name) and not story.under_way.get(name):
                story.call(name)

    def pass_time(until: float) -> None:
        while story.now < until and made.view("c", story.now).phase != "ready":
            keep_busy()
            story.pass_time(min(until, story.now + 0.5))

    pass_time(after)
    keep_busy()
    told, begun = story.turn_away("c"), story.now
    pass_time(begun + 1000)
    took = story.now - begun
    assert story.wakes.count("c") == 1
    assert 0.8 * told - 0.5 <= took <= 1.2 * told + 3 * (answer + 0.5)
    story.pass_time(begun + max(told, took))
    assert made.view("c", story.now).phase == "ready", "it waits for whoever was told to come back"
