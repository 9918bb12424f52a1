"""What organizers did: kept in order, for its user alone, and without what is secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.organizer.journal import LONGEST_DETAIL, Deed, Journal
from support.fake_target import NOON

if TYPE_CHECKING:
    from pathlib import Path

AT = "2030-06-01T12:00:00Z"


def test_a_line_is_added_and_none_is_changed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=lambda: NOON)
    assert journal.load(9) == ()
    journal.note("restart", "chat")
    before = journal.path.read_bytes()
    Journal(tmp_path, "screen", lambda: NOON).note("message", detail="Lunch\nis <here>")
    assert journal.path.read_bytes().startswith(before)
    assert len(journal.path.read_bytes().splitlines()) == 2
    assert journal.path.stat().st_mode & 0o777 == 0o600
    message = Deed(AT, "screen", "message", "", "Lunch\nis <here>")
    assert journal.load(9) == (message, Deed(AT, "command line", "restart", "chat", ""))
    assert journal.load(1) == (message,)


def test_what_is_no_whole_line_is_left_out_and_a_long_detail_is_cut(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=lambda: NOON)
    journal.path.write_text('{"at": "x"}\n[]\n\n{"at"\n')
    journal.note("message", detail="a" * 1000)
    (deed,) = journal.load(9)
    assert deed.detail == "a" * LONGEST_DETAIL


def test_only_the_latest_of_a_long_journal_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=lambda: NOON)
    line = f'{{"at": "{AT}", "by": "screen", "act": "wake", "subject": "chat", "detail": ""}}\n'
    journal.path.write_text(line * 5000)
    journal.note("sleep", "chat")
    assert [deed.act for deed in journal.load(3)] == ["sleep", "wake", "wake"]


def test_a_folder_that_takes_no_more_undoes_nothing(tmp_path: Path) -> None:
    Journal(tmp_path / "gone").note("wake", "chat")


def test_verbs_are_in_it_without_keys_and_codes(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.change(lambda _: (TeamRecord("red", new_key()),))
    keys, book = LocalKeys(store), JoinBook(tmp_path)
    keys.rotate("red", NOON - NOON)
    code = book.load().code
    book.set_closed(is_closed=True)
    book.set_closed(is_closed=False)
    book.renew_code()
    key = keys.show("red")
    keys.revoke("red", former_only=True)
    keys.revoke("red")
    journal = Journal(tmp_path)
    assert [(deed.act, deed.subject) for deed in reversed(journal.load(9))] == [
        ("new key", "red"),
        ("close joining", ""),
        ("open joining", ""),
        ("new code", ""),
        ("revoke former keys", "red"),
        ("revoke", "red"),
    ]
    written = journal.path.read_text()
    assert not any(secret in written for secret in (key, key[-8:], code, book.load().code))
