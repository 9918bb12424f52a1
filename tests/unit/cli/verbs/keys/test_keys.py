"""`mlapi keys` on the keys of one machine, while nothing runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.keys import PATTERN, is_key
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import list_teams
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_api import Ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the keys of two teams."""
    (tmp_path / ".mlapi").mkdir(mode=0o700)
    KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red", "blue team")))
    return tmp_path


def value(folder: Path, team: str = "red") -> str:
    return mlapi("keys", "--show", team, cwd=folder).out.strip()


def holds_key(ran: Ran) -> bool:
    return bool(re.search(PATTERN, ran.out + ran.talk))


def test_the_list_has_the_last_characters_and_no_value(folder: Path) -> None:
    listed, as_json = mlapi("keys", cwd=folder), mlapi("keys", "--json", cwd=folder)
    key = value(folder)
    assert is_key(key)
    assert f"red        active  …{key[-4:]}" in listed.out
    assert json.loads(as_json.out)[0] == {
        "team": "red",
        "state": "active",
        "ending": key[-4:],
        "former": [],
    }
    assert not holds_key(listed)
    assert not holds_key(as_json)


def test_values_of_all_are_shown_on_request(folder: Path) -> None:
    values = json.loads(mlapi("keys", "--json", "--show", cwd=folder).out)
    assert values == {"red": value(folder), "blue team": value(folder, "blue team")}
    assert mlapi("keys", "--show", cwd=folder).out.splitlines()[0] == f"red  {value(folder)}"


def test_rotation_names_the_new_key_and_the_end_of_the_old_one(folder: Path) -> None:
    before = value(folder)
    ran = mlapi("keys", "rotate", "red", "--grace", "2h", cwd=folder)
    assert value(folder) != before
    assert f"ending in {value(folder)[-4:]}; the one ending in {before[-4:]} works until" in ran.talk
    assert not holds_key(ran)
    assert f"…{before[-4:]} until" in mlapi("keys", cwd=folder).out


def test_what_comes_next_names_the_same_keys(folder: Path) -> None:
    elsewhere = folder / "else where"
    (folder / ".mlapi").rename(elsewhere)
    for arguments in (["rotate", "red"], ["revoke", "red", "--yes"], []):
        ran = mlapi("keys", *arguments, "--state", str(elsewhere), cwd=folder)
        assert ran.talk.endswith("--state 'else where'\n")


def test_a_grace_of_more_than_30_days_is_refused(folder: Path) -> None:
    ran = mlapi("keys", "rotate", "red", "--grace", "31d", cwd=folder)
    assert (ran.status, "'31d' is more than 30 days" in ran.talk) == (2, True)


def test_without_grace_nothing_of_the_old_key_is_left(folder: Path) -> None:
    before = value(folder)
    mlapi("keys", "rotate", "red", "--grace", "0s", cwd=folder)
    assert before not in (folder / ".mlapi/keys.json").read_text()


def test_revoked_is_said_and_mended_by_a_new_key(folder: Path) -> None:
    assert mlapi("keys", "revoke", "red", "--yes", cwd=folder).status == 0
    assert re.search(r"red +revoked +- +-", mlapi("keys", cwd=folder).out)
    ran = mlapi("keys", "--show", "red", cwd=folder)
    assert (ran.status, "mlapi keys rotate red" in ran.talk) == (2, True)
    mlapi("keys", "rotate", "red", cwd=folder)
    assert is_key(value(folder))


def test_only_former_keys_can_be_revoked(folder: Path) -> None:
    mlapi("keys", "rotate", "red", cwd=folder)
    mlapi("keys", "revoke", "red", "--former", cwd=folder)
    assert json.loads(mlapi("keys", "--json", cwd=folder).out)[0]["former"] == []
    assert is_key(value(folder))


def test_each_team_gets_a_private_file_that_a_shell_can_read(folder: Path) -> None:
    ran = mlapi("keys", "export", "--url", "http://192.0.2.7:8080/", cwd=folder)
    assert ran.out.splitlines() == ["keys/red.env", "keys/blue team.env"]
    assert not holds_key(ran)
    file = folder / "keys/red.env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert (file.parent / ".gitignore").read_text() == "*\n", "git add takes no key along"
    assignments = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    assert assignments == [
        "MLAPI_URL=http://192.0.2.7:8080",
        f"MLAPI_KEY={value(folder)}",
        "OPENAI_BASE_URL=http://192.0.2.7:8080/v1",
        f"OPENAI_API_KEY={value(folder)}",
    ]
    assert ". ./'blue team.env'" in (folder / "keys/blue team.env").read_text()


def test_an_export_replaces_files_that_others_could_read(folder: Path) -> None:
    (folder / "keys").mkdir()
    (folder / "keys/red.env").write_text("old")
    (folder / "keys/red.env").chmod(0o644)
    mlapi("keys", "export", "--team", "red", "--url", "http://x", cwd=folder)
    assert (folder / "keys/red.env").stat().st_mode & 0o777 == 0o600
    assert not (folder / "keys/blue team.env").exists()


def test_the_file_of_a_revoked_team_does_not_stay(folder: Path) -> None:
    mlapi("keys", "export", "--url", "http://x", cwd=folder)
    mlapi("keys", "revoke", "red", "--yes", cwd=folder)
    ran = mlapi("keys", "export", "--url", "http://x", cwd=folder)
    assert ran.out == "keys/blue team.env\n"
    assert "Removed keys/red.env: its key no longer works.\n" in ran.talk
    assert not (folder / "keys/red.env").exists()


@pytest.mark.parametrize(
    "url", ["192.0.2.7:8080", 'http://x"; rm -rf .', "http://$(id)", "http://x\ny", "http://"]
)
def test_an_address_that_a_shell_would_act_on_gets_into_no_file(folder: Path, url: str) -> None:
    ran = mlapi("keys", "export", "--url", url, cwd=folder)
    assert ran.status == 2
    assert "is not the address of an API" in ran.talk
    assert not (folder / "keys").exists()


@pytest.mark.parametrize(
    "arguments", [["--show", "pink"], ["rotate", "pink"], ["revoke", "pink"], ["export", "--team", "pink"]]
)
def test_an_unknown_team_is_a_usage_error(folder: Path, arguments: list[str]) -> None:
    ran = mlapi("keys", *arguments, cwd=folder)
    assert ran.status == 2
    assert "no team 'pink'" in ran.talk
    assert "red, blue team" in ran.talk


def test_the_option_that_shows_a_key_is_named_to_who_takes_it_for_a_command(folder: Path) -> None:
    ran = mlapi("keys", "show", "red", cwd=folder)
    assert ran.status == 2
    assert ran.talk.endswith("Error: No such command 'show'. Did you mean '--show'?\n")


def test_revoking_wants_a_yes_where_nobody_can_be_asked(folder: Path) -> None:
    before = value(folder)
    assert mlapi("keys", "revoke", "red", cwd=folder).status == 2
    assert value(folder) == before


def test_without_keys_it_is_said_how_there_are_some(tmp_path: Path) -> None:
    ran = mlapi("keys", cwd=tmp_path)
    assert ran.status == 2
    assert """list teams in the config, such as "event": {"teams": ["red", "blue"]}""" in ran.talk
