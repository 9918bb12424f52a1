from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.plan.aws.nested_stacks import (
    STACK,
    TemplateSize,
    assign_groups,
    groups_in_use,
)
from centralized_ml_api.plan.aws.roles import RESOURCES_CHARACTERS, divide

NAMES = st.lists(st.integers(0, 10**6), unique=True, min_size=12, max_size=60).map(
    lambda numbers: [f"model-{number}" for number in numbers]
)
"""So many that, at the sizes below, some are past the border."""


def sizes(names: list[str], resources: int, characters: int = 1000) -> dict[str, TemplateSize]:
    return {name: TemplateSize(resources, characters) for name in names}


def many(count: int) -> list[str]:
    return [f"model-{number}" for number in range(count)]


def test_what_fits_stays_in_the_main_stack() -> None:
    assert set(assign_groups(sizes(many(90), 5), TemplateSize(20)).values()) == {None}


def test_past_the_resources_the_first_stay_and_the_others_go() -> None:
    groups = assign_groups(sizes(many(120), 5), TemplateSize(20))
    staying = [name for name, group in groups.items() if group is None]
    assert staying == many(len(staying))
    assert 5 * len(staying) + 20 <= STACK.resources
    assert len(groups_in_use(groups.values())) > 1


def test_past_the_size_of_a_template_too() -> None:
    groups = assign_groups(sizes(many(20), 3, 100_000), TemplateSize(20, 0))
    assert {group is None for group in groups.values()} == {True, False}


@settings(deadline=None)
@given(NAMES)
def test_an_entry_added_at_the_end_moves_no_other_that_is_past_the_border(names: list[str]) -> None:
    heavy = sizes(names, 50)
    more = {**heavy, "added-at-the-end": TemplateSize(50)}
    before, after = assign_groups(heavy, TemplateSize(20)), assign_groups(more, TemplateSize(20))
    assert any(before.values())
    assert all(after[name] == before[name] for name in names)


@settings(deadline=None)
@given(NAMES)
def test_a_nested_stack_depends_on_the_name_alone(names: list[str]) -> None:
    forwards = assign_groups(sizes(names, 400), TemplateSize(400))
    backwards = assign_groups(sizes(names[::-1], 400), TemplateSize(400))
    both = [name for name in names if forwards[name] and backwards[name]]
    assert both
    assert [forwards[name] for name in both] == [backwards[name] for name in both]


@settings(deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=2000)))
def test_a_list_of_resources_fits_into_its_policy(sizes: list[int]) -> None:
    lists = divide(sizes, int)
    assert [size for items in lists for size in items] == sizes
    assert all(sum(items) <= RESOURCES_CHARACTERS for items in lists)
    assert all(lists)


def test_a_list_is_used_to_its_last_character() -> None:
    half = RESOURCES_CHARACTERS // 2
    assert divide([half, half], int) == ((half, half),)
    assert divide([half, half, 1], int) == ((half, half), (1,))


def test_entries_of_deployed_stacks_stay_in_the_nested_stack_where_they_are() -> None:
    """A name that led to another stack would replace the endpoints of every deployed entry."""
    groups = assign_groups(sizes(many(1000), 5), TemplateSize(20))
    assert groups_in_use(groups.values()) == tuple(f"Models{number}" for number in range(1, 9))
    assert [groups[f"model-{number}"] for number in (996, 997, 998, 999)] == [
        "Models6",
        "Models1",
        "Models2",
        "Models8",
    ]


@pytest.mark.parametrize(
    ("resources", "stays"), [(STACK.resources - 20, True), (STACK.resources - 19, False)]
)
def test_a_stack_is_filled_to_its_last_resource(resources: int, *, stays: bool) -> None:
    groups = assign_groups({"a": TemplateSize(resources, 1)}, TemplateSize(20))
    assert (groups["a"] is None) is stays
