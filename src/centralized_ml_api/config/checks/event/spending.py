"""The limits in tokens and dollars: whom they are for, and what a dollar of each entry buys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import is_lambda
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.token_prices import find_bedrock_price, find_token_price
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_TOKENS = ("tokens_per_minute", "tokens_per_day")
_MONEY = ("usd_per_day", "usd")
_REPORTING = ("llama.cpp", "provider")


def _check_without_teams(context: Context) -> Iterator[Problem]:
    event = context.event
    if event is None or context.has_teams:
        return
    for key in (*_TOKENS, *_MONEY, "pot"):
        if limit := event.member(key):
            yield SPENDING_WITHOUT_TEAMS.problem(
                limit.key_location,
                found=f'"{key}" without "teams"',
                expected='"teams" together with it',
                fix=f'add "teams": ["red", "blue"], or remove "{key}"',
            )


SPENDING_WITHOUT_TEAMS = CheckedRule(
    id="C417",
    title="limit in tokens or dollars without teams",
    meaning="""\
`tokens_per_minute`, `tokens_per_day`, `usd_per_day` and `usd` are what one team may use, and `pot` is what
all of them may use together. Without teams, calls need no key, and nobody knows whose they are.""",
    example=Example(
        wrong="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "llama.cpp", "weights": "hf://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"}
    }
  ],
  "event": {"tokens_per_day": 500000}
}""",
        right="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "llama.cpp", "weights": "hf://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"}
    }
  ],
  "event": {"teams": ["red", "blue"], "tokens_per_day": 500000}
}""",
    ),
    check=_check_without_teams,
)


def _list_limits(context: Context, keys: tuple[str, ...], pot: str) -> list[Node[object]]:
    """Returns the limits of these kinds, wherever they stand; `pot` is that of all teams."""
    event = context.event
    if event is None:
        return []
    limits = [limit for part in (event, *context.teams) for key in keys if (limit := part.member(key))]
    shared = event.object("pot")
    whole = shared.member(pot) if shared else None
    return [*limits, whole] if whole else limits


def _find_provider(entry: ObjectNode) -> ObjectNode | None:
    local = entry.object("local")
    if local is None:
        return entry.object("provider")
    return local if local.value.get("engine") == "provider" else None


def _find_bedrock(entry: ObjectNode) -> Node[str] | None:
    """Returns the id of the model of Bedrock that one machine calls for the entry."""
    local = entry.object("local")
    if local is None:
        return entry.string("bedrock_model_id")
    return local.string("model") if local.value.get("engine") == "bedrock" else None


def _is_priced(entry: ObjectNode) -> bool:
    if entry.member("price"):
        return True
    if bedrock := _find_bedrock(entry):
        return find_bedrock_price(bedrock.value) is not None
    provider = _find_provider(entry)
    name, model = (provider.string(key) if provider else None for key in ("name", "model"))
    return bool(name and model and find_token_price(name.value, model.value))


def _check_prices(context: Context) -> Iterator[Problem]:
    if not _list_limits(context, _MONEY, "usd"):
        return
    for entry in context.entries:
        name = entry.string("name")
        if name and not _is_priced(entry):
            yield MONEY_WITHOUT_PRICE.problem(
                name.location,
                found=f"{quoted(name.value)}, whose price nobody knows, under a limit in US dollars",
                expected="the price of its tokens",
                fix='add "price": {"input_per_million": 0.25, "output_per_million": 2}; 0 and 0 for a model'
                " of your own that costs nothing",
            )


MONEY_WITHOUT_PRICE = CheckedRule(
    id="C418",
    title="limit in dollars without a price",
    meaning="""\
`usd`, `usd_per_day` and `pot.usd` limit what calls cost, so the price of every entry must be known: `price`
of the entry or, for a model of a named provider or of Bedrock, the list that comes with this version. A model
of your own has a price of 0, also on an instance of AWS, which is paid by the hour.""",
    example=Example(
        wrong="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "llama.cpp", "weights": "hf://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"}
    }
  ],
  "event": {"teams": ["red", "blue"], "usd": 5}
}""",
        right="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "llama.cpp", "weights": "hf://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"},
      "price": {"input_per_million": 0, "output_per_million": 0}
    }
  ],
  "event": {"teams": ["red", "blue"], "usd": 5}
}""",
    ),
    check=_check_prices,
)


def _reports_tokens(entry: ObjectNode) -> bool:
    """Returns whether the server behind an entry's own path is known to report tokens."""
    integration = entry.object("integration")
    if integration and is_lambda(integration):
        return False
    is_hosted = _find_provider(entry) or entry.member("bedrock_model_id") or _find_bedrock(entry)
    return bool(is_hosted) or bool(
        (local := entry.object("local")) and local.value.get("engine") in _REPORTING
    )


def _check_reports(context: Context) -> Iterator[Problem]:
    if not _list_limits(context, (*_TOKENS, *_MONEY), "tokens") and not _list_limits(context, (), "usd"):
        return
    for entry in context.entries:
        name = entry.string("name")
        if name and not _reports_tokens(entry):
            yield TOKENS_NOT_REPORTED.problem(
                name.location,
                found=f"{quoted(name.value)}, which may report no tokens, under a limit in tokens or dollars",
                expected="an entry whose server reports the tokens of each call",
                fix='name a server that speaks an API under /v1 as "provider": {"url": …};'
                " otherwise, calls that report nothing count as all that they asked for",
            )


TOKENS_NOT_REPORTED = CheckedRule(
    id="C419",
    title="limit on an entry that may report no tokens",
    severity="warning",
    meaning="""\
Limits in tokens and dollars settle what a call has used by the report of its server. llama.cpp, Bedrock and
providers always report. A server at a `url` or behind a `command` may not, above all for streams; a function
and other models never do. Where the API has no tokens, they are counted from bytes, one for each 4 of them.
Where it has some and none are reported, a call counts as all that it asked for.

A deploy to AWS with such limits refuses an entry with a function, whose calls API Gateway makes itself. At
its own path, a SageMaker endpoint on AWS is counted from bytes too. Under `/v1` its report counts where
its server speaks OpenAI's API, and else an estimate, which is never more than the call has asked for.

A limit in dollars (`usd`, `usd_per_day`, `pot.usd`) is an estimate for a function: what its model costs is
counted from the bytes that the function takes and returns, whatever it asks of the model. So such a budget
can be overspent there.""",
    example=Example(
        wrong="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "url", "url": "http://gpu-box:8000/v1/chat/completions"}
    }
  ],
  "event": {"teams": ["red", "blue"], "tokens_per_day": 500000}
}""",
        right="""\
{
  "endpoints": [
    {
      "name": "own",
      "integration": {"type": "api"},
      "local": {"engine": "llama.cpp", "weights": "hf://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"}
    }
  ],
  "event": {"teams": ["red", "blue"], "tokens_per_day": 500000}
}""",
    ),
    check=_check_reports,
)

RULES = (SPENDING_WITHOUT_TEAMS, MONEY_WITHOUT_PRICE, TOKENS_NOT_REPORTED)
