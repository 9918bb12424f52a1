"""The keys of all teams in one piece: a table, a page of slips, and a roster that comes in."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.keys import is_key
from centralized_ml_api.api.qr import draw_qr
from centralized_ml_api.cli.verbs.keys.handouts import render_sheet
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import list_teams
from centralized_ml_api.organizer.journal import Journal
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://192.0.2.7:8080"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the keys of two teams, and a config with two places."""
    (tmp_path / ".mlapi").mkdir(mode=0o700)
    KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red", "blue team")))
    config = {"models": [], "event": {"teams": ["red", "blue team"], "join": {"teams": 2}}}
    (tmp_path / "c.json").write_text(json.dumps(config))
    return tmp_path


def keys_of(folder: Path) -> dict[str, str | None]:
    return {record.team: record.key for record in KeyStore(folder / ".mlapi").load() or ()}


def test_the_table_has_every_key_and_the_link_that_signs_in(folder: Path) -> None:
    ran = mlapi("keys", "export", "--csv", "--url", URL, cwd=folder)
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert {row["team"]: row["key"] for row in rows} == keys_of(folder)
    assert [row["link"] for row in rows] == [f"{URL}/#key={row['key']}" for row in rows]
    assert not (folder / "keys").exists()
    assert not any(row["key"] in ran.talk for row in rows)


def test_the_slips_are_private_and_one_for_each_team(folder: Path) -> None:
    (folder / "slips.html").write_text("old")
    ran = mlapi("keys", "export", "--sheet", "slips.html", "--url", URL, cwd=folder)
    assert ran.out == "slips.html\n"
    page = (folder / "slips.html").read_text()
    assert (folder / "slips.html").stat().st_mode & 0o777 == 0o600
    assert page.count("<li>") == 2
    for team, key in keys_of(folder).items():
        assert f"<h2>{team}</h2>" in page
        assert f"<code>{key}</code>" in page
        assert draw_qr(f"{URL}/#key={key}").path in page
    one = mlapi("keys", "export", "--sheet", "one.html", "--team", "red", "--url", URL, cwd=folder)
    assert (one.status, (folder / "one.html").read_text().count("<li>")) == (0, 1)


def test_a_sheet_is_escaped_and_loads_nothing() -> None:
    wicked = "<script>alert(1)</script>{x}\"'&"
    page = render_sheet({wicked: wicked}, f"{URL}/{wicked}", wicked)
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.update({tag, *(f"{tag}@{name}" for name, _ in attrs if name in {"src", "href", "onload"})})

    Tags().feed(page)
    assert tags <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "ul",
            "li",
            "svg",
            "path",
            "div",
            "h2",
            "p",
            "code",
        )
    }
    assert re.search(r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]+='\"", page)


def test_a_table_and_slips_are_not_written_at_once(folder: Path) -> None:
    ran = mlapi("keys", "export", "--csv", "--sheet", "slips.html", "--url", URL, cwd=folder)
    assert ran.status == 2
    assert not (folder / "slips.html").exists()


def test_a_roster_takes_places_and_what_was_exported_comes_back(folder: Path) -> None:
    (folder / "roster.csv").write_text("\ufeffteam;school\nred;N\nOwls;S\n", encoding="utf-8")
    ran = mlapi("keys", "import", "roster.csv", "--config", "c.json", cwd=folder)
    assert ran.talk == "1 team added; 1 of the roster were there already.\nNext: mlapi keys\n"
    keys = keys_of(folder)
    assert [*keys] == ["red", "blue team", "Owls"]
    assert is_key(keys["Owls"] or "")
    assert [(deed.act, deed.detail) for deed in Journal(folder / ".mlapi").load(9)] == [("import", "1 team")]
    (folder / "back.csv").write_text(mlapi("keys", "export", "--csv", "--url", URL, cwd=folder).out)
    other = folder / "other"
    other.mkdir()
    (folder / "open.json").write_text(json.dumps({"models": [], "event": {"join": {"teams": 3}}}))
    flags = ("--config", "open.json", "--state", "other")
    assert mlapi("keys", "import", "back.csv", *flags, cwd=folder).status == 0
    assert {record.team: record.key for record in KeyStore(other).load() or ()} == keys


@pytest.mark.parametrize(
    ("roster", "event", "said"),
    [
        (b"team\na\nb\nc\n", {"join": {"teams": 2}}, "line 4 of the roster: all 2 places are taken"),
        (b"team\na\n", {"teams": ["red"]}, "the config has no places"),
        (b"team\nM\xe4del\n", {"join": {"teams": 2}}, "roster.csv cannot be read: it is not in UTF-8"),
        (None, {"join": {"teams": 2}}, "roster.csv cannot be read: No such file"),
    ],
)
def test_a_roster_that_cannot_be_taken_changes_nothing(
    roster: bytes | None, event: object, said: str, folder: Path
) -> None:
    before = keys_of(folder)
    (folder / "c.json").write_text(json.dumps({"models": [], "event": event}))
    if roster is not None:
        (folder / "roster.csv").write_bytes(roster)
    ran = mlapi("keys", "import", "roster.csv", "--config", "c.json", cwd=folder)
    assert (ran.status, said in ran.talk) == (2, True), ran.talk
    assert keys_of(folder) == before


def test_a_folder_that_nothing_was_served_with_gets_no_keys(folder: Path) -> None:
    (folder / "roster.csv").write_text("team\na\n")
    ran = mlapi("keys", "import", "roster.csv", "--config", "c.json", "--state", "none", cwd=folder)
    assert (ran.status, "nothing was served with none yet" in ran.talk) == (2, True)
    assert not (folder / "none").exists()
