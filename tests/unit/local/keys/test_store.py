"""The file of keys: private, whole, and one change after the other."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centralized_ml_api.api.keys import is_key, new_key
from centralized_ml_api.errors import StartError, UsageError
from centralized_ml_api.local.keys.local import LocalKeys
from centralized_ml_api.local.keys.record import TeamRecord, list_teams
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


def test_a_team_that_comes_back_has_the_key_it_had(store: KeyStore) -> None:
    before = key_of(store, "red")
    gone = store.change(lambda records: list_teams(records, ("blue", "green")))
    assert {record.team: record.valid_keys(NOW) for record in gone}["red"] == ()
    assert [team.state for team in LocalKeys(store).teams()] == ["active", "active", "not listed"]
    store.change(lambda records: list_teams(records, TEAMS))
    assert key_of(store, "red") == before


def test_a_revoked_team_stays_revoked_when_the_config_is_read_again(store: KeyStore) -> None:
    LocalKeys(store).revoke("red")
    records = store.change(lambda found: list_teams(found, TEAMS))
    assert records[0].valid_keys(NOW) == ()
    with pytest.raises(UsageError, match="its key was revoked"):
        key_of(store, "red")
    LocalKeys(store).rotate("red", HOUR)
    assert is_key(key_of(store, "red"))


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


def test_no_change_is_lost_when_many_come_at_once(store: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(LocalKeys(KeyStore(store.path.parent)).rotate, "red", HOUR) for _ in range(16)]
        for turn in turns:
            turn.result()
    assert len(LocalKeys(store).teams()[0].former) == 16


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


steps = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.integers(0, 5)),
        st.tuples(st.just("revoke"), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 5)),
    )
)


@given(steps)
def test_a_key_works_exactly_until_it_is_replaced_and_its_grace_is_over(
    steps: list[tuple[str, int]],
) -> None:
    """The record against a plain list of what each key was promised."""
    record, now = list_teams((), ("red",))[0], NOW
    promised: dict[str, datetime] = {record.valid_keys(now)[0]: datetime.max.replace(tzinfo=UTC)}
    for step, amount in steps:
        if step == "wait":
            now += amount * HOUR
        elif step == "rotate":
            record = rotate(record, now, amount * HOUR, promised)
        else:
            promised = (
                {} if not amount else {key: until for key, until in promised.items() if until.year > 9000}
            )
            record = record.revoked(former_only=bool(amount))
        assert set(record.valid_keys(now)) == {key for key, until in promised.items() if until > now}


def rotate(record: TeamRecord, now: datetime, grace: timedelta, promised: dict[str, datetime]) -> TeamRecord:
    if record.key:
        promised[record.key] = now + grace
    turned = record.rotated(now, grace)
    promised[turned.valid_keys(now)[0]] = datetime.max.replace(tzinfo=UTC)
    return turned
