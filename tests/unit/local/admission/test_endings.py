"""What a call has used, by what Envoy tells of its end."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.accounts import Need
from centralized_ml_api.local.admission.endings import Ending, Reservation, judge_ending
from centralized_ml_api.local.admission.exchange import read_ends
from support.admission_calls import render_end

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
        (Ending(200, frozenset({"DC"}), read=100, written=1), None),  # its caller left in the middle
        (Ending(200, is_broken_off=True, read=100, written=1), None),  # an error ended its stream
        (Ending(504, frozenset({"DC"})), None),  # the server may have gone on
        (Ending(503, frozenset({"UF", "URX"})), Need(0, 0)),  # no server was reached
        (Ending(503, frozenset({"UF", "UC"})), None),
        (Ending(400, read=100, written=1), Need(0, 0)),
        (Ending(429), Need(0, 0)),
        (Ending(500, is_sure=False), None),  # an answer that the gateway could not hold
    ],
)
def test_what_is_not_known_counts_in_full(ending: Ending, used: Need | None) -> None:
    assert judge_ending(KEPT, ending) == used


@pytest.mark.parametrize(
    ("flags", "is_cut_short"),
    [(set(), False), ({"DC"}, True), ({"UF", "URX"}, False), ({"UF", "UC"}, True)],
)
def test_what_was_sent_and_not_answered_is_cut_short(flags: set[str], *, is_cut_short: bool) -> None:
    assert Ending(200, frozenset(flags)).is_cut_short is is_cut_short


@pytest.mark.parametrize(
    ("ending", "was_read"),
    [
        (Ending(200), True),
        (Ending(200, is_broken_off=True), False),
        (Ending(200, frozenset({"DC"})), False),
        (Ending(200, frozenset({"UF"})), False),
        (Ending(429), False),
        (Ending(0), False),
    ],
)
def test_only_what_was_answered_was_read_for_sure(ending: Ending, *, was_read: bool) -> None:
    assert ending.was_read is was_read


def test_without_tokens_bytes_are_counted_and_never_more_than_was_reserved() -> None:
    assert judge_ending(WITHOUT_TOKENS, Ending(200, bytes_out=40)) == Need(110, 45_000)
    assert judge_ending(WITHOUT_TOKENS, Ending(200, bytes_out=4000)) == Need(150, 2_025_000)


def test_what_envoy_tells_is_read() -> None:
    call = ("[::1]:4711", 1_780_315_200_000_001)

    def read(**values: object) -> Ending:
        ((found, ending),) = read_ends(render_end(call, **values))
        assert found == call
        return ending

    assert read(in_=19, cached=4, out=10, BYTES_SENT=77) == Ending(
        200, read=19, cached=4, written=10, bytes_out=77
    )
    assert read(in_="1e+11", cache_writes=3).read == 10**11, "as protocol buffers write large numbers"
    assert read(cache_writes=3) == Ending(200, cache_writes=3)
    assert read(in_=0, out=0) == Ending(200, read=0, written=0)
    assert not read(RESPONSE_CODE_DETAILS="response_payload_too_large").is_sure
    assert not read(RESPONSE_CODE_DETAILS="reset{remote > failure}").is_sure, "whatever Envoy says there"
    assert read(RESPONSE_CODE_DETAILS="failed_to_inject_credential").is_sure, "there was no key"
    assert not read(unsure="true").is_sure, "the translator could not read it"
    assert read(broken_off="true").is_broken_off
    assert read(RESPONSE_CODE=0, RESPONSE_FLAGS="DC").status == 0
    assert read(RESPONSE_FLAGS="UF,URX").flags == {"UF", "URX"}


@pytest.mark.parametrize("count", ["inf", "1e+999", "1e+300", "nan", "-1", "many"])
def test_what_is_no_number_of_tokens_counts_as_not_reported_and_hides_no_other_end(count: str) -> None:
    calls = [("192.0.2.1:4711", 1), ("192.0.2.2:80", 2)]
    told = render_end(calls[0], in_=count, cached=count, out=3) + render_end(calls[1], in_=2, out=count)
    assert dict(read_ends(told)) == {calls[0]: Ending(200, written=3), calls[1]: Ending(200, read=2)}


def test_several_ends_are_told_together() -> None:
    calls = [("192.0.2.1:4711", 1), ("192.0.2.2:80", 2)]
    assert [call for call, _ in read_ends(b"".join(map(render_end, calls)))] == calls
    assert not list(read_ends(b"<end of something else>\n"))
