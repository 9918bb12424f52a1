from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.keys import is_key
from centralized_ml_api.errors import UsageError
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


def test_a_team_that_comes_back_has_the_key_it_had(store: KeyStore) -> None:
    before = LocalKeys(store).show("red")
    gone = store.change(lambda records: list_teams(records, ("blue", "green")))
    assert {record.team: record.valid_keys(NOW) for record in gone}["red"] == ()
    assert [team.state for team in LocalKeys(store).teams()] == ["active", "active", "not listed"]
    store.change(lambda records: list_teams(records, TEAMS))
    assert LocalKeys(store).show("red") == before


def test_a_revoked_team_stays_revoked_when_the_config_is_read_again(store: KeyStore) -> None:
    LocalKeys(store).revoke("red")
    records = store.change(lambda found: list_teams(found, TEAMS))
    assert records[0].valid_keys(NOW) == ()
    with pytest.raises(UsageError, match="its key was revoked"):
        LocalKeys(store).show("red")
    LocalKeys(store).rotate("red", HOUR)
    assert is_key(LocalKeys(store).show("red"))


def test_a_team_that_is_not_there_is_named_with_those_that_are(store: KeyStore) -> None:
    with pytest.raises(UsageError, match="'pink'") as refused:
        LocalKeys(store).rotate("pink", HOUR)
    assert refused.value.fix == "choose one of: red, blue, green"


def test_values_are_in_no_listing_and_no_representation(store: KeyStore) -> None:
    LocalKeys(store).rotate("red", HOUR)
    records = store.load()
    assert records
    shown = repr(records) + repr(LocalKeys(store).teams())
    assert not any(key in shown for record in records for key in record.valid_keys(NOW))


def test_without_keys_the_error_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        LocalKeys(KeyStore(tmp_path)).teams()
    assert refused.value.message == f"there are no keys in {tmp_path}"
    assert refused.value.fix == (
        'list teams in the config, such as "event": {"teams": ["red", "blue"]}, and serve it;'
        " or name another state folder with --state"
    )


def test_a_listing_has_the_end_of_each_key_and_former_keys_until_their_grace_is_over(store: KeyStore) -> None:
    now = NOW
    keys = LocalKeys(store, lambda: now)
    first = keys.show("red")
    keys.rotate("red", HOUR)
    (red, *_) = keys.teams()
    assert (red.team, red.state) == ("red", "active")
    assert keys.show("red").endswith(red.ending)
    assert [(first.endswith(former.ending), former.until) for former in red.former] == [(True, NOW + HOUR)]
    now += HOUR
    assert keys.teams()[0].former == ()


def test_revoking_former_keys_leaves_the_current_one(store: KeyStore) -> None:
    keys = LocalKeys(store, lambda: NOW)
    keys.rotate("red", HOUR)
    current = keys.show("red")
    keys.revoke("red", former_only=True)
    assert keys.show("red") == current
    assert keys.teams()[0].former == ()
