from __future__ import annotations

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
    notices.message = "Lunch"
    assert notices.word("ab") == ("the message to all is: Lunch",)
