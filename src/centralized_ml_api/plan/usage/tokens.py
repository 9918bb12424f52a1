"""Tokens of calls: as the model servers report them, or estimated from bytes where one reports none. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.config.token_prices import TokenPrice

Answer = Literal["whole", "stream"]
"""How an answer that has tokens comes."""

BYTES_PER_TOKEN = 4
"""Of a request, and of a whole answer: English text has about four letters for each token."""

STREAM_BYTES_PER_TOKEN = 200
"""Of a stream: each token comes in an event of its own, with 180 to 260 bytes of JSON around it.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""


@record
class Tokens:
    """The tokens of some calls.

    Attributes:
        read: Tokens of the requests, those from a cache among them.
        cached: Tokens of the requests that the server had in a cache.
        written: Tokens of the answers.
        estimated: Of `read` and `written`, how many are estimated from bytes.
        nanodollars: What all of them cost, where a price is known; 10^9 are a US dollar.
    """

    read: int = 0
    cached: int = 0
    written: int = 0
    estimated: int = 0
    nanodollars: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        """Returns the sum."""
        return Tokens(
            self.read + other.read,
            self.cached + other.cached,
            self.written + other.written,
            self.estimated + other.estimated,
            self.nanodollars + other.nanodollars,
        )

    def priced(self, price: TokenPrice | None, cache_writes: int = 0) -> Tokens:
        """Returns the same with what they cost; without a price, as they are.

        Args:
            price: Of each.
            cache_writes: Those of `read` that the server has written to a cache.
        """
        if price is None:
            return self
        return replace(self, nanodollars=price.cost(self.read, self.cached, self.written, cache_writes))

    @property
    def total(self) -> int:
        """All of them."""
        return self.read + self.written


NO_TOKENS = Tokens()

_NANO = 10**9
_FEW = Decimal(1)


def render_usd(nanodollars: int) -> str:
    """Renders US dollars: to the cent, below one dollar to the hundredth of a cent."""
    usd = Decimal(nanodollars) / _NANO
    return f"{usd:,.2f}" if usd >= _FEW or not usd else f"{usd:.4f}"


def estimate_tokens(bytes_in: int, bytes_out: int, answer: Answer) -> Tokens:
    """Estimates the tokens of calls whose server reports none.

    Args:
        bytes_in: Of the requests' bodies.
        bytes_out: Of the answers' bodies.
        answer: How the answers come.
    """
    read = bytes_in // BYTES_PER_TOKEN
    written = bytes_out // (STREAM_BYTES_PER_TOKEN if answer == "stream" else BYTES_PER_TOKEN)
    return Tokens(read, 0, written, estimated=read + written)
