from __future__ import annotations

from centralized_ml_api.api.notices import Message
from centralized_ml_api.local.run.notices import Notices


def test_a_pause_of_everything_leaves_those_of_entries_as_they_are() -> None:
    notices = Notices()
    assert (notices.list_paused("ab"), notices.word("ab"), notices.find(None)) == ({}, (), None)
    notices.pause("a", "broken")
    notices.pause(None, "")
    assert notices.list_paused("ab") == {"a": "", "b": ""}
    assert notices.word("ab") == ("everything is paused", "a is paused: broken")
    assert notices.to_json() == {"a": "broken", "": ""}
    notices.resume(None)
    assert notices.list_paused("ab") == {"a": "broken"}
    notices.resume("a")
    assert notices.list_paused("ab") == {}
    notices.message = Message("Lunch")
    assert notices.word("ab") == ("the message to all is: Lunch",)


def test_a_team_is_paused_for_itself() -> None:
    notices = Notices()
    notices.pause(None, "wait", team="red")
    assert (notices.find(None), notices.find(None, team="red"), notices.find(None, team="blue")) == (
        None,
        "wait",
        None,
    )
    assert (notices.list_teams(), notices.list_paused("ab"), notices.to_json()) == ({"red": "wait"}, {}, {})
    assert notices.word("ab") == ("the team red is paused: wait",)
    notices.pause(None, "all")
    notices.resume(None)
    assert notices.list_teams() == {"red": "wait"}
    notices.resume(None, team="red")
    assert (notices.list_teams(), notices.word("ab")) == ({}, ())
