from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.keys.record import TeamRecord, list_teams

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.integers(0, 5)),
        st.tuples(st.just("revoke"), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 5)),
    )
)


@settings(deadline=None)
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
