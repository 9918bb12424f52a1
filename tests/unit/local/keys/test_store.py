"""The file of keys: private, whole, and one change after the other."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.keys import is_key, new_key
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys.admin import LocalKeys
from centralized_ml_api.local.keys.record import list_teams
from centralized_ml_api.local.keys.store import KeyStore

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEAMS = ("red", "blue", "green")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path)
    store.change(lambda records: list_teams(records, TEAMS))
    return store


def key_of(store: KeyStore, team: str) -> str:
    return LocalKeys(store).show(team)


def test_only_its_user_may_read_it(store: KeyStore) -> None:
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o077 for path in store.path.parent.iterdir()} == {0}


def test_every_team_has_a_key_of_its_own(store: KeyStore) -> None:
    keys = {key_of(store, team) for team in TEAMS}
    assert len(keys) == len(TEAMS)
    assert all(is_key(key) for key in keys)


def test_keys_are_made_once(store: KeyStore) -> None:
    before = store.path.read_bytes()
    store.change(lambda records: list_teams(records, TEAMS))
    assert store.path.read_bytes() == before


def test_a_file_that_is_none_is_refused_without_being_quoted(store: KeyStore) -> None:
    key = key_of(store, "red")
    store.path.write_text('{"version": 1, "teams": [' + key)
    with pytest.raises(StartError, match="not a file of keys") as refused:
        store.load()
    assert key not in repr(refused.value.__context__) + str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"teams": {}}, id="no list of teams"),
        pytest.param({"teams": [{"key": 5}]}, id="a number as key"),
        pytest.param({"teams": [{"key": "mlapi_typed-by-hand"}]}, id="a key without its checksum"),
        pytest.param(
            {"teams": [{"former": [{"key": new_key(), "until": "2030-06-01T12:00:00"}]}]},
            id="an instant without a zone",
        ),
    ],
)
def test_a_damaged_file_is_refused_instead_of_taking_keys_away(
    store: KeyStore, change: dict[str, Any]
) -> None:
    whole = {"team": "red", "listed": True, "key": new_key(), "former": []}
    teams = change["teams"] and [whole | team for team in change["teams"]]
    store.path.write_text(json.dumps({"version": 1, "teams": teams}))
    with pytest.raises(StartError, match="not a file of keys"):
        store.load()


def test_where_nothing_can_be_written_the_keys_stay_and_nobody_is_told_to_move_them_away(
    store: KeyStore,
) -> None:
    before = store.load()
    store.path.with_name(".keys.json.new").mkdir()  # as a full disk, nothing can be opened for writing there
    with pytest.raises(StartError, match="the keys were not changed") as refused:
        LocalKeys(store).rotate("red", HOUR)
    assert refused.value.fix.startswith("check the free space of the disk")
    assert "move" not in refused.value.fix
    assert store.load() == before


def test_no_change_is_lost_when_many_come_at_once(store: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(LocalKeys(KeyStore(store.path.parent)).rotate, "red", HOUR) for _ in range(16)]
        for turn in turns:
            turn.result()
    assert len(LocalKeys(store).teams()[0].former) == 16
