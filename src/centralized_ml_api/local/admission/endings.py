"""Says what a call has used, by what Envoy tells of its end. Pure."""

from __future__ import annotations

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.local.admission.accounts import Charge, Need
from centralized_ml_api.plan.usage.tokens import estimate_tokens
from centralized_ml_api.record import record

_FIRST_SUCCESS, _FIRST_REDIRECT, _FIRST_ERROR = 200, 300, 400

SURE_DETAILS = frozenset({"via_upstream", "failed_to_inject_credential"})
"""The response code details of errors after which it is sure that the server did not work.

They are those that the server itself answered, and those of calls for which there was no key.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details
"""

NEVER_SENT_FLAGS = ("UH", "UF", "UO", "NR", "URX", "NC")
"""The response flags of calls that reached no server: no healthy or no free one, no connection, no route.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage
"""

UNASKED_DETAILS = frozenset({"direct_response", "failed_to_inject_credential"})
"""The response code details of answers that the gateway gives itself, before it asks a server."""

_NEVER_SENT = frozenset(NEVER_SENT_FLAGS)


@record
class Ending:
    """What Envoy tells of a call that is over.

    Attributes:
        status: Of the answer; 0 if there was none.
        is_sure: Whether an error means that the server did not work, not that its answer was lost.
        flags: Envoy's response flags: why the call did not end well.
        is_broken_off: Whether an error ended a stream that had begun: what was reported before is not all.
        read: Tokens of the request as its server reports them; None if it does not.
        cached: Those that the server had in a cache.
        cache_writes: Those that the server has written to a cache.
        written: Tokens of the answer; None if they are not reported.
        bytes_out: Of the answer's body.
    """

    status: int
    flags: frozenset[str] = frozenset()
    is_sure: bool = True
    is_broken_off: bool = False
    read: int | None = None
    cached: int = 0
    cache_writes: int = 0
    written: int | None = None
    bytes_out: int = 0

    @property
    def is_cut_short(self) -> bool:
        """Whether the server may still be at work: any flag says so but those of calls that reached none."""
        return not self.flags <= _NEVER_SENT

    @property
    def was_read(self) -> bool:
        """Whether it is sure that the server has read all of the request."""
        has_succeeded = _FIRST_SUCCESS <= self.status < _FIRST_REDIRECT
        return has_succeeded and not self.flags and not self.is_broken_off


@record
class Reservation:
    """What a call has added to accounts, and how its end is judged.

    Attributes:
        charges: What it added.
        need: The same in both units.
        price: Picodollars of a token read, from a cache, written; None if nothing is sold.
        bytes_in: Of the request's body.
        has_tokens: Whether its API has tokens, which its server is to report.
    """

    charges: tuple[Charge, ...]
    need: Need
    price: tuple[int, int, int] | None
    bytes_in: int
    has_tokens: bool


def build_need(
    read: int, written: int, price: tuple[int, int, int] | None, *, cached: int = 0, cache_writes: int = 0
) -> Need:
    """Builds what tokens need, in both units.

    Args:
        read: Tokens of the request.
        written: Tokens of the answer.
        price: As in a `Reservation`.
        cached: Those of `read` that came from a cache.
        cache_writes: Those of `read` that were written to one.
    """
    cost = TokenPrice(*price, title="").cost(read, cached, written, cache_writes) if price else 0
    return Need(read + written, cost)


def judge_ending(reservation: Reservation, ending: Ending) -> Need | None:
    """Returns what a call has used; None if nobody knows, and it counts in full."""
    if ending.flags:
        return Need(0, 0) if ending.flags <= _NEVER_SENT else None
    if ending.status >= _FIRST_ERROR:
        return Need(0, 0) if ending.is_sure else None
    if not ending.status or ending.is_broken_off:
        return None
    if ending.read is not None or ending.written is not None:
        return build_need(
            ending.read or 0,
            ending.written or 0,
            reservation.price,
            cached=ending.cached,
            cache_writes=ending.cache_writes,
        )
    if reservation.has_tokens:
        return None
    estimate = estimate_tokens(reservation.bytes_in, ending.bytes_out, "whole")
    used = build_need(estimate.read, estimate.written, reservation.price)
    # An estimate must not be what exceeds a limit.
    return Need(
        min(used.tokens, reservation.need.tokens), min(used.nanodollars, reservation.need.nanodollars)
    )
