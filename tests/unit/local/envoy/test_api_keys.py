"""Which teams may not call an entry."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.envoy.api_keys import is_restricted, list_unauthorized
from centralized_ml_api.local.gateway import TeamAccess

ALL, CHAT = TeamAccess("all", ("k1",)), TeamAccess("chat", ("k2",), models=("chat",))
PAUSED = TeamAccess("paused", ("k3",), paused="Come to the desk.")


@pytest.mark.parametrize(
    ("entry", "refused"), [("chat", [PAUSED]), ("echo", [CHAT, PAUSED])], ids=["chat", "echo"]
)
def test_teams_with_a_list_may_call_what_is_in_it_and_paused_ones_nothing(
    entry: str, refused: list[TeamAccess]
) -> None:
    teams = (ALL, CHAT, PAUSED)
    assert list_unauthorized(teams, entry) == refused
    assert is_restricted(teams, entry)


def test_an_entry_that_every_team_may_call_is_not_restricted() -> None:
    assert not is_restricted((ALL, CHAT), "chat")
    assert not is_restricted((), "chat")


def test_other_teams_are_looked_at_anew() -> None:
    assert is_restricted((ALL, CHAT), "echo")
    assert not is_restricted((ALL,), "echo")
