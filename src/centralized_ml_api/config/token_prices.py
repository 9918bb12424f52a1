"""What tokens cost at providers: the list in the package, whose source `token_prices.NOTICE` names."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from centralized_ml_api.config.bedrock import parse_bedrock_id
from centralized_ml_api.record import record

_PICO_PER_TOKEN = 10**6
"""A US dollar per million tokens, in picodollars per token."""

_PICO_PER_NANO = 1000
_FILE = "token_prices.json"


@record
class TokenPrice:
    """What a token costs in picodollars (10^-12 US dollars), as whole numbers: no sum is ever rounded.

    Attributes:
        read: A token of a request.
        cached: A token of a request that the server had in a cache.
        written: A token of an answer.
        title: Who says so.
        day: On which day; None for a price in the config.
    """

    read: int
    cached: int
    written: int
    title: str
    day: date | None = None

    def cost(self, read: int, cached: int, written: int, cache_writes: int = 0) -> int:
        """Returns what tokens cost, in nanodollars, rounded up.

        What a cache writes costs twice as much as what is only read: no provider asks more for it.
        Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing

        Args:
            read: Tokens of the request, those from a cache among them.
            cached: Tokens from a cache.
            written: Tokens of the answer.
            cache_writes: Those of `read` that were written to a cache.
        """
        kept = min(cached, read)
        picodollars = (read - kept + cache_writes) * self.read + kept * self.cached + written * self.written
        return -(-picodollars // _PICO_PER_NANO)

    @property
    def source(self) -> str:
        """Who says so, and on which day."""
        return f"{self.title}, {self.day.isoformat()}" if self.day else self.title


def build_token_price(read: Decimal, cached: Decimal | None, written: Decimal, title: str) -> TokenPrice:
    """Builds a price from US dollars per million tokens. Pure.

    Args:
        read: For tokens of requests.
        cached: For those from a cache; None for the same.
        written: For tokens of answers.
        title: Who says so.
    """
    return TokenPrice(
        _picodollars(read), _picodollars(read if cached is None else cached), _picodollars(written), title
    )


def render_per_million(picodollars: int) -> str:
    """Renders picodollars per token as US dollars per million tokens, such as `0.25`. Pure."""
    return f"{Decimal(picodollars) / _PICO_PER_TOKEN:f}"


def find_token_price(provider: str, model: str) -> TokenPrice | None:
    """Returns what a model costs at a provider; None where the list does not have it.

    Args:
        provider: Its name in a config, such as `openai`.
        model: Its own name of the model.
    """
    source, models = _load()
    for line in models.get(provider, ()):
        if _matches(line["match"], model):
            amounts = {name: Decimal(line[name]) for name in ("input", "cached", "output") if name in line}
            read, written = (amounts.get(name, Decimal(0)) for name in ("input", "output"))
            price = build_token_price(read, amounts.get("cached"), written, source["title"])
            return replace(price, day=date.fromisoformat(source["day"]))
    return None


def find_bedrock_price(model_id: str) -> TokenPrice | None:
    """Returns what a model of Bedrock costs; None where the list does not have it, or the ARN hides it.

    Args:
        model_id: The id or ARN of a model or of an inference profile.
    """
    parsed = parse_bedrock_id(model_id)
    if parsed.kind not in {"foundation-model", "inference-profile"}:
        return None
    name = f"{parsed.geography}.{parsed.model}" if parsed.geography else parsed.model
    return find_token_price("bedrock", name)


def _picodollars(usd: Decimal) -> int:
    return math.ceil(usd * _PICO_PER_TOKEN)


def _matches(clause: dict[str, Any], name: str) -> bool:
    """Returns whether a condition of genai-prices holds for a model's name."""
    ((kind, value),) = clause.items()
    if kind == "or":
        return any(_matches(part, name) for part in value)
    if kind == "and":
        return all(_matches(part, name) for part in value)
    if kind == "regex":
        return re.search(value, name) is not None
    known, wanted = name.lower(), value.lower()
    if kind == "starts_with":
        return known.startswith(wanted)
    if kind == "ends_with":
        return known.endswith(wanted)
    return wanted in known if kind == "contains" else known == wanted


@cache
def _load() -> tuple[dict[str, str], dict[str, list[dict[str, Any]]]]:
    """Reads the list: its source, and its models by provider, in the order in which they are tried."""
    text = files("centralized_ml_api.config").joinpath(_FILE).read_text(encoding="utf-8")
    written = json.loads(text)
    models: dict[str, list[dict[str, Any]]] = {}
    for line in written["models"]:
        models.setdefault(line["provider"], []).append(line)
    return written["source"], models
