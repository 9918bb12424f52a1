"""Finds what the tokens of an entry cost: as the config says, or as its provider published."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.token_prices import (
    TokenPrice,
    find_bedrock_price,
    find_token_price,
    render_per_million,
)
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.provider import ProviderServing
from centralized_ml_api.plan.types import BedrockModel, ProviderModel
from centralized_ml_api.plan.usage.tokens import render_usd
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.plan.serving import Serving
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment


def find_price(entry: ModelDeployment) -> TokenPrice | None:
    """Returns what the tokens of an entry cost on one machine; None where nobody says.

    Reads the list of the package for a model of a provider or of Bedrock without a price of its own.
    """
    return _find_price_of(entry, entry.local.serving if entry.local else None)


def find_price_on_aws(entry: ModelDeployment) -> TokenPrice | None:
    """Returns what the tokens of an entry cost on AWS; None where nobody says."""
    match entry.origin:
        case ProviderModel(serving):
            return _find_price_of(entry, serving)
        case BedrockModel() as model:
            return _find_price_of(entry, BedrockServing(model))
        case _:
            return entry.price


def _find_price_of(entry: ModelDeployment, serving: Serving | None) -> TokenPrice | None:
    if entry.price is not None:
        return entry.price
    if isinstance(serving, BedrockServing):
        return find_bedrock_price(serving.hosted.model_id)
    if not isinstance(serving, ProviderServing) or serving.name is None:
        return None
    return find_token_price(serving.name, serving.model)


def list_prices(plan: ApiPlan) -> dict[str, TokenPrice]:
    """Returns the prices of all entries that have one, by name."""
    priced = ((entry.name, find_price(entry)) for entry in plan.deployments)
    return {name: price for name, price in priced if price is not None}


@record
class TokenCost:
    """What some tokens would cost at one entry, in nanodollars: for one caller, and for all `teams`."""

    name: str
    price: TokenPrice
    nanodollars: int
    teams: int

    @property
    def of_all(self) -> int:
        """What they would cost if every team used as many."""
        return self.nanodollars * self.teams


def build_token_costs(plan: ApiPlan, read: int, written: int) -> tuple[TokenCost, ...]:
    """Builds what tokens would cost at each entry that has a price.

    Args:
        plan: The entries and the teams; without teams there is one caller.
        read: Tokens of requests.
        written: Tokens of answers.
    """
    teams = max(1, len(plan.event.teams))
    return tuple(
        TokenCost(name, price, price.cost(read, 0, written), teams)
        for name, price in list_prices(plan).items()
    )


def render_token_costs(costs: Sequence[TokenCost], read: int, written: int) -> str:
    """Renders a table with a line for each entry. Pure.

    Args:
        costs: What `build_token_costs` returned; at least one.
        read: The tokens of requests that they are for.
        written: The tokens of answers.
    """
    teams = costs[0].teams
    header = ("MODEL", "USD A MILLION IN", "CACHED", "OUT", "USD A TEAM" if teams > 1 else "USD")
    more = (f"USD OF {teams} TEAMS",) if teams > 1 else ()
    rows = [
        (
            cost.name,
            *map(render_per_million, (cost.price.read, cost.price.cached, cost.price.written)),
            render_usd(cost.nanodollars),
            *((render_usd(cost.of_all),) if more else ()),
            cost.price.source,
        )
        for cost in costs
    ]
    lines = render_columns([(*header, *more, "PRICE OF"), *rows])
    return "\n".join([*lines, "", f"For {read:,} tokens in, none of them cached, and {written:,} out."])


def token_costs_json(costs: Sequence[TokenCost], read: int, written: int) -> dict[str, Any]:
    """Returns the same as plain values. Dollars are strings, exact to the last digit. Pure.

    Args:
        costs: What `build_token_costs` returned; at least one.
        read: The tokens of requests that they are for.
        written: The tokens of answers.
    """
    models = [
        {
            "model": cost.name,
            "usd": f"{Decimal(cost.nanodollars).scaleb(-9):f}",
            "usd_of_all_teams": f"{Decimal(cost.of_all).scaleb(-9):f}",
            "price_of": cost.price.source,
        }
        for cost in costs
    ]
    return {"tokens_in": read, "tokens_out": written, "teams": costs[0].teams, "models": models}
