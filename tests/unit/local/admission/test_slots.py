"""Which slot of a server a call takes."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.slots import Slots

HELLO, STORY, POEM = "Say hello, please.", "Tell the story of a cloud.", "A poem about the sea."


class World:
    """The slots of one server, two unless a test says something else."""

    def __init__(self, count: int = 2, share: int = 1) -> None:
        self.slots = Slots()
        self.count = count
        self.share = share

    def begin(self, call: str, text: str) -> int | None:
        """Begins a call whose name starts with its team's; returns its slot."""
        slot = self.slots.choose(call[0], text, count=self.count, share=self.share)
        self.slots.take(call, call[0], Prompt(text=text), slot)
        return slot

    def call(self, call: str, text: str) -> int | None:
        slot = self.begin(call, text)
        self.slots.free(call)
        return slot


def test_a_team_finds_its_prompt_where_it_was_read() -> None:
    world = World()
    assert [world.call("a", HELLO), world.call("b", HELLO)] == [0, 1], "each reads its own"
    assert [world.call("b", HELLO), world.call("b", HELLO), world.call("a", HELLO)] == [1, 1, 0]


def test_a_team_that_calls_often_reads_over_its_own_prompts() -> None:
    world = World()
    world.call("a", HELLO)
    assert {world.call("b", f"{number} {STORY}") for number in range(5)} == {1}
    assert world.call("a", HELLO) == 0


def test_a_team_alone_fills_all_slots_before_it_reads_over_one() -> None:
    world = World(count=3, share=3)
    texts = (HELLO, STORY, POEM)
    assert [world.call("a", text) for text in texts] == [0, 1, 2]
    assert [world.call("a", text) for text in (POEM, STORY, HELLO)] == [2, 1, 0]
    assert world.call("a", "Something new.") == 2, "whose prompt was used longest ago"


@pytest.mark.parametrize(
    ("first", "second", "is_alike"),
    [
        (HELLO, HELLO + " And then a lot more than that.", True),
        (STORY * 9 + HELLO, STORY * 9 + POEM, True),
        ("abcd", "abxy", True),
        ("abcd", "axyz", False),
        (HELLO, STORY, False),
    ],
    ids=["goes on", "asks something else about the same", "half", "a quarter", "another"],
)
def test_a_prompt_is_alike_if_half_of_the_shorter_one_is_the_same(
    first: str, second: str, *, is_alike: bool
) -> None:
    world = World(share=2)
    assert world.call("a", first) == 0
    assert world.call("a", second) == (0 if is_alike else 1)


def test_of_several_slots_the_one_that_has_more_of_the_prompt_is_taken() -> None:
    world = World(share=2)
    assert [world.call("a", HELLO + STORY), world.call("a", HELLO + POEM)] == [0, 1]
    assert world.call("a", HELLO + STORY + "More?") == 0
    assert world.call("a", HELLO + POEM + "More?") == 1


def test_a_longer_prompt_moves_behind_the_shorter_one_of_another_team_once() -> None:
    world = World()
    assert [world.call("a", f"1 {STORY}"), world.call("b", HELLO)] == [0, 1]
    assert world.call("a", f"2 {STORY}") == 1, "its own slot would be read first"
    assert [world.call("b", HELLO), world.call("a", f"3 {STORY}"), world.call("b", HELLO)] == [0, 1, 0]


def test_a_conversation_moves_too_if_more_is_new_in_it_than_the_other_team_has() -> None:
    world = World()
    assert [world.call("a", STORY), world.call("b", HELLO)] == [0, 1]
    assert world.call("a", STORY + "More.") == 0
    assert world.call("a", STORY + "More." + POEM) == 1


@pytest.mark.parametrize("kept", [STORY, STORY * 2], ids=["as long", "longer"])
def test_no_prompt_moves_over_one_that_is_not_shorter(kept: str) -> None:
    world = World()
    assert [world.call("a", f"1{STORY}"[: len(STORY)]), world.call("b", kept)] == [0, 1]
    assert world.call("a", f"2{STORY}"[: len(STORY)]) == 0


def test_a_slot_that_is_busy_is_not_taken() -> None:
    world = World()
    assert world.begin("a1", HELLO) == 0
    assert world.begin("a2", HELLO) == 1, "its own is busy"
    assert world.begin("b", HELLO) is None, "so are all"
    for call in ("a1", "b"):
        world.slots.free(call)
    assert world.begin("c", HELLO) == 0


def test_the_server_chooses_while_a_slot_is_busy_that_it_has_chosen() -> None:
    world = World()
    world.slots.take("b", "b", Prompt(), None)
    assert world.begin("a1", HELLO) is None
    world.slots.free("b")
    assert world.begin("a2", HELLO) is None, "the first is not over"
    world.slots.free("a1")
    world.slots.free("a2")
    assert world.begin("a3", HELLO) == 0


def test_of_more_teams_than_slots_the_one_that_is_idle_for_longest_gives_way() -> None:
    world = World()
    assert [world.call(team, f"{team}: {HELLO}") for team in "abc"] == [0, 1, 0]
    assert world.call("b", f"b: {HELLO}") == 1
    assert world.call("a", f"a: {HELLO}") == 0
