# ruff: noqa: INP001  # a script, not a package
"""Brings the prices of tokens that ship with the package up to date, from genai-prices of PyPI.

    pip install genai-prices             into any environment; this program does not depend on it
    python tools/build_token_prices.py 2026-11-28

writes the prices of the providers that a config can name, as of that day. Of prices that depend on the length
of a prompt or on the time of day, the highest is taken: a call never costs more than is counted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from datetime import date
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

FILE = Path(__file__).parent.parent / "src/centralized_ml_api/config/token_prices.json"
PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "azure": "azure",
    "openrouter": "openrouter",
    "groq": "groq",
    "mistral": "mistral",
    "together": "together",
    "fireworks": "fireworks",
    "deepseek": "deepseek",
    "xai": "x-ai",
    "bedrock": "aws",
}
"""Providers of a config, and their ids there; without `huggingface`, which asks others' prices."""

_KINDS = {"input": "input_mtok", "cached": "cache_read_mtok", "output": "output_mtok"}


def render_clause(clause: Any) -> Any:
    """The condition on a model's name, as JSON. Pure."""
    (field,) = fields(clause)
    value = getattr(clause, field.name)
    name = field.name.rstrip("_")
    return {name: [render_clause(part) for part in value] if isinstance(value, list) else value}


def list_prices(model: Any, day: date) -> list[Any]:
    """The sets of prices that hold on a day, at whatever time. Pure."""
    if not isinstance(model.prices, list):
        return [model.prices]
    held: list[Any] = []
    for conditional in model.prices:
        starts = getattr(conditional.constraint, "start_date", None)
        if starts is not None and starts > day:
            continue
        if starts is not None or conditional.constraint is None:
            held.clear()  # later prices take the place of earlier ones, those of hours do not
        held.append(conditional.prices)
    return held


def find_highest(prices: list[Any], name: str) -> Decimal | None:
    """The highest price of one kind, in US dollars per million tokens. Pure."""
    known = [value for each in prices if (value := getattr(each, name, None)) is not None]
    tiers = (tier.price for value in known for tier in getattr(value, "tiers", ()))
    return max((*(getattr(value, "base", value) for value in known), *tiers), default=None)


def main(day: date) -> None:
    """Writes the file."""
    data = {provider.id: provider for provider in import_module("genai_prices.data").providers}
    lines = []
    for name, theirs in PROVIDERS.items():
        for model in data[theirs].models:
            prices = list_prices(model, day)
            found = {kind: find_highest(prices, field) for kind, field in _KINDS.items()}
            if found["input"] is None and found["output"] is None:
                continue
            amounts = {kind: str(amount) for kind, amount in found.items() if amount is not None}
            line = {"provider": name, "match": render_clause(model.match), **amounts}
            lines.append(json.dumps(line, separators=(",", ":")))
    version = metadata.version("genai-prices")
    source = {
        "title": f"genai-prices {version}",
        "url": "https://github.com/pydantic/genai-prices",
        "day": day.isoformat(),
    }
    body = ",\n".join(lines)
    FILE.write_text(f'{{"source": {json.dumps(source)}, "models": [\n{body}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]))
