"""What a call has used, by what Envoy tells of its end."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission import envoy_messages_pb2 as envoy
from centralized_ml_api.local.admission.accounts import Need
from centralized_ml_api.local.admission.endings import Ending, Reservation, judge_ending
from centralized_ml_api.local.admission.log_entries import identify_ended, read_ending

PRICE = (250_000, 25_000, 2_000_000)
KEPT = Reservation((), Need(1000, 2_000_000), PRICE, 400, has_tokens=True)
WITHOUT_TOKENS = Reservation((), Need(150, 10**9), PRICE, 400, has_tokens=False)


@pytest.mark.parametrize(
    ("ending", "used"),
    [
        (Ending(200, read=100, written=10), Need(110, 45_000)),
        (Ending(200, read=100, cached=40, written=10), Need(110, 36_000)),
        (Ending(200, read=100, cache_writes=40, written=10), Need(110, 55_000)),
        (Ending(200, read=100), Need(100, 25_000)),
        (Ending(200), None),  # nobody knows
        (Ending(0), None),
        (Ending(200, frozenset({0}), read=100, written=1), None),  # its caller left in the middle
        (Ending(200, is_broken_off=True, read=100, written=1), None),  # an error ended its stream
        (Ending(504, frozenset({0})), None),  # the server may have gone on
        (Ending(503, frozenset({6, 16})), Need(0, 0)),  # no server was reached
        (Ending(503, frozenset({6, 0})), None),
        (Ending(400, read=100, written=1), Need(0, 0)),
        (Ending(429), Need(0, 0)),
        (Ending(500, is_sure=False), None),  # an answer that the gateway could not hold
    ],
)
def test_what_is_not_known_counts_in_full(ending: Ending, used: Need | None) -> None:
    assert judge_ending(KEPT, ending) == used


@pytest.mark.parametrize(
    ("flags", "is_cut_short"),
    [(set(), False), ({0}, True), ({6, 16}, False), ({6, 0}, True)],
)
def test_what_was_sent_and_not_answered_is_cut_short(flags: set[int], *, is_cut_short: bool) -> None:
    assert Ending(200, frozenset(flags)).is_cut_short is is_cut_short


@pytest.mark.parametrize(
    ("ending", "was_read"),
    [
        (Ending(200), True),
        (Ending(200, is_broken_off=True), False),
        (Ending(200, frozenset({0})), False),
        (Ending(200, frozenset({6})), False),
        (Ending(429), False),
        (Ending(0), False),
    ],
)
def test_only_what_was_answered_was_read_for_sure(ending: Ending, *, was_read: bool) -> None:
    assert ending.was_read is was_read


def test_without_tokens_bytes_are_counted_and_never_more_than_was_reserved() -> None:
    assert judge_ending(WITHOUT_TOKENS, Ending(200, bytes_out=40)) == Need(110, 45_000)
    assert judge_ending(WITHOUT_TOKENS, Ending(200, bytes_out=4000)) == Need(150, 2_025_000)


def test_what_envoy_tells_is_read_with_flags_that_are_not_in_the_messages() -> None:
    entry = envoy.HttpAccessLogEntry()
    common = entry.common_properties
    common.downstream_remote_address.socket_address.address = "::1"
    common.downstream_remote_address.socket_address.port_value = 4711
    common.start_time.FromMicroseconds(1_780_315_200_000_001)
    common.metadata.filter_metadata["usage"].update({"in": 19, "cached": 4, "out": 10})
    entry.response.response_code.value = 200
    entry.response.response_body_bytes = 77
    entry.response.response_code_details = "via_upstream"
    assert identify_ended(entry) == ("[::1]:4711", 1_780_315_200_000_001)
    assert read_ending(entry) == Ending(200, read=19, cached=4, written=10, bytes_out=77)
    entry.response.response_code_details = "response_payload_too_large"
    assert not read_ending(entry).is_sure
    entry.response.response_code_details = "failed_to_inject_credential"
    assert read_ending(entry).is_sure, "there was no key"
    common.metadata.filter_metadata["usage"].update({"unsure": True})
    assert not read_ending(entry).is_sure, "the translator could not read it"
    common.metadata.filter_metadata["usage"].update({"broken_off": True})
    assert read_ending(entry).is_broken_off
    common.response_flags.no_healthy_upstream = True
    assert read_ending(entry).flags == {2}
    common.response_flags.MergeFromString(b"\x78\x01")  # field 15: the caller has left
    assert read_ending(entry).flags == {0, 2}
